// The datagrams of `keepline bench-failover`: numbered questions, their answers, and the question
// at the end which of them a far end has seen at all.
//
// PURE.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace keepline::cli::probe {

/// Questions and answers have one size, so that both ways cost the network the same.
inline constexpr std::size_t kDatagramBytes = 64;
inline constexpr std::size_t kMaxNameBytes = 32;
inline constexpr std::size_t kRangesPerTally = 64;
/// A tally's question has as many bytes as the longest tally: nobody gets more than he has sent.
inline constexpr std::size_t kMaxTallyBytes = kDatagramBytes + kRangesPerTally * 16;

enum class Kind : std::uint8_t {
  kQuestion = 1,
  kAnswer = 2,
  kTallyQuestion = 3,  ///< Which numbers have you seen?
  kTally = 4,
};

struct Datagram {
  Kind kind = Kind::kQuestion;
  std::uint64_t run = 0;     ///< Random for each run, so that runs do not count each other's.
  std::uint64_t number = 0;  ///< From 0; of a tally: the index of its first range.
  /// Of an answer: when the question came, in ns of the far end's CLOCK_REALTIME. Of a tally: how
  /// many ranges there are in all.
  std::uint64_t received_at = 0;
  std::string_view name;  ///< Of the far end; at most kMaxNameBytes, longer ones are cut.
};

/// Numbers from `first` to `last`, both included.
struct Range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  friend bool operator==(const Range&, const Range&) = default;
};

using Bytes = std::array<std::byte, kDatagramBytes>;

void write(const Datagram& datagram, std::span<std::byte, kDatagramBytes> to);

/// nullopt when it is none of ours. The name points into `from`.
std::optional<Datagram> read(std::span<const std::byte> from);

/// A tally: the head, and behind its kDatagramBytes at most kRangesPerTally of `ranges` from
/// index head.number on.
std::vector<std::byte> write_tally(Datagram head, std::span<const Range> ranges);

/// The ranges behind the head of a tally.
std::vector<Range> read_ranges(std::span<const std::byte> from);

/// The numbers that came, as ranges in the order of their coming. What comes late or twice makes
/// a range of its own.
class Seen {
 public:
  static constexpr std::size_t kMaxRanges = 65'536;  ///< 1 MiB; later ones are not remembered.

  void add(std::uint64_t number);
  std::span<const Range> ranges() const { return ranges_; }

 private:
  std::vector<Range> ranges_;
};

}  // namespace keepline::cli::probe
