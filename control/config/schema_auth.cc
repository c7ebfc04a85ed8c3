// The keyword tables of `authentication` and `auth_hmac`.
//
// PURE. One row a keyword; bound: the tables. What is wrong in auth_hmac stops the start: a node
// that signs otherwise than its peers expect is not heard, and then there are two masters.
#include <algorithm>

#include "control/config/hmac_key.h"
#include "control/config/schema.h"

namespace keepline::config {

namespace {

using enum Class;
using enum Status;

void read_auth_type(Args& a, Authentication& auth) {
  if (a.word() == "PASS") {
    auth.type = AuthType::kPass;
  } else if (a.word() == "AH") {
    auth.type = AuthType::kHeader;
  } else {
    a.error("unknown auth_type '" + a.word() + "': ignored", "PASS or AH");
  }
}

void read_auth_pass(Args& a, Authentication& auth) {
  constexpr std::size_t kMaxPasswordBytes = 8;
  auth.password = a.word();
  if (auth.password.size() <= kMaxPasswordBytes) return;
  auth.password.resize(kMaxPasswordBytes);
  a.error("the password is longer than 8 bytes: only the first 8 are used");
}

constexpr Row<Authentication> kAuthRows[] = {
    {"auth_type", kOneWord, kA, kActive, read_auth_type},
    {"auth_pass", kOneWord, kA, kActive, read_auth_pass},
};

// The number of an id, or nothing, which is said.
std::optional<std::uint8_t> read_id(Args& a) {
  const auto id = parse_number(a.word());
  if (id && *id >= 1 && *id <= 255) return static_cast<std::uint8_t>(*id);
  a.fatal("'" + a.word() + "' is not the id of a key", "1..255");
  return std::nullopt;
}

// `key ID VALUE`. A value that is wrong leaves an empty key: its id is known all the same.
void read_key(Args& a, AuthHmac& hmac) {
  constexpr std::string_view kFile = "file:";
  const auto id = read_id(a);
  if (!id) return;
  if (hmac.find(*id) != nullptr) {
    a.fatal("a second key with the id " + std::to_string(*id), "every key needs its own");
    return;
  }
  HmacKey key{*id, "", "", a.position()};
  const std::string& value = a.word(2);
  if (a.count() > 2) {
    a.fatal("the key " + std::to_string(*id) + " has several words", "quote a key with blanks");
  } else if (value.starts_with(kFile)) {
    key.file = value.substr(kFile.size());
    if (key.file.empty()) a.fatal("the key " + std::to_string(*id) + " names no file", "file:PATH");
  } else if (auto bytes = parse_hmac_key(value)) {
    key.bytes = std::move(*bytes);
  } else {
    a.fatal("the key " + std::to_string(*id) + ' ' + bytes.error(),
            "key ID hex:DIGITS, as `openssl rand -hex 32` makes them");
  }
  hmac.keys.push_back(std::move(key));
}

void read_anti_replay(Args& a, AuthHmac& hmac) {
  hmac.is_monotonic = a.word() == "monotonic";
  if (!hmac.is_monotonic && a.word() != "time") {
    a.fatal("unknown anti_replay '" + a.word() + "'", "time or monotonic");
  }
}

void read_mode(Args& a, AuthHmac& hmac) {
  if (a.word() == "enforce") {
    hmac.mode = HmacMode::kEnforce;
  } else if (a.word() == "permissive") {
    hmac.mode = HmacMode::kPermissive;
  } else if (a.word() == "receive-only") {
    hmac.mode = HmacMode::kReceiveOnly;
  } else {
    a.fatal("unknown mode '" + a.word() + "'", "enforce, permissive or receive-only");
  }
}

constexpr Row<AuthHmac> kHmacRows[] = {
    {"key", {2, Shape::kAny}, kB, kActive, read_key},
    {"active_key", kOneWord, kB, kActive,
     [](Args& a, AuthHmac& hmac) { hmac.active_key = read_id(a).value_or(hmac.active_key); }},
    {"time_window", kOneWord, kB, kActive,
     [](Args& a, AuthHmac& hmac) { a.number_to(hmac.time_window_s, 1, 300); }},
    {"anti_replay", kOneWord, kB, kActive, read_anti_replay},
    {"mode", kOneWord, kB, kActive, read_mode},
};

}  // namespace

void read_authentication(Args& a, InstanceDraft& draft) {
  Authentication auth;
  run_table(kAuthRows, "authentication", a.statement().children, auth, a.diagnostics());
  if (auth.type != AuthType::kNone && auth.password.empty()) {
    a.error("auth_type without auth_pass: no authentication is used");
    auth = {};
  }
  if (auth.type == AuthType::kNone) auth.password.clear();
  draft.instance.auth = auth;
}

void read_auth_hmac(Args& a, InstanceDraft& draft) {
  AuthHmac hmac;
  run_table(kHmacRows, "auth_hmac", a.statement().children, hmac, a.diagnostics());
  const bool has_key = std::ranges::any_of(
      a.statement().children, [](const Statement& child) { return child.keyword() == "key"; });
  if (!has_key) a.fatal("auth_hmac without a key", "key ID hex:DIGITS and active_key ID");
  draft.instance.hmac = std::move(hmac);
}

}  // namespace keepline::config
