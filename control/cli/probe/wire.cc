#include "control/cli/probe/wire.h"

#include <algorithm>
#include <cstring>

namespace keepline::cli::probe {

namespace {

constexpr std::uint32_t kMagic = 0x4b4c5031;  // "KLP1"
constexpr std::size_t kKindAt = 4, kNameLengthAt = 5, kRunAt = 8, kNumberAt = 16, kReceivedAt = 24,
                      kNameAt = 32;
constexpr std::size_t kRangeBytes = 16;

template <typename Number>
void put(std::byte* at, Number number) {
  for (std::size_t i = 0; i < sizeof number; ++i) {
    at[i] = static_cast<std::byte>(number >> (8 * (sizeof number - 1 - i)));
  }
}

template <typename Number>
Number get(const std::byte* at) {
  Number number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i) {
    number = static_cast<Number>(number << 8 | std::to_integer<Number>(at[i]));
  }
  return number;
}

}  // namespace

void write(const Datagram& datagram, std::span<std::byte, kDatagramBytes> to) {
  const std::string_view name = datagram.name.substr(0, kMaxNameBytes);
  std::ranges::fill(to, std::byte{0});
  put(to.data(), kMagic);
  to[kKindAt] = static_cast<std::byte>(datagram.kind);
  to[kNameLengthAt] = static_cast<std::byte>(name.size());
  put(to.data() + kRunAt, datagram.run);
  put(to.data() + kNumberAt, datagram.number);
  put(to.data() + kReceivedAt, datagram.received_at);
  std::memcpy(to.data() + kNameAt, name.data(), name.size());
}

std::optional<Datagram> read(std::span<const std::byte> from) {
  if (from.size() < kDatagramBytes || get<std::uint32_t>(from.data()) != kMagic) return {};
  const auto kind = std::to_integer<std::uint8_t>(from[kKindAt]);
  const auto name_length = std::to_integer<std::size_t>(from[kNameLengthAt]);
  if (kind < 1 || kind > 4 || name_length > kMaxNameBytes) return {};
  return Datagram{
      static_cast<Kind>(kind),
      get<std::uint64_t>(from.data() + kRunAt),
      get<std::uint64_t>(from.data() + kNumberAt),
      get<std::uint64_t>(from.data() + kReceivedAt),
      {reinterpret_cast<const char*>(from.data() + kNameAt), name_length},
  };
}

std::vector<std::byte> write_tally(Datagram head, std::span<const Range> ranges) {
  const std::size_t first = std::min<std::size_t>(head.number, ranges.size());
  const auto part = ranges.subspan(first, std::min(kRangesPerTally, ranges.size() - first));
  head.kind = Kind::kTally;
  head.received_at = ranges.size();
  std::vector<std::byte> bytes(kDatagramBytes + part.size() * kRangeBytes);
  write(head, std::span(bytes).first<kDatagramBytes>());
  std::byte* at = bytes.data() + kDatagramBytes;
  for (const Range& range : part) {
    put(at, range.first);
    put(at + 8, range.last);
    at += kRangeBytes;
  }
  return bytes;
}

std::vector<Range> read_ranges(std::span<const std::byte> from) {
  std::vector<Range> ranges;
  for (std::size_t at = kDatagramBytes; at + kRangeBytes <= from.size(); at += kRangeBytes) {
    ranges.push_back(
        {get<std::uint64_t>(from.data() + at), get<std::uint64_t>(from.data() + at + 8)});
  }
  return ranges;
}

void Seen::add(std::uint64_t number) {
  if (!ranges_.empty() && ranges_.back().last + 1 == number) {
    ranges_.back().last = number;
  } else if (ranges_.size() < kMaxRanges) {
    ranges_.push_back({number, number});
  }
}

}  // namespace keepline::cli::probe
