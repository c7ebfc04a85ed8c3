#include "dataplane/net/crc32c.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/golden/frames.h"

namespace keepline::net {
namespace {

using testing::FrameBytes;
using testing::reference_crc32c;

TEST(Crc32c, TheReferenceIsTheOneOfTheRfc) {
  const std::string check = "123456789";  // its catalogued check value
  EXPECT_EQ(reference_crc32c({reinterpret_cast<const std::uint8_t*>(check.data()), check.size()}),
            0xe3069283u);
  EXPECT_EQ(reference_crc32c(FrameBytes(32, 0)), 0x8a9136aau);  // RFC 3720 appendix B.4
}

TEST(Crc32c, AChangeEqualsComputingItAgain) {
  std::mt19937 random(7);
  for (std::size_t length : {4u, 5u, 12u, 16u, 17u, 60u, 255u, 256u, 1400u, 9000u, 65515u}) {
    FrameBytes packet(length);
    for (auto& byte : packet) byte = static_cast<std::uint8_t>(random());
    const std::uint32_t before = reference_crc32c(packet);
    const std::uint32_t change = random();
    for (unsigned i = 0; i < 4; ++i) packet[i] ^= static_cast<std::uint8_t>(change >> 8 * i);
    EXPECT_EQ(before ^ crc32c_change(change, length), reference_crc32c(packet)) << length;
  }
}

TEST(Crc32c, NoChangeIsNone) {
  EXPECT_EQ(crc32c_change(0, 1400), 0u);
}

}  // namespace
}  // namespace keepline::net
