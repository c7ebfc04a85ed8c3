// The codec: every field there and back, and what RFC 5880 §6.8.6 wants discarded.
#include "dataplane/bfd/packet.h"

#include <gtest/gtest.h>

namespace keepline::bfd {
namespace {

ControlPacket sample() {
  ControlPacket packet;
  packet.diagnostic = Diagnostic::kPathDown;
  packet.state = State::kInit;
  packet.poll = true;
  packet.demand = true;
  packet.multiplier = 3;
  packet.my_discriminator = 0x01020304;
  packet.your_discriminator = 0x05060708;
  packet.desired_min_tx_us = 50'000;
  packet.required_min_rx_us = 10'000;
  packet.required_min_echo_rx_us = 7;
  return packet;
}

TEST(BfdPacket, ThereAndBack) {
  const auto bytes = encode_packet(sample());
  EXPECT_EQ(bytes[0], 0x25);
  EXPECT_EQ(bytes[1], 0xa2);
  EXPECT_EQ(bytes[2], 3);
  EXPECT_EQ(bytes[3], 24);
  const auto again = parse_packet(bytes);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, sample());
}

TEST(BfdPacket, FinalAndAllDiagnostics) {
  for (unsigned diagnostic = 0; diagnostic < 32; ++diagnostic) {
    ControlPacket packet = sample();
    packet.poll = false;
    packet.final = true;
    packet.diagnostic = static_cast<Diagnostic>(diagnostic);
    const auto again = parse_packet(encode_packet(packet));
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, packet);
  }
}

Discard reason_of(std::size_t at, std::uint8_t value) {
  auto bytes = encode_packet(sample());
  bytes[at] = value;
  const auto parsed = parse_packet(bytes);
  EXPECT_FALSE(parsed);
  return parsed ? Discard::kUdp : parsed.error();
}

TEST(BfdPacket, WhatIsDiscarded) {
  EXPECT_EQ(reason_of(0, 0x05), Discard::kVersion);
  EXPECT_EQ(reason_of(0, 0x45), Discard::kVersion);
  EXPECT_EQ(reason_of(3, 23), Discard::kLength);
  EXPECT_EQ(reason_of(3, 25), Discard::kLength);
  EXPECT_EQ(reason_of(2, 0), Discard::kMultiplier);
  EXPECT_EQ(reason_of(1, 0xa3), Discard::kMultipoint);
  EXPECT_EQ(reason_of(1, 0xa6), Discard::kLength) << "with authentication it is longer";
  auto bytes = encode_packet(sample());
  for (int i = 4; i < 8; ++i) bytes[static_cast<std::size_t>(i)] = 0;
  EXPECT_EQ(parse_packet(bytes).error(), Discard::kDiscriminator);
}

TEST(BfdPacket, EveryCutIsTooShort) {
  const auto bytes = encode_packet(sample());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_EQ(parse_packet(net::Bytes(bytes).first(length)).error(), Discard::kLength);
  }
}

TEST(BfdPacket, WhatFollowsIsLookedOver) {
  std::array<std::uint8_t, 40> longer{};
  const auto bytes = encode_packet(sample());
  std::copy(bytes.begin(), bytes.end(), longer.begin());
  EXPECT_TRUE(parse_packet(longer));
  longer[1] |= 0x04;
  longer[3] = 26;
  ASSERT_TRUE(parse_packet(longer));
  EXPECT_TRUE(parse_packet(longer)->has_authentication);
}

}  // namespace
}  // namespace keepline::bfd
