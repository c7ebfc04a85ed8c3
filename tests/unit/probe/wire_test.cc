// The probe's datagrams and tallies: what is written is read, what is not ours is refused.
#include "control/cli/probe/wire.h"

#include <gtest/gtest.h>

namespace keepline::cli::probe {
namespace {

TEST(Wire, ReadsWhatItWrote) {
  Bytes bytes;
  write({Kind::kAnswer, 0x0123456789abcdef, 42, 1'700'000'000'123'456'789, "node1"}, bytes);
  const auto read_back = read(bytes);
  ASSERT_TRUE(read_back);
  EXPECT_EQ(read_back->kind, Kind::kAnswer);
  EXPECT_EQ(read_back->run, 0x0123456789abcdefu);
  EXPECT_EQ(read_back->number, 42u);
  EXPECT_EQ(read_back->received_at, 1'700'000'000'123'456'789u);
  EXPECT_EQ(read_back->name, "node1");
}

TEST(Wire, CutsLongNames) {
  Bytes bytes;
  write({Kind::kAnswer, 1, 1, 1, std::string(100, 'x')}, bytes);
  EXPECT_EQ(read(bytes)->name, std::string(kMaxNameBytes, 'x'));
}

TEST(Wire, RefusesWhatIsNotOurs) {
  Bytes good;
  write({}, good);
  ASSERT_TRUE(read(good));
  EXPECT_FALSE(read(std::span(good).first(kDatagramBytes - 1)));
  EXPECT_FALSE(read({}));
  for (const auto& [at, value] : {std::pair(0, 0xff), {4, 0}, {4, 5}, {5, 33}}) {
    Bytes bad = good;
    bad[static_cast<std::size_t>(at)] = static_cast<std::byte>(value);
    EXPECT_FALSE(read(bad)) << at << " = " << value;
  }
}

TEST(Wire, TallyComesInParts) {
  std::vector<Range> ranges;
  for (std::uint64_t i = 0; i < kRangesPerTally + 3; ++i) ranges.push_back({10 * i, 10 * i + 5});
  std::vector<Range> got;
  for (const std::size_t part : {kRangesPerTally, std::size_t{3}, std::size_t{0}}) {
    const auto bytes = write_tally({Kind::kTally, 7, got.size(), 0, "web1"}, ranges);
    EXPECT_LE(bytes.size(), kMaxTallyBytes);
    const auto head = read(bytes);
    ASSERT_TRUE(head);
    EXPECT_EQ(head->received_at, ranges.size());
    const auto more = read_ranges(bytes);
    EXPECT_EQ(more.size(), part);
    got.insert(got.end(), more.begin(), more.end());
  }
  EXPECT_EQ(got, ranges);
}

TEST(Seen, JoinsWhatComesInARow) {
  Seen seen;
  for (const std::uint64_t number : {0, 1, 2, 5, 6, 4, 6}) seen.add(number);
  const std::vector<Range> expected{{0, 2}, {5, 6}, {4, 4}, {6, 6}};
  EXPECT_EQ(std::vector(seen.ranges().begin(), seen.ranges().end()), expected);
}

TEST(Seen, IsBounded) {
  Seen seen;
  for (std::uint64_t i = 0; i < Seen::kMaxRanges + 10; ++i) seen.add(2 * i);
  EXPECT_EQ(seen.ranges().size(), Seen::kMaxRanges);
}

}  // namespace
}  // namespace keepline::cli::probe
