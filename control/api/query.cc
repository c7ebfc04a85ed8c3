#include "control/api/query.h"

#include <algorithm>
#include <charconv>

#include "dataplane/net/hex.h"

namespace keepline::api {

namespace {

constexpr std::string_view kHex = "0123456789ABCDEF";

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '~';
}

std::optional<std::string> decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? net::hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? net::hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return result;
}

std::string_view value_of(const Query& query, std::string_view name) {
  const auto found = query.find(name);
  return found == query.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace

std::optional<Query> parse_query(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const std::string_view member = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(member.size() + 1, text.size()));
    const std::size_t equals = member.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    auto value = decoded(member.substr(equals + 1));
    if (!value) return std::nullopt;
    if (!query.emplace(member.substr(0, equals), std::move(*value)).second) return std::nullopt;
  }
  return query;
}

std::string percent_encoded(std::string_view value) {
  std::string result;
  for (const char c : value) {
    if (is_unreserved(c)) {
      result += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    result += '%';
    result += kHex[byte >> 4];
    result += kHex[byte & 15];
  }
  return result;
}

std::optional<net::Protocol> parse_protocol(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (lower == "tcp") return net::Protocol::kTcp;
  if (lower == "udp") return net::Protocol::kUdp;
  if (lower == "sctp") return net::Protocol::kSctp;
  return std::nullopt;
}

namespace {

std::optional<std::string> bytes_of_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); at += 2) {
    unsigned value = 0;
    const char* end = text.data() + at + 2;
    const auto [stop, problem] = std::from_chars(text.data() + at, end, value, 16);
    if (problem != std::errc() || stop != end) return std::nullopt;
    bytes += static_cast<char>(value);
  }
  return bytes;
}

}  // namespace

ParsedCaptureQuery parse_capture_query(const Query& query) {
  ParsedCaptureQuery parsed;
  const auto number = [&](const char* name, auto& out, std::uint64_t low, std::uint64_t high) {
    const std::string text(value_of(query, name));
    if (text.empty()) return;
    std::uint64_t value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc() || end != text.data() + text.size() || value < low || value > high) {
      parsed.error = std::string(name) + " must be a number in " + std::to_string(low) + ".." +
                     std::to_string(high);
      return;
    }
    out = static_cast<std::remove_reference_t<decltype(out)>>(value);
  };
  const auto program = bytes_of_hex(value_of(query, "program"));
  if (!program || program->size() % 8 != 0) parsed.error = "program must be BPF instructions";
  parsed.query.program = program.value_or("");
  number("count", parsed.query.count, 1, 1'000'000'000);
  number("seconds", parsed.query.seconds, 1, CaptureQuery::kMostSeconds);
  number("bytes", parsed.query.bytes, 64, CaptureQuery::kMostBytes);
  return parsed;
}

ParsedExplainQuery parse_explain_query(const Query& query) {
  const auto source = net::parse_endpoint(value_of(query, "source"));
  const auto destination = net::parse_endpoint(value_of(query, "destination"));
  const auto protocol = parse_protocol(value_of(query, "protocol"));
  if (!source) return {{}, "source must be ADDRESS:PORT"};
  if (!destination) return {{}, "destination must be ADDRESS:PORT"};
  if (!protocol) return {{}, "protocol must be tcp, udp or sctp"};
  if (source->address.is_v6() != destination->address.is_v6()) {
    return {{}, "source and destination must be of one address family"};
  }
  return {{*source, *destination, *protocol}, {}};
}

namespace {

std::optional<lb::ConnectionFilter::End> parse_end(std::string_view text) {
  lb::ConnectionFilter::End end;
  if (const auto endpoint = net::parse_endpoint(text)) {
    const auto length = static_cast<std::uint8_t>(endpoint->address.max_prefix_length());
    return lb::ConnectionFilter::End{net::Prefix{endpoint->address, length}, endpoint->port};
  }
  if (text.starts_with(':') && !text.starts_with("::")) {
    const auto port = net::parse_endpoint("0.0.0.0" + std::string(text));
    if (!port || port->port == 0) return std::nullopt;
    end.port = port->port;
    return end;
  }
  const std::size_t slash = text.find('/');
  const auto address = net::parse_ip(text.substr(0, slash));
  if (!address) return std::nullopt;
  unsigned length = address->max_prefix_length();
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [stop, problem] =
        std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (problem != std::errc() || stop != digits.data() + digits.size() ||
        length > address->max_prefix_length()) {
      return std::nullopt;
    }
  }
  end.network = net::Prefix{*address, static_cast<std::uint8_t>(length)};
  return end;
}

std::optional<lb::FlowState> parse_state(std::string_view text) {
  for (std::size_t i = 0; i < lb::kFlowStates; ++i) {
    const auto state = static_cast<lb::FlowState>(i);
    if (lb::to_string(state) == text) return state;
  }
  return std::nullopt;
}

}  // namespace

ParsedConnectionFilter parse_connection_filter(const Query& query) {
  ParsedConnectionFilter parsed;
  lb::ConnectionFilter& filter = parsed.filter;
  for (const auto& [name, value] : query) {
    if (name == "protocol") {
      filter.protocol = parse_protocol(value);
      if (!filter.protocol) return {{}, "protocol must be tcp, udp or sctp"};
    } else if (name == "state") {
      filter.state = parse_state(value);
      if (!filter.state) return {{}, "state must be one of the listing, such as ESTABLISHED"};
    } else if (name == "client" || name == "virtual" || name == "server") {
      const auto end = parse_end(value);
      if (!end) return {{}, name + " must be ADDRESS, ADDRESS/LENGTH, ADDRESS:PORT or :PORT"};
      (name == "client" ? filter.client : name == "virtual" ? filter.vip : filter.real) = *end;
    } else {
      return {{}, "there is no filter '" + name + "'"};
    }
  }
  return parsed;
}

}  // namespace keepline::api
