// The stages of a burst's way, and what sampling has found of their cost.
//
// PURE. The clock is the caller's: it comes in as a StageProbe, and usually as none.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace keepline::lb {

/// In the order in which a burst passes them.
enum class Stage : std::uint8_t {
  kReceive,   ///< From the port.
  kParse,     ///< Headers and offsets.
  kClassify,  ///< Service, hash, shard.
  kLookup,    ///< Connection, or the choice of a server for a new one.
  kForward,   ///< State, rewriting, next hop.
  kTransmit,  ///< To the port.
  kCount,
};

inline constexpr std::size_t kStages = static_cast<std::size_t>(Stage::kCount);

/// The name in listings: "receive".
constexpr std::string_view to_string(Stage stage) {
  constexpr std::array<std::string_view, kStages> kNames = {"receive", "parse",   "classify",
                                                            "lookup",  "forward", "transmit"};
  return kNames[static_cast<std::size_t>(stage)];
}

/// Told when a stage of the burst in hand is done.
class StageProbe {
 public:
  virtual ~StageProbe() = default;
  virtual void done(Stage stage) = 0;
};

/// Of one worker: sums over the bursts that were sampled.
struct StageFigures {
  std::uint64_t bursts = 0;
  std::uint64_t packets = 0;
  std::array<std::uint64_t, kStages> cycles{};
};

}  // namespace keepline::lb
