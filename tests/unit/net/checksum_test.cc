#include "dataplane/net/checksum.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace keepline::net {
namespace {

// The definition of RFC 1071, one big-endian pair at a time.
std::uint16_t reference(const std::vector<std::uint8_t>& data) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < data.size(); i += 2) {
    sum += static_cast<std::uint32_t>(data[i] << 8) + (i + 1 < data.size() ? data[i + 1] : 0);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<std::uint16_t>(~sum);
}

TEST(Checksum, MatchesTheDefinitionForAnyLength) {
  std::mt19937 random(1);
  for (std::size_t length = 0; length < 200; ++length) {
    std::vector<std::uint8_t> data(length);
    for (auto& byte : data) byte = static_cast<std::uint8_t>(random());
    EXPECT_EQ(checksum(data).value(), reference(data)) << length;
  }
}

TEST(Checksum, IncrementalUpdateEqualsRecomputation) {
  std::mt19937 random(2);
  for (int round = 0; round < 10000; ++round) {
    std::vector<std::uint8_t> data(32);
    for (auto& byte : data) byte = static_cast<std::uint8_t>(random() % 3 == 0 ? 0xff : random());
    be16 field = checksum(data);
    be32 from;
    std::memcpy(&from, &data[8], 4);
    const be32 to(static_cast<std::uint32_t>(random()));
    std::memcpy(&data[8], &to, 4);
    be16 port_from;
    std::memcpy(&port_from, &data[20], 2);
    const be16 port_to(static_cast<std::uint16_t>(random()));
    std::memcpy(&data[20], &port_to, 2);

    ChecksumDelta delta;
    delta.replace(from, to);
    delta.replace(port_from, port_to);
    delta.apply(field);
    // 0x0000 and 0xffff are the same number in one's complement; only a receiver's sum counts.
    const std::uint64_t total = checksum_add(field.raw(), data);
    EXPECT_EQ(checksum_finish(total).value(), 0);
  }
}

}  // namespace
}  // namespace keepline::net
