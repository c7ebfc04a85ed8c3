// The way to files: implemented outside, so that reading a configuration stays pure.
//
// PURE interface. Bound: an implementation should refuse files above kMaxFileBytes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace keepline::config {

class Loader {
 public:
  static constexpr std::size_t kMaxFileBytes = std::size_t{16} << 20;

  virtual ~Loader() = default;
  /// The whole text, or the reason as one line ("No such file or directory").
  virtual tl::expected<std::string, std::string> read(const std::string& path) = 0;
  /// The files that match a shell pattern, sorted; without those that are no regular files or
  /// are executable. The pattern has no braces left; a relative one starts in the folder
  /// relative_to (which may be empty: the working directory).
  virtual std::vector<std::string> glob(const std::string& pattern,
                                        const std::string& relative_to) = 0;
};

}  // namespace keepline::config
