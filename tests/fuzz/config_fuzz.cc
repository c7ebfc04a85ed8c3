// Any bytes as a configuration file: load() must end, stay within its bounds and never crash; what
// it accepts without errors must print to a file that means the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "control/config/load.h"
#include "control/config/print.h"
#include "tests/unit/config/memory_loader.h"

namespace {

keepline::config::LoadResult load_text(const std::string& text) {
  keepline::config::MemoryLoader loader({{"/c/main.conf", text}, {"/c/x.conf", "state MASTER\n"}});
  keepline::config::LoadOptions options;
  options.config_id = "node1";
  return keepline::config::load("/c/main.conf", loader, options);
}

// Text that would be expanded, conditional or escaped when it is read again cannot be written so
// that it survives; no such word has a meaning.
bool is_printable(const std::string& text) {
  return text.find_first_of("$~\\\"") == std::string::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMaxBytes = 64 * 1024;
  if (size > kMaxBytes) return 0;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto first = load_text(text);
  if (!is_printable(text) || first.diagnostics.has_errors()) return 0;
  const auto second = load_text(keepline::config::print(first.config));
  if (!(first.config == second.config)) std::abort();
  return 0;
}
