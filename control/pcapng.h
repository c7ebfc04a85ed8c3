// Captured frames as a pcapng file (draft-ietf-opsawg-pcapng), which Wireshark and tcpdump read.
//
// PURE. One section; an interface for each port; frames say which way they went.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/net/bytes.h"

namespace keepline::control {

class PcapngWriter {
 public:
  enum class Way : std::uint8_t { kIn = 1, kOut = 2 };  ///< As in epb_flags.

  /// Begins with the section's and the interfaces' headers.
  PcapngWriter(std::string_view application, const std::vector<std::string>& interfaces,
               std::uint32_t kept_bytes);

  /// `time_ns` since 1970; `length` is that of the whole frame.
  void frame(std::uint32_t interface, Way way, std::uint64_t time_ns, std::uint32_t length,
             net::Bytes kept, std::string_view comment = {});
  /// What there was, and what of it was missed.
  void statistics(std::uint64_t time_ns, std::uint64_t matched, std::uint64_t missed);

  /// What was written since the last time.
  std::string take() { return std::exchange(text_, {}); }

 private:
  class Block;
  std::string text_;
};

}  // namespace keepline::control
