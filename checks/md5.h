// MD5 of a stream of bytes, for the `digest` of HTTP_GET. Not a security measure: it answers "is
// this the page that was configured?".
//
// Used by one probe at a time on the control thread; constant size. libcrypto is hidden in md5.cc.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace keepline::checks {

using Md5Digest = std::array<std::uint8_t, 16>;

/// 32 hex digits, either case.
std::optional<Md5Digest> parse_md5(std::string_view hex);
std::string to_string(const Md5Digest& digest);

/// An MD5 computation.
class Md5 {
 public:
  Md5();
  ~Md5();
  Md5(const Md5&) = delete;
  Md5& operator=(const Md5&) = delete;

  void update(std::string_view bytes);
  /// The digest of everything so far, once. nullopt when the library refuses MD5 (FIPS mode).
  std::optional<Md5Digest> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace keepline::checks
