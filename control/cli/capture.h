// `keepline capture`: a pcapng stream of the daemon into a file or a pipe.
//
// The CLI's only thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace keepline::cli {

/// Looks at a pcapng stream that passes by in pieces: how many frames, and how many were missed.
class CaptureCount {
 public:
  void see(std::string_view piece);
  std::uint64_t frames() const { return frames_; }
  std::uint64_t missed() const { return missed_; }

 private:
  std::string rest_;  // of a block that has not come whole
  std::uint64_t frames_ = 0;
  std::uint64_t missed_ = 0;
};

/// A tcpdump expression as BPF instructions in hexadecimal, for the daemon's query.
struct CompiledFilter {
  std::string program;
  std::string error;  ///< Not empty: says what is wrong with the expression.
};
CompiledFilter compile_filter(const std::string& expression);

/// Asks the daemon behind the socket for `path` and writes what comes to `file` ("-": standard
/// output), with progress on a terminal; the exit code: 0, or 1 with a message.
int capture(const std::string& socket_path, const std::string& path, const std::string& file);

}  // namespace keepline::cli
