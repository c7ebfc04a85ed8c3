// Words to typed values: see args.h. PURE.
#include "control/config/args.h"

#include <charconv>
#include <utility>

#include "control/config/names.h"

namespace keepline::config {

namespace {

template <typename T>
std::optional<T> from_text(std::string_view text) {
  T value{};
  const char* const end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, value);
  if (problem != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::string range_text(std::uint64_t low, std::uint64_t high) {
  return std::to_string(low) + ".." + std::to_string(high);
}

}  // namespace

std::optional<std::uint64_t> parse_number(std::string_view text) {
  return from_text<std::uint64_t>(text);
}

std::optional<std::int64_t> parse_signed(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  return from_text<std::int64_t>(text);
}

std::optional<std::uint64_t> parse_seconds_us(std::string_view text) {
  constexpr std::size_t kDecimals = 6;
  const std::size_t dot = text.find('.');
  std::uint64_t whole = 0;
  const auto whole_text = text.substr(0, dot);
  if (!whole_text.empty()) {
    const auto number = from_text<std::uint32_t>(whole_text);
    if (!number) return std::nullopt;
    whole = *number;
  }
  if (dot == std::string_view::npos) {
    return whole_text.empty() ? std::nullopt : std::optional(whole * kSecondUs);
  }
  const auto decimals = text.substr(dot + 1);
  if (decimals.size() > kDecimals || (decimals.empty() && whole_text.empty())) {
    return std::nullopt;
  }
  std::uint64_t fraction = 0;
  for (std::size_t i = 0; i < kDecimals; ++i) {
    const char c = i < decimals.size() ? decimals[i] : '0';
    if (c < '0' || c > '9') return std::nullopt;
    fraction = fraction * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return whole * kSecondUs + fraction;
}

std::optional<bool> parse_bool(std::string_view text) {
  if (text == "true" || text == "on" || text == "yes") return true;
  if (text == "false" || text == "off" || text == "no") return false;
  return std::nullopt;
}

const std::string& Args::word(std::size_t index) const {
  static const std::string kNone;
  return index < statement_.words.size() ? statement_.words[index].text : kNone;
}

Position Args::position(std::size_t index) const {
  Position position = statement_.position;
  if (index < statement_.words.size()) position.column = statement_.words[index].column;
  return position;
}

void Args::error(std::string message, std::string hint, std::size_t index) const {
  diagnostics_.error(position(index), keyword(), std::move(message), std::move(hint));
}

void Args::warning(std::string message, std::string hint, Effect effect) const {
  diagnostics_.warning(position(), keyword(), std::move(message), std::move(hint), effect);
}

void Args::fatal(std::string message, std::string hint) const {
  diagnostics_.fatal(position(), keyword(), std::move(message), std::move(hint));
}

std::optional<std::uint64_t> Args::number(std::uint64_t low, std::uint64_t high,
                                          std::size_t index) const {
  const auto value = parse_number(word(index));
  if (value && *value >= low && *value <= high) return value;
  error("'" + word(index) + "' is not a number in " + range_text(low, high) + ": ignored", "",
        index);
  return std::nullopt;
}

std::optional<std::uint64_t> Args::seconds_us(std::uint64_t low_us, std::uint64_t high_us,
                                              std::size_t index) const {
  const auto value = parse_seconds_us(word(index));
  if (value && *value >= low_us && *value <= high_us) return value;
  error("'" + word(index) + "' is not a time in " + seconds_text(low_us) + ".." +
            seconds_text(high_us) + " seconds: ignored",
        "seconds with at most six decimals, as in 0.5", index);
  return std::nullopt;
}

std::optional<bool> Args::flag() const {
  if (count() == 0) return true;
  const auto value = parse_bool(word());
  if (!value) error("'" + word() + "' is not a boolean: ignored", "true on yes false off no");
  return value;
}

std::optional<net::IpAddr> Args::address(std::size_t index) const {
  const auto value = net::parse_ip(word(index));
  if (!value) {
    const bool has_port = word(index).find(':') == word(index).rfind(':') &&
                          word(index).find(':') != std::string::npos;
    error("'" + word(index) + "' is not an IP address",
          has_port ? "the port is a word of its own" : "", index);
  }
  return value;
}

std::optional<std::uint16_t> Args::port(std::size_t index, std::uint16_t low) const {
  const auto value = number(low, 65535, index);
  if (!value) return std::nullopt;
  return static_cast<std::uint16_t>(*value);
}

std::optional<Forwarding> Args::forwarding() const {
  const auto method = method_from_name(word());
  if (!method) {
    error("'" + word() + "' is not a forwarding method: ignored", "NAT, DR, TUN or FULLNAT");
    return std::nullopt;
  }
  Forwarding result;
  result.method = *method;
  if (*method == Method::kTun && !tunnel_options(result)) return std::nullopt;
  if (*method == Method::kFullNat && !full_nat_options(result)) return std::nullopt;
  return result;
}

// False: what was wrong is said, and the whole line ignored. So is it below.
bool Args::full_nat_options(Forwarding& result) const {
  if (count() < 2) return true;
  const auto how = client_address_from_name(word(2));
  if (how && count() == 2) {
    result.client_address = *how;
    return true;
  }
  error("'" + word(how ? 3 : 2) + "' is not an option of FULLNAT: ignored",
        "FULLNAT [toa|proxy_protocol]", how ? 3 : 2);
  return false;
}

bool Args::tunnel_options(Forwarding& result) const {
  for (std::size_t at = 2; at <= count(); ++at) {
    const bool has_more = at < count();
    if (word(at) == "type" && has_more) {
      const auto type = tunnel_type_from_name(word(++at));
      if (!type) {
        error("unknown tunnel type '" + word(at) + "': ignored", "ipip, gre or gue port N", at);
        return false;
      }
      result.tunnel = *type;
    } else if (word(at) == "port" && has_more) {
      const auto value = port(++at, 1);
      if (!value) return false;
      result.gue_port = *value;
    } else if (const auto checksum = tunnel_checksum_from_name(word(at))) {
      result.checksum = *checksum;
    } else {
      error("'" + word(at) + "' is not an option of TUN: ignored",
            "TUN [type ipip|gre|gue port N] [nocsum|csum|remcsum]", at);
      return false;
    }
  }
  const bool gue = result.tunnel == TunnelType::kGue;
  const bool ipip = result.tunnel == TunnelType::kIpip;
  const char* wrong = nullptr;
  if (gue && result.gue_port == 0) wrong = "type gue needs a port";
  if (!gue && result.gue_port != 0) wrong = "only type gue has a port";
  if (ipip && result.checksum != TunnelChecksum::kNone) wrong = "type ipip has no checksum";
  if (!gue && result.checksum == TunnelChecksum::kRemote) wrong = "only type gue has remcsum";
  if (wrong == nullptr) return true;
  error(std::string(wrong) + ": ignored", "TUN type gue port 6080 csum");
  return false;
}

void Args::seconds_to(Setting<std::uint64_t>& out, std::uint64_t low_us,
                      std::uint64_t high_us) const {
  if (const auto value = seconds_us(low_us, high_us)) out.set(*value);
}

void Args::seconds_to(std::uint64_t& out, std::uint64_t low_us, std::uint64_t high_us) const {
  if (const auto value = seconds_us(low_us, high_us)) out = *value;
}

void Args::flag_to(Setting<bool>& out) const {
  if (const auto value = flag()) out.set(*value);
}

void Args::flag_to(bool& out) const {
  if (const auto value = flag()) out = *value;
}

void Args::command_to(Command& out) const {
  if (!out.empty()) {
    error("a second " + keyword() + " is ignored");
    return;
  }
  const auto words = scan_escaped(statement_.rest);
  const auto arguments = words && !words->empty() ? split_arguments(words->front()) : std::nullopt;
  if (!arguments) {
    error("unmatched quote in the command: ignored");
    return;
  }
  if (arguments->empty() || arguments->front().empty()) {
    error("the command is empty: ignored");
    return;
  }
  out.arguments = *arguments;
  if (words->size() > 1) out.user = (*words)[1];
  if (words->size() > 2) out.group = (*words)[2];
  out.position = position();
}

}  // namespace keepline::config
