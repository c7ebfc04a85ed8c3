// The request writer and the response parser. PURE; see http_codec.h for the bounds.
#include "checks/http_codec.h"

#include <algorithm>
#include <charconv>

namespace keepline::checks {

namespace {

constexpr std::string_view kVersionPrefix = "HTTP/";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r";
  const auto first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

// "HTTP/1.1 200 OK", "HTTP/1.0 404": the reason is optional. 0 = malformed.
int status_of(std::string_view line) {
  line = trim(line);
  if (!line.starts_with(kVersionPrefix)) return 0;
  line.remove_prefix(kVersionPrefix.size());
  const auto space = line.find(' ');
  if (space == 0 || space == std::string_view::npos) return 0;
  for (const char c : line.substr(0, space)) {
    if (!is_digit(c) && c != '.') return 0;
  }
  line = trim(line.substr(space));
  if (line.size() < 3 || (line.size() > 3 && line[3] != ' ')) return 0;
  if (line[0] == '0' || !std::all_of(line.begin(), line.begin() + 3, is_digit)) return 0;
  return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

// RFC 9110 section 6.4.1: these never carry a body, whatever the headers say.
bool has_no_body(int status) {
  return status == 204 || status == 304;
}

}  // namespace

std::string default_host(const net::IpAddr& address, std::uint16_t port) {
  const std::string text = net::to_string(address);
  const std::string tail = ':' + std::to_string(port);
  return address.is_v4() ? text + tail : '[' + text + ']' + tail;
}

std::string build_request(HttpVersion version, std::string_view path, std::string_view host) {
  std::string request = "GET ";
  request.append(path);
  request += version == HttpVersion::k11 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n";
  request += "User-Agent: KeepAliveClient\r\n";
  if (version != HttpVersion::k10) request += "Connection: close\r\n";
  request.append("Host: ").append(host).append("\r\n\r\n");
  return request;
}

std::string_view ResponseParser::feed(std::string_view data) {
  if (state_ == State::kHeaders) data.remove_prefix(take_headers(data));
  if (state_ != State::kBody) return {};
  if (content_length_) {
    const std::uint64_t missing = *content_length_ - body_bytes_;
    if (data.size() > missing) data = data.substr(0, static_cast<std::size_t>(missing));
  }
  body_bytes_ += data.size();
  if (content_length_ == body_bytes_) state_ = State::kDone;
  return data;
}

void ResponseParser::close() {
  if (state_ == State::kHeaders) state_ = State::kBad;
  if (state_ == State::kBody) state_ = State::kDone;
}

// Copies lines until the empty one; returns how many bytes of `data` were headers.
std::size_t ResponseParser::take_headers(std::string_view data) {
  std::size_t taken = 0;
  while (taken < data.size() && state_ == State::kHeaders) {
    const auto newline = data.find('\n', taken);
    const bool complete = newline != std::string_view::npos;
    const std::size_t end = complete ? newline + 1 : data.size();
    if (headers_.size() + (end - taken) > kMaxHeaderBytes) {
      state_ = State::kTooLong;
      break;
    }
    headers_.append(data.substr(taken, end - taken));
    taken = end;
    // Another protocol's banner is told at its first bytes, not after a timeout.
    const auto start = std::string_view(headers_).substr(0, kVersionPrefix.size());
    if (!kVersionPrefix.starts_with(start)) state_ = State::kBad;
    if (!complete || state_ == State::kBad) break;
    const auto line =
        trim(std::string_view(headers_).substr(line_start_, headers_.size() - 1 - line_start_));
    line_start_ = headers_.size();
    if (line.empty()) parse_headers();
  }
  return taken;
}

void ResponseParser::parse_headers() {
  std::string_view rest = headers_;
  const auto first_end = rest.find('\n');
  status_ = status_of(rest.substr(0, first_end));
  if (status_ == 0) {
    state_ = State::kBad;
    return;
  }
  rest.remove_prefix(first_end + 1);
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    parse_field(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  const bool empty = has_no_body(status_) || content_length_ == 0;
  state_ = empty ? State::kDone : State::kBody;
}

// Only Content-Length matters. One that is no number is ignored, as keepalived does: the body then
// ends when the server closes.
void ResponseParser::parse_field(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || content_length_) return;
  if (!equal_ignoring_case(trim(line.substr(0, colon)), "content-length")) return;
  const std::string_view value = trim(line.substr(colon + 1));
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error == std::errc() && end == value.data() + value.size()) content_length_ = number;
}

}  // namespace keepline::checks
