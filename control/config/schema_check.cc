// The keyword tables of the checkers: TCP_CHECK, HTTP_GET, SSL_GET and the kinds not run yet.
//
// PURE. One row a keyword; bounds: the tables.
#include <charconv>

#include "control/config/names.h"
#include "control/config/schema.h"

namespace keepline::config {

namespace {

using enum Class;
using enum Status;

constexpr std::uint64_t kMaxDelayUs = 31 * 86'400 * kSecondUs;

void set_retry(Args& a, CheckOptions& o) {
  a.number_to(o.retry, 0, Args::kMaxU32);
}
void set_delay_before_retry(Args& a, CheckOptions& o) {
  a.seconds_to(o.delay_before_retry_us, 0, kMaxDelayUs);
}
void set_warmup(Args& a, CheckOptions& o) {
  a.seconds_to(o.warmup_us, 0, kMaxDelayUs);
}
void set_delay_loop(Args& a, CheckOptions& o) {
  a.seconds_to(o.delay_loop_us, 1, kMaxDelayUs);
}
void set_connect_timeout(Args& a, CheckOptions& o) {
  a.seconds_to(o.connect_timeout_us, 1, kMaxDelayUs);
}
void set_connect_ip(Args& a, CheckOptions& o) {
  if (const auto address = a.address()) o.connect_ip.set(*address);
}
void set_connect_port(Args& a, CheckOptions& o) {
  if (const auto port = a.port(1, 1)) o.connect_port.set(*port);
}
void set_bindto(Args& a, CheckOptions& o) {
  if (const auto address = a.address()) o.bindto = *address;
}
void set_bind_port(Args& a, CheckOptions& o) {
  a.number_to(o.bind_port, 1, 65535);
}
void set_bind_if(Args& a, CheckOptions& o) {
  o.bind_if = a.word();
}
void set_alpha(Args& a, CheckOptions& o) {
  a.flag_to(o.alpha);
}
void set_log_all_failures(Args& a, CheckOptions& o) {
  a.flag_to(o.log_all_failures);
}

// A row's reader from one of the setters above.
template <typename Check, void (*kSet)(Args&, CheckOptions&)>
void on(Args& a, Check& check) {
  kSet(a, check.options);
}

// The rows that every checker has, instantiated for each checker type.
#define KEEPLINE_COMMON_ROWS(C)                                                                  \
  {"connect_ip", kOneWord, kA, kActive, on<C, set_connect_ip>},                                  \
      {"connect_port", kOneWord, kA, kActive, on<C, set_connect_port>},                          \
      {"bindto", kOneWord, kA, kActive, on<C, set_bindto>},                                      \
      {"bind_port", kOneWord, kC, kActive, on<C, set_bind_port>},                                \
      {"bind_if", kOneWord, kC, kNotActedOn, on<C, set_bind_if>},                                \
      {"connect_timeout", kOneWord, kA, kActive, on<C, set_connect_timeout>},                    \
      {"fwmark", kOneWord, kK, kKernelOnly}, {"retry", kOneWord, kA, kActive, on<C, set_retry>}, \
      {"delay_before_retry", kOneWord, kA, kActive, on<C, set_delay_before_retry>},              \
      {"warmup", kOneWord, kB, kActive, on<C, set_warmup>},                                      \
      {"delay_loop", kOneWord, kB, kActive, on<C, set_delay_loop>},                              \
      {"alpha", kFlagShape, kB, kActive, on<C, set_alpha>}, {                                    \
    "log_all_failures", kFlagShape, kB, kActive, on<C, set_log_all_failures>                     \
  }

constexpr Row<TcpCheck> kTcpRows[] = {
    KEEPLINE_COMMON_ROWS(TcpCheck),
    {"nb_get_retry", kOneWord, kA, kDeprecated, on<TcpCheck, set_retry>, nullptr,
     "deprecated, please use retry"},
};

void read_digest(Args& a, HttpUrl& url) {
  std::array<std::uint8_t, 16> digest{};
  const std::string& text = a.word();
  bool is_valid = text.size() == 2 * digest.size();
  for (std::size_t i = 0; is_valid && i < digest.size(); ++i) {
    const char* const begin = text.data() + 2 * i;
    is_valid = std::from_chars(begin, begin + 2, digest[i], 16).ptr == begin + 2;
  }
  if (is_valid) {
    url.digest = digest;
  } else {
    a.error("'" + text + "' is not a digest of 32 hex digits: ignored");
  }
}

void read_status_codes(Args& a, HttpUrl& url) {
  for (std::size_t i = 1; i <= a.count(); ++i) {
    const std::string& text = a.word(i);
    const std::size_t dash = text.find('-');
    const auto first = parse_number(std::string_view(text).substr(0, dash));
    const auto last =
        dash == std::string::npos ? first : parse_number(std::string_view(text).substr(dash + 1));
    if (!first || !last || *first < 100 || *last > 599 || *first > *last) {
      a.error("'" + text + "' is not a status code or range in 100..599: ignored", "", i);
      continue;
    }
    url.status_codes.push_back(
        {static_cast<std::uint16_t>(*first), static_cast<std::uint16_t>(*last)});
  }
}

void read_regex(Args& a, HttpUrl& url) {
  const auto words = scan_escaped(a.statement().rest);
  if (!words || words->empty()) {
    a.error("unmatched quote in the regex: ignored");
    return;
  }
  url.regex = words->front();
}

constexpr Row<HttpUrl> kUrlRows[] = {
    {"path", kOneWord, kA, kActive, [](Args& a, HttpUrl& u) { u.path = a.word(); }},
    {"digest", kOneWord, kA, kActive, read_digest},
    {"status_code", {1, Shape::kAny}, kA, kActive, read_status_codes},
    {"virtualhost", kOneWord, kA, kActive, [](Args& a, HttpUrl& u) { u.virtualhost = a.word(); }},
    {"regex", kCommandShape, kB, kNotActedOn, read_regex},
    {"regex_no_match", kBareShape, kB, kNotActedOn,
     [](Args&, HttpUrl& u) { u.regex_no_match = true; }},
    {"regex_options", kAnyWords, kC, kNotActedOn,
     [](Args& a, HttpUrl& u) {
       for (std::size_t i = 1; i <= a.count(); ++i) u.regex_options.push_back(a.word(i));
     }},
    {"regex_min_offset", kOneWord, kC, kNotActedOn,
     [](Args& a, HttpUrl& u) { a.number_to(u.regex_min_offset_bytes, 0, Args::kMaxU32); }},
    {"regex_max_offset", kOneWord, kC, kNotActedOn,
     [](Args& a, HttpUrl& u) { a.number_to(u.regex_max_offset_bytes, 0, Args::kMaxU32); }},
    {"regex_stack", kAnyWords, kC, kNotBuilt},
    {"tls_compliant", kFlagShape, kC, kNotBuilt},
};

void read_url(Args& a, HttpCheck& check) {
  HttpUrl url;
  url.position = a.position();
  run_table(kUrlRows, "url", a.statement().children, url, a.diagnostics());
  if (url.path.empty()) {
    a.error("url without path: skipped");
    return;
  }
  check.urls.push_back(std::move(url));
}

void read_http_protocol(Args& a, HttpCheck& check) {
  for (HttpProtocol protocol : {HttpProtocol::k10, HttpProtocol::k10Close, HttpProtocol::k11}) {
    if (a.word() == name_of(protocol)) {
      check.protocol = protocol;
      return;
    }
  }
  a.error("unknown http_protocol '" + a.word() + "': ignored", "1.0, 1.0C or 1.1");
}

constexpr Row<HttpCheck> kHttpRows[] = {
    KEEPLINE_COMMON_ROWS(HttpCheck),
    {"nb_get_retry", kOneWord, kA, kActive, on<HttpCheck, set_retry>},
    {"url", kBlockShape, kA, kActive, read_url},
    {"virtualhost", kOneWord, kA, kActive,
     [](Args& a, HttpCheck& c) { c.virtualhost.set(a.word()); }},
    {"http_protocol", kOneWord, kB, kActive, read_http_protocol},
    {"enable_sni", kFlagShape, kB, kNotActedOn,
     [](Args& a, HttpCheck& c) { a.flag_to(c.enable_sni); }},
    {"sni_name", kOneWord, kB, kNotActedOn, [](Args& a, HttpCheck& c) { c.sni_name = a.word(); }},
    {"fast_recovery", kFlagShape, kB, kNotActedOn,
     [](Args& a, HttpCheck& c) { a.flag_to(c.fast_recovery); }},
    {"tls_compliant", kFlagShape, kC, kNotActedOn,
     [](Args& a, HttpCheck& c) { a.flag_to(c.tls_compliant); }},
};

constexpr Row<OtherCheck> kOtherRows[] = {
    KEEPLINE_COMMON_ROWS(OtherCheck),
    {"nb_get_retry", kOneWord, kA, kDeprecated, on<OtherCheck, set_retry>, nullptr,
     "deprecated, please use retry"},
    {"misc_path", kCommandShape, kA, kActive,
     [](Args& a, OtherCheck& c) { a.command_to(c.misc_path); }},
    {"misc_timeout", kOneWord, kA, kActive,
     [](Args& a, OtherCheck& c) { a.seconds_to(c.misc_timeout_us, 1, kMaxDelayUs); }},
    {"misc_dynamic", kBareShape, kA, kActive, [](Args&, OtherCheck& c) { c.misc_dynamic = true; }},
    // The check itself has been warned of; its further words are known and not kept.
    {"user", kAnyWords, kA, kActive},
    {"helo_name", kOneWord, kB, kActive},
    {"host", kBlockShape, kC, kActive},
    {"type", kOneWord, kB, kActive},
    {"name", kOneWord, kB, kActive},
    {"payload", kAnyWords, kB, kActive},
    {"require_reply", kAnyWords, kB, kActive},
    {"min_reply_length", kOneWord, kC, kActive},
    {"max_reply_length", kOneWord, kC, kActive},
    {"track_file", kOneWord, kC, kActive},
    {"weight", kAnyWords, kC, kActive},
};

#undef KEEPLINE_COMMON_ROWS

void warn_not_run(Args& a) {
  a.warning(a.keyword() + " is accepted, not run yet: the server counts as up");
}

void read_http(Args& a, RealServer& server, bool is_ssl) {
  HttpCheck check;
  check.is_ssl = is_ssl;
  check.options.position = a.position();
  run_table(kHttpRows, a.keyword(), a.statement().children, check, a.diagnostics());
  if (check.urls.empty()) {
    a.error(a.keyword() + " without url: the check is skipped", "url { path / }");
    return;
  }
  server.checkers.emplace_back(std::move(check));
}

void read_other(Args& a, RealServer& server) {
  OtherCheck check;
  for (OtherKind kind : {OtherKind::kSmtp, OtherKind::kDns, OtherKind::kMisc, OtherKind::kUdp,
                         OtherKind::kPing, OtherKind::kFile, OtherKind::kBfd}) {
    if (name_of(kind) == a.keyword()) check.kind = kind;
  }
  check.options.position = a.position();
  run_table(kOtherRows, a.keyword(), a.statement().children, check, a.diagnostics());
  if (check.kind == OtherKind::kMisc && check.misc_path.empty()) {
    a.error("MISC_CHECK without misc_path: the check is skipped");
    return;
  }
  server.checkers.emplace_back(std::move(check));
}

}  // namespace

void read_checker(Args& a, RealServer& server) {
  if (a.keyword() == "TCP_CHECK") {
    TcpCheck check;
    check.options.position = a.position();
    run_table(kTcpRows, a.keyword(), a.statement().children, check, a.diagnostics());
    server.checkers.emplace_back(std::move(check));
    return;
  }
  const bool is_http = a.keyword() == "HTTP_GET";
  if (!is_http) warn_not_run(a);
  if (is_http || a.keyword() == "SSL_GET") {
    read_http(a, server, !is_http);
  } else {
    read_other(a, server);
  }
}

}  // namespace keepline::config
