// auth_hmac after reading: keys that are in files, defaults, and the rules between keywords.
//
// PURE: files come through the loader. Linear in the keys.
#include <algorithm>

#include "control/config/hmac_key.h"
#include "control/config/include.h"
#include "control/config/resolve.h"

namespace keepline::config {

namespace {

constexpr std::uint64_t kMaxWindowS = 300;

std::string prefix(const VrrpInstance& v) {
  return "(" + v.name + ") ";
}

// As of an include: relative to the file that names it.
std::string path_of(const HmacKey& key) {
  const std::string folder = folder_of(key.position.file);
  return key.file.starts_with('/') || folder.empty() ? key.file : folder + '/' + key.file;
}

void read_key_file(const VrrpInstance& v, HmacKey& key, Loader& loader, Diagnostics& diagnostics) {
  key.file = path_of(key);
  const std::string what =
      prefix(v) + "the key " + std::to_string(key.id) + " in '" + key.file + "' ";
  auto text = loader.read(key.file);
  if (!text) {
    diagnostics.fatal(key.position, "key", what + "cannot be read: " + text.error());
    return;
  }
  // What an editor or `openssl rand -hex` leaves at the end is not part of the key.
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  if (auto bytes = parse_hmac_key(*text)) {
    key.bytes = std::move(*bytes);
  } else {
    diagnostics.fatal(key.position, "key", what + bytes.error(), "hex:DIGITS, or the bytes");
  }
}

void check_active_key(const InstanceDraft& draft, Diagnostics& diagnostics) {
  const VrrpInstance& v = draft.instance;
  // Without one nothing can be signed; receive-only does not.
  if (v.hmac.find(v.hmac.active_key) != nullptr) return;
  if (v.hmac.active_key == 0 && v.hmac.mode == HmacMode::kReceiveOnly) return;
  const std::string id = std::to_string(v.hmac.active_key);
  diagnostics.fatal(position_of(*draft.block, "auth_hmac"), "auth_hmac",
                    prefix(v) + (v.hmac.active_key == 0 ? "auth_hmac without active_key"
                                                        : "active_key " + id + " names no key"),
                    "active_key ID, of the key to sign with");
}

}  // namespace

void read_key_files(Draft& draft, Loader& loader, Diagnostics& diagnostics) {
  for (InstanceDraft& instance : draft.instances) {
    for (HmacKey& key : instance.instance.hmac.keys) {
      if (!key.file.empty()) read_key_file(instance.instance, key, loader, diagnostics);
    }
  }
}

void replace_authentication(InstanceDraft& draft, Diagnostics& diagnostics) {
  VrrpInstance& v = draft.instance;
  if (!v.hmac.is_used() || v.auth.type == AuthType::kNone) return;
  diagnostics.warning(position_of(*draft.block, "authentication"), "authentication",
                      prefix(v) + "auth_hmac replaces authentication: that is ignored",
                      "remove the authentication block", Effect::kProblem);
  v.auth = {};
}

void settle_auth_hmac(InstanceDraft& draft, Diagnostics& diagnostics) {
  VrrpInstance& v = draft.instance;
  if (!v.hmac.is_used()) return;
  check_active_key(draft, diagnostics);
  // Three adverts late is too late for a master-down timer as well.
  const std::uint64_t three_s = (3 * v.advert_interval_us + kSecondUs - 1) / kSecondUs;
  v.hmac.time_window_s.set_default(
      std::clamp<std::uint64_t>(three_s, v.hmac.time_window_s, kMaxWindowS));
  if (!v.hmac.is_monotonic && v.hmac.time_window_s * kSecondUs <= v.advert_interval_us) {
    // Found by the simulation: after a pause the adverts in the queue are too old to be believed.
    diagnostics.warning(position_of(*draft.block, "auth_hmac"), "auth_hmac",
                        prefix(v) +
                            "time_window is not longer than advert_int: a node that was "
                            "stopped for a moment takes over beside the master",
                        "leave time_window out: it is three advert_int then");
  }
  if (!v.strict || v.hmac.mode == HmacMode::kEnforce) return;
  diagnostics.warning(position_of(*draft.block, "auth_hmac"), "auth_hmac",
                      prefix(v) + "strict mode needs mode enforce of auth_hmac: that is used",
                      "finish the change of the cluster, then set vrrp_strict", Effect::kProblem);
  v.hmac.mode = HmacMode::kEnforce;
}

}  // namespace keepline::config
