// Adverts behind an IP authentication header.
#include "vrrp/auth_header.h"

#include <gtest/gtest.h>

#include "tests/unit/vrrp/support.h"

namespace keepline::vrrp {
namespace {

using testing::ip;
using Packet = std::vector<std::uint8_t>;

// Captured from keepalived 2.2.7 on a veth; the key is "secret".
const Packet kCaptured = {
    0x45, 0xc0, 0x00, 0x40, 0x00, 0x01, 0x00, 0x00, 0xff, 0x33, 0xd0, 0xb6, 0x0a, 0x00, 0x00, 0x01,
    0xe0, 0x00, 0x00, 0x12, 0x70, 0x04, 0x00, 0x00, 0x0a, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01,
    0x94, 0xab, 0x0b, 0x9a, 0x1c, 0xe5, 0x04, 0x9d, 0xa3, 0x7e, 0xa8, 0xa0, 0x21, 0x33, 0x64, 0x01,
    0x02, 0x01, 0x6e, 0x98, 0x0a, 0x00, 0x00, 0x32, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};

InstanceConfig config(const char* source) {
  InstanceConfig result = testing::config_of(100);
  result.source = ip(source);
  result.vips = {ip("10.0.0.50")};
  result.auth_type = AuthType::kHeader;
  result.auth_data = {'s', 'e', 'c', 'r', 'e', 't'};
  return result;
}

Packet encode(const InstanceConfig& of, std::uint32_t sequence) {
  Packet packet(kMaxAdvertBytes);
  const auto length = encode_advert(of, 100, of.group, packet, sequence);
  packet.resize(length.value_or(0));
  return packet;
}

std::optional<Reject> judge(const Packet& packet, const InstanceConfig& by) {
  const auto advert = parse_advert(packet);
  return advert ? check_advert(*advert, by) : advert.error().reason;
}

TEST(AuthHeader, WhatKeepalivedSendsIsAuthentic) {
  const auto advert = parse_advert(kCaptured);
  ASSERT_TRUE(advert.has_value());
  EXPECT_EQ(advert->header->sequence, 1u);
  EXPECT_EQ(advert->vips, config("10.0.0.2").vips);
  EXPECT_EQ(judge(kCaptured, config("10.0.0.2")), std::nullopt);
}

TEST(AuthHeader, WeSendWhatKeepalivedSendsButForTheId) {
  Packet ours = encode(config("10.0.0.1"), 1);
  ASSERT_EQ(ours.size(), kCaptured.size());
  for (const std::size_t at : {5, 11}) ours[at] = kCaptured[at];  // id, and the checksum with it
  std::copy_n(kCaptured.begin() + 32, 12, ours.begin() + 32);     // the digest covers the id
  EXPECT_EQ(ours, kCaptured);
  EXPECT_EQ(judge(encode(config("10.0.0.1"), 7), config("10.0.0.2")), std::nullopt);
}

TEST(AuthHeader, AnotherKeyOrAChangedByteIsNot) {
  InstanceConfig other = config("10.0.0.2");
  other.auth_data[0] = 'S';
  EXPECT_EQ(judge(kCaptured, other), Reject::kAuthFailure);
  for (std::size_t at = 0; at < kCaptured.size(); ++at) {
    Packet changed = kCaptured;
    changed[at] ^= 1;
    EXPECT_NE(judge(changed, config("10.0.0.2")), std::nullopt) << at;
  }
}

TEST(AuthHeader, MustBeThereJustWhenItIsExpected) {
  InstanceConfig without = config("10.0.0.2");
  without.auth_type = AuthType::kNone;
  EXPECT_EQ(judge(kCaptured, without), Reject::kAuthTypeMismatch);
  without.source = ip("10.0.0.1");
  EXPECT_EQ(judge(encode(without, 0), config("10.0.0.2")), Reject::kAuthTypeMismatch);
}

TEST(AuthHeader, TruncationsAreNoAdverts) {
  for (std::size_t length = 0; length < kCaptured.size(); ++length) {
    EXPECT_FALSE(parse_advert(net::Bytes(kCaptured).first(length)).has_value()) << length;
  }
}

TEST(AuthHeader, AReplayCountsAndChangesNothing) {
  Instance instance(config("10.0.0.2"));
  instance.start(0);
  const auto hear = [&](std::uint32_t sequence, std::int64_t now_us) {
    return instance.handle_advert(*parse_advert(encode(config("10.0.0.1"), sequence)), now_us);
  };
  EXPECT_EQ(hear(5, 1000), AdvertResult::kUsed);
  EXPECT_EQ(hear(5, 2000), AdvertResult::kRejected);
  EXPECT_EQ(hear(4, 3000), AdvertResult::kRejected);
  EXPECT_EQ(hear(6, 4000), AdvertResult::kUsed);
  EXPECT_EQ(instance.statistics().auth_failure, 2u);
  EXPECT_EQ(instance.next_sequence(), 7u) << "above all that it has heard";
}

}  // namespace
}  // namespace keepline::vrrp
