// Fuzzes the response parser: the first byte is the size of the pieces, the rest the response.
//
// Pure, one input at a time. Checked: however a response is cut, the verdict and the body are the
// same, and neither goes beyond Content-Length.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "checks/http_codec.h"

namespace {

using keepline::checks::ResponseParser;

struct Result {
  ResponseParser parser;
  std::string body;
};

Result parse(std::string_view text, std::size_t piece) {
  Result result;
  while (!text.empty() && !result.parser.is_finished()) {
    result.body += result.parser.feed(text.substr(0, piece));
    text.remove_prefix(std::min(piece, text.size()));
  }
  result.parser.close();
  return result;
}

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const Result whole = parse(text, std::max<std::size_t>(text.size(), 1));
  const Result pieces = parse(text, std::max<std::size_t>(data[0], 1));
  require(whole.parser.is_finished() && pieces.parser.is_finished());
  require(whole.parser.state() == pieces.parser.state());
  require(whole.parser.status() == pieces.parser.status());
  require(whole.body == pieces.body && whole.body.size() == whole.parser.body_bytes());
  const auto length = whole.parser.content_length();
  require(!length || whole.body.size() <= *length);
  return 0;
}
