// Random numbers: the same seed gives the same run on every machine. Not for secrets.
//
// PURE; splitmix64 (public domain, Sebastiano Vigna): one addition and three mixing steps, any seed
// is a good one. The standard's distributions differ between libraries, so none is used.
#pragma once

#include <cstdint>

namespace keepline::net {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// Both ends included.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    if (high <= low) return low;
    return low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
  }

 private:
  std::uint64_t state_;
};

}  // namespace keepline::net
