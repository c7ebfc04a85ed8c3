#include "vrrp/advert.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "dataplane/net/checksum.h"
#include "tests/unit/vrrp/support.h"

namespace keepline::vrrp {
namespace {

using testing::ip;
using Packet = std::vector<std::uint8_t>;

Packet hex(std::string_view text) {
  Packet bytes;
  std::string digits;
  for (char c : text) {
    if (c != ' ') digits += c;
  }
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

Packet encode(const InstanceConfig& config, std::uint8_t priority) {
  Packet packet(kMaxAdvertBytes);
  const auto length = encode_advert(config, priority, config.group, packet);
  EXPECT_TRUE(length.has_value());
  packet.resize(length.value_or(0));
  return packet;
}

// Captured from keepalived 2.2.7 on a veth; only the IP id (the kernel counts, we send 0) and with
// it the IP checksum differ: id 1 and d084 / d090 there.
const Packet kGolden_v2 =
    hex("45c0 002c 0000 0000 ff70 d085 0a09 0001 e000 0012"
        "2133 9602 0101 f6d5 0a09 0064 0a09 0063 7333 6372 6574 0000");
const Packet kGolden_v3 =
    hex("45c0 0020 0000 0000 ff70 d091 0a09 0001 e000 0012"
        "3107 c801 0032 11bf 0a09 0064");
const Packet kGoldenRelease_v3 =
    hex("45c0 0020 0000 0000 ff70 d091 0a09 0001 e000 0012"
        "3107 0001 0032 d9bf 0a09 0064");
// The same with the id that was captured.
const Packet kCaptured_v2 =
    hex("45c0 002c 0001 0000 ff70 d084 0a09 0001 e000 0012"
        "2133 9602 0101 f6d5 0a09 0064 0a09 0063 7333 6372 6574 0000");

InstanceConfig config_v2() {
  InstanceConfig config = testing::config_of(150);
  config.source = ip("10.9.0.1");
  config.auth_type = AuthType::kPassword;
  config.auth_data = {'s', '3', 'c', 'r', 'e', 't', 0, 0};
  return config;
}

InstanceConfig config_v3() {
  InstanceConfig config = testing::config_of(200, Version::k3, 500'000);
  config.vrid = 7;
  config.source = ip("10.9.0.1");
  config.vips = {ip("10.9.0.100")};
  return config;
}

void fix_ip_checksum(Packet& packet) {
  packet[10] = packet[11] = 0;
  const net::be16 sum = net::checksum(net::Bytes(packet).first(20));
  std::memcpy(&packet[10], &sum, 2);
}

Reject why(const Packet& packet) {
  const auto parsed = parse_advert(packet);
  EXPECT_FALSE(parsed.has_value());
  return parsed ? Reject::kVrid : parsed.error().reason;
}

TEST(AdvertEncode, GoldenBytesOfVersion2) {
  EXPECT_EQ(encode(config_v2(), 150), kGolden_v2);
}
TEST(AdvertEncode, GoldenBytesOfVersion3) {
  EXPECT_EQ(encode(config_v3(), 200), kGolden_v3);
  EXPECT_EQ(encode(config_v3(), 0), kGoldenRelease_v3);
}

TEST(AdvertEncode, ChecksumAsV2LeavesThePseudoHeaderOut) {
  InstanceConfig config = config_v3();
  config.v3_checksum_as_v2 = true;
  const Packet packet = encode(config, 200);
  EXPECT_EQ(net::checksum(net::Bytes(packet).subspan(20)).value(), 0);
}

TEST(AdvertEncode, NoAuthenticationStillCarriesEightZeros) {
  InstanceConfig config = config_v2();
  config.auth_type = AuthType::kNone;
  const Packet packet = encode(config, 150);
  ASSERT_EQ(packet.size(), kGolden_v2.size());
  EXPECT_EQ(packet[24], 0);
  EXPECT_EQ(Packet(packet.end() - 8, packet.end()), Packet(8, 0));
}

TEST(AdvertEncode, RefusesWhatDoesNotFit) {
  InstanceConfig config = config_v2();
  Packet small(kGolden_v2.size() - 1);
  EXPECT_FALSE(encode_advert(config, 1, config.group, small).has_value());
  config.vips.assign(255, ip("10.0.0.1"));
  EXPECT_EQ(encode(config, 1).size(), 20 + 8 + 4 * 255 + 8);
  config.vips.assign(256, ip("10.0.0.1"));
  Packet big(kMaxAdvertBytes + 64);
  EXPECT_FALSE(encode_advert(config, 1, config.group, big).has_value());
}

TEST(AdvertParse, ReadsWhatKeepalivedSends) {
  const auto parsed = parse_advert(kCaptured_v2);
  ASSERT_TRUE(parsed.has_value());
  Advert expected = testing::advert_from(config_v2(), "10.9.0.1", 150);
  EXPECT_EQ(*parsed, expected);
  const auto v3 = parse_advert(kGolden_v3);
  ASSERT_TRUE(v3.has_value());
  EXPECT_EQ(*v3, testing::advert_from(config_v3(), "10.9.0.1", 200));
  EXPECT_EQ(v3->interval_us, 500'000);
}

TEST(AdvertParse, IgnoresEthernetPadding) {
  Packet padded = kGolden_v3;
  padded.resize(46, 0xee);
  EXPECT_EQ(parse_advert(padded), parse_advert(kGolden_v3));
}

TEST(AdvertParse, RejectsEveryTruncation) {
  for (const Packet& whole : {kGolden_v2, kGolden_v3}) {
    for (std::size_t length = 0; length < whole.size(); ++length) {
      EXPECT_EQ(why(Packet(whole.begin(), whole.begin() + static_cast<long>(length))),
                Reject::kIpHeader);
    }
  }
}

TEST(AdvertParse, RejectsEverySingleBitFlip) {
  for (const Packet& whole : {kGolden_v2, kGolden_v3}) {
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
      Packet broken = whole;
      broken[bit / 8] = static_cast<std::uint8_t>(broken[bit / 8] ^ 1 << bit % 8);
      EXPECT_FALSE(parse_advert(broken).has_value()) << bit;
    }
  }
}

TEST(AdvertParse, RejectsInIpHeader) {
  Packet packet = kGolden_v3;
  packet[9] = 50;  // ESP
  fix_ip_checksum(packet);
  EXPECT_EQ(why(packet), Reject::kIpHeader);
  packet = kGolden_v3;
  packet[6] = 0x20;  // more fragments
  fix_ip_checksum(packet);
  EXPECT_EQ(why(packet), Reject::kIpHeader);
  packet = kGolden_v3;
  packet[3] = 0x40;  // longer than what is there
  fix_ip_checksum(packet);
  EXPECT_EQ(why(packet), Reject::kIpHeader);
  packet = kGolden_v3;
  packet[0] = 0x44;
  fix_ip_checksum(packet);
  EXPECT_EQ(why(packet), Reject::kIpHeader);
}

// Changes one byte of the VRRP message and makes the checksum right again.
Packet with(const Packet& packet, std::size_t at, std::uint8_t value) {
  Packet changed = packet;
  net::ChecksumDelta delta;
  net::be16 before;
  net::be16 after;
  std::memcpy(&before, &changed[at & ~std::size_t{1}], 2);
  changed[at] = value;
  std::memcpy(&after, &changed[at & ~std::size_t{1}], 2);
  delta.replace(before, after);
  net::be16 field;
  std::memcpy(&field, &changed[26], 2);
  delta.apply(field);
  std::memcpy(&changed[26], &field, 2);
  return changed;
}

TEST(AdvertParse, RejectsWithCorrectChecksum) {
  EXPECT_EQ(why(with(kGolden_v2, 20, 0x41)), Reject::kVersion);
  EXPECT_EQ(why(with(kGolden_v2, 20, 0x22)), Reject::kType);
  EXPECT_EQ(why(with(kGolden_v2, 23, 3)), Reject::kPacketLength);
  EXPECT_EQ(why(with(kGolden_v2, 23, 1)), Reject::kPacketLength);
  EXPECT_EQ(why(with(kGolden_v2, 20, 0x31)), Reject::kPacketLength);  // v3 has no auth data
  EXPECT_EQ(why(with(kGolden_v3, 25, 0)), Reject::kAdvertInterval);
  EXPECT_TRUE(parse_advert(with(kGolden_v2, 25, 0)).has_value());
  EXPECT_TRUE(parse_advert(with(kGolden_v3, 24, 0xf0)).has_value()) << "reserved bits";
  EXPECT_EQ(parse_advert(with(kGolden_v3, 24, 0xf0))->interval_us, 500'000);
}

TEST(AdvertParse, SaysWhoseItWas) {
  Packet packet = kGolden_v3;
  packet[26] = static_cast<std::uint8_t>(packet[26] ^ 1);
  const auto parsed = parse_advert(packet);
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error(), (Rejection{Reject::kChecksum, std::uint8_t{7}, ip("10.9.0.1")}));
}

TEST(AdvertParse, AnyBytesDoNoHarm) {
  std::mt19937 random(3);
  for (int round = 0; round < 20'000; ++round) {
    Packet packet = round % 2 == 0 ? kGolden_v2 : kGolden_v3;
    for (int i = 0; i < 3; ++i) {
      packet[random() % packet.size()] = static_cast<std::uint8_t>(random());
    }
    packet.resize(random() % (packet.size() + 8));
    if (packet.size() >= 20) fix_ip_checksum(packet);
    (void)parse_advert(packet);
  }
}

TEST(AdvertCheck, EachRule) {
  const InstanceConfig config = [] {
    InstanceConfig c = config_v2();
    c.source = ip("10.9.0.5");
    return c;
  }();
  const Advert good = *parse_advert(kGolden_v2);
  EXPECT_EQ(check_advert(good, config), std::nullopt);
  const auto changed = [&](auto change) {
    Advert advert = good;
    change(advert);
    return check_advert(advert, config);
  };
  EXPECT_EQ(changed([](Advert& a) { a.vrid = 52; }), Reject::kVrid);
  EXPECT_EQ(changed([](Advert& a) { a.version = Version::k3; }), Reject::kVersion);
  EXPECT_EQ(changed([](Advert& a) { a.source = ip("10.9.0.5"); }), Reject::kOwnAdvert);
  EXPECT_EQ(changed([](Advert& a) { a.auth_type = 3; }), Reject::kAuthTypeInvalid);
  EXPECT_EQ(changed([](Advert& a) { a.auth_type = 2; }), Reject::kAuthTypeMismatch);
  EXPECT_EQ(changed([](Advert& a) { a.auth_type = 0; }), Reject::kAuthTypeMismatch);
  EXPECT_EQ(changed([](Advert& a) { a.auth_data[7] = 'x'; }), Reject::kAuthFailure);
  EXPECT_EQ(changed([](Advert& a) { a.interval_us = 2'000'000; }), Reject::kAdvertInterval);
  EXPECT_EQ(changed([](Advert& a) { a.auth_data[0] = 0, a.interval_us = 0; }), Reject::kAuthFailure)
      << "authentication is looked at before the interval";
}

TEST(AdvertCheck, Version3TakesAnyIntervalButOnlyItsOwnChecksum) {
  InstanceConfig config = config_v3();
  config.source = ip("10.9.0.5");
  Advert advert = *parse_advert(kGolden_v3);
  advert.interval_us = 10'000;
  EXPECT_EQ(check_advert(advert, config), std::nullopt);
  config.v3_checksum_as_v2 = true;
  EXPECT_EQ(check_advert(advert, config), Reject::kChecksum);
  InstanceConfig sender = config_v3();
  sender.v3_checksum_as_v2 = true;
  advert = *parse_advert(encode(sender, 200));
  EXPECT_EQ(check_advert(advert, config), std::nullopt);
  config.v3_checksum_as_v2 = false;
  EXPECT_EQ(check_advert(advert, config), Reject::kChecksum);
}

// What reaches a node with this configuration as `config` sends it.
std::optional<Reject> sent(const InstanceConfig& config, const char* destination,
                           const InstanceConfig& receiver) {
  Packet packet(kMaxAdvertBytes);
  const auto length = encode_advert(config, 200, ip(destination), packet);
  EXPECT_TRUE(length.has_value());
  packet.resize(length.value_or(0));
  const auto advert = parse_advert(packet);
  EXPECT_TRUE(advert.has_value());
  return advert ? check_advert(*advert, receiver) : Reject::kIpHeader;
}

TEST(AdvertCheck, OnlyOurGroup) {
  InstanceConfig receiver = config_v3();
  receiver.source = ip("10.9.0.5");
  EXPECT_EQ(sent(config_v3(), "224.0.0.18", receiver), std::nullopt);
  EXPECT_EQ(sent(config_v3(), "224.0.0.20", receiver), Reject::kDestination);
  EXPECT_EQ(sent(config_v3(), "10.9.0.5", receiver), Reject::kDestination) << "not by unicast";
  receiver.group = ip("224.0.0.20");
  EXPECT_EQ(sent(config_v3(), "224.0.0.20", receiver), std::nullopt);
}

TEST(AdvertCheck, MulticastComesFromTheLink) {
  InstanceConfig receiver = config_v3();
  receiver.source = ip("10.9.0.5");
  Advert advert = *parse_advert(kGolden_v3);
  advert.ttl = 254;
  EXPECT_EQ(check_advert(advert, receiver), Reject::kIpTtl);
}

TEST(AdvertCheck, UnicastComesFromPeers) {
  InstanceConfig sender = config_v3();
  sender.peers = {{ip("10.9.0.5")}};
  sender.unicast_ttl = 64;
  InstanceConfig receiver = config_v3();
  receiver.source = ip("10.9.0.5");
  receiver.peers = {{ip("10.9.0.77")}};
  EXPECT_EQ(sent(sender, "10.9.0.5", receiver), std::nullopt) << "any sender will do";
  EXPECT_EQ(sent(sender, "224.0.0.18", receiver), Reject::kDestination);
  receiver.check_unicast_src = true;
  EXPECT_EQ(sent(sender, "10.9.0.5", receiver), Reject::kPeer);
  receiver.peers.push_back({ip("10.9.0.1")});
  EXPECT_EQ(sent(sender, "10.9.0.5", receiver), std::nullopt);
  receiver.check_unicast_src = false;
  receiver.peers = {{ip("10.9.0.1"), 65, 255}};
  EXPECT_EQ(sent(sender, "10.9.0.5", receiver), Reject::kIpTtl);
  receiver.peers = {{ip("10.9.0.1"), 0, 63}};
  EXPECT_EQ(sent(sender, "10.9.0.5", receiver), Reject::kIpTtl);
  receiver.peers = {{ip("10.9.0.1"), 64, 64}};
  EXPECT_EQ(sent(sender, "10.9.0.5", receiver), std::nullopt);
  receiver.peers = {{ip("10.9.0.77"), 1, 255}};
  EXPECT_EQ(sent(sender, "10.9.0.5", receiver), Reject::kPeer) << "a limit names the peers";
}

InstanceConfig config_v6() {
  InstanceConfig config = config_v3();
  config.source = ip("fe80::1");
  config.group = kMulticastGroup6;
  config.vips = {ip("fe80::100"), ip("2001:db8::100")};
  return config;
}

// RFC 9568 §5.2: the pseudo header of RFC 8200 §8.1 is in the checksum.
TEST(Advert6, GoldenBytes) {
  EXPECT_EQ(encode(config_v6(), 200),
            hex("6c00 0000 0028 70ff fe80 0000 0000 0000 0000 0000 0000 0001"
                "ff02 0000 0000 0000 0000 0000 0000 0012"
                "3107 c802 0032 da5a fe80 0000 0000 0000 0000 0000 0000 0100"
                "2001 0db8 0000 0000 0000 0000 0000 0100"));
}

TEST(Advert6, RoundTrip) {
  const auto parsed = parse_advert(encode(config_v6(), 200));
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->vips, config_v6().vips);
  EXPECT_EQ(parsed->source, ip("fe80::1"));
  EXPECT_FALSE(parsed->checksum_plain);
  InstanceConfig receiver = config_v6();
  receiver.source = ip("fe80::2");
  EXPECT_EQ(check_advert(*parsed, receiver), std::nullopt);
  receiver.v3_checksum_as_v2 = true;
  EXPECT_EQ(check_advert(*parsed, receiver), std::nullopt) << "of IPv4 only";
}

TEST(Advert6, RejectsTruncationsAndFlips) {
  const Packet whole = encode(config_v6(), 200);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(why(Packet(whole.begin(), whole.begin() + static_cast<long>(length))),
              Reject::kIpHeader);
  }
  // Flow label, traffic class and hop limit are covered by no checksum.
  for (std::size_t bit = 8 * 8; bit < whole.size() * 8; ++bit) {
    Packet broken = whole;
    broken[bit / 8] = static_cast<std::uint8_t>(broken[bit / 8] ^ 1 << bit % 8);
    EXPECT_FALSE(parse_advert(broken).has_value()) << bit;
  }
}

TEST(Advert6, HasNoVersion2AndABound) {
  Packet packet = encode(config_v6(), 200);
  packet[40] = 0x21;
  EXPECT_EQ(why(packet), Reject::kVersion);
  InstanceConfig config = config_v6();
  config.vips.assign(kMaxVips6, ip("2001:db8::1"));
  EXPECT_EQ(encode(config, 1).size(), 1488u);
}

TEST(AdvertCheck, AddressListsAreSets) {
  const InstanceConfig config = config_v2();
  Advert advert = *parse_advert(kGolden_v2);
  EXPECT_EQ(compare_vips(advert, config), VipComparison::kSame);
  std::swap(advert.vips[0], advert.vips[1]);
  EXPECT_EQ(compare_vips(advert, config), VipComparison::kSame);
  advert.vips[0] = advert.vips[1];
  EXPECT_EQ(compare_vips(advert, config), VipComparison::kDifferent);
  advert.vips.pop_back();
  EXPECT_EQ(compare_vips(advert, config), VipComparison::kDifferent);
}

}  // namespace
}  // namespace keepline::vrrp
