// Adverts with a trailer of auth_hmac: its bytes, and what an instance makes of them.
#include "vrrp/hmac_trailer.h"

#include <gtest/gtest.h>

#include "tests/unit/vrrp/support.h"

namespace keepline::vrrp {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)
using Packet = std::vector<std::uint8_t>;

constexpr std::uint64_t kNumber = 0x6800000080000000;  // of the draft's examples
constexpr std::int64_t kWall_us = 0x68000000 * kSecond_us + kSecond_us / 2;  // the same

HmacKey counted_key(std::uint8_t id) {
  HmacKey key{id, {}};
  for (std::uint8_t i = 0; i < 32; ++i) key.bytes.push_back(i);
  return key;
}

InstanceConfig signing(const char* source, const char* vip, const char* group) {
  InstanceConfig config = config_of(200, Version::k3);
  config.source = ip(source);
  config.vips = {ip(vip)};
  config.group = ip(group);
  config.hmac.keys = {counted_key(1)};
  config.hmac.active_key = 1;
  return config;
}

InstanceConfig signing4(const char* source = "198.51.100.10") {
  return signing(source, "192.0.2.100", "224.0.0.18");
}

Packet encode(const InstanceConfig& config, std::uint64_t number = kNumber,
              std::uint8_t priority = 200) {
  Packet packet(kMaxAdvertBytes);
  const auto length = encode_advert(config, priority, config.group, packet, number);
  packet.resize(length.value_or(0));
  return packet;
}

std::optional<Reject> judge(const Packet& packet, const InstanceConfig& by) {
  const auto advert = parse_advert(packet);
  return advert ? check_advert(*advert, by) : advert.error().reason;
}

std::string message_of(const Packet& packet, std::size_t ip_header) {
  std::string text;
  for (std::size_t i = ip_header; i < packet.size(); ++i) {
    constexpr const char* kDigits = "0123456789abcdef";
    text += kDigits[packet[i] >> 4];
    text += kDigits[packet[i] & 15];
  }
  return text;
}

// --- Golden bytes ----------------------------------------------------------------------------

// Appendix of draft-cassen-vrrp-auth-hmac: key 00 01 .. 1f, checksum of the message alone.
TEST(HmacTrailer, TheDraftsIpv4Advert) {
  InstanceConfig config = signing4();
  config.v3_checksum_as_v2 = true;
  EXPECT_EQ(message_of(encode(config), 20),
            "3133c80100644402c0000264"
            "010100006800000080000000"
            "1b84bc4e8e43892dc6d98448f8ee2265");
}

// The checksum is that of a kernel: with the pseudo header and over the trailer.
TEST(HmacTrailer, TheDraftsIpv6Advert) {
  EXPECT_EQ(message_of(encode(signing("fe80::10", "fe80::100", "fe80::20")), 40),
            "3133c8010064a2e9fe800000000000000000000000000100"
            "010100006800000080000000"
            "c8c56146ebfd66ee10ec4d8186461b78");
}

// Computed with Python's hmac. The eight bytes of authentication data are there, and zero.
TEST(HmacTrailer, Version2) {
  InstanceConfig config = config_of(100);
  const std::string text = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  config.hmac.keys = {counted_key(1), {7, {text.begin(), text.end()}}};
  config.hmac.active_key = 7;
  EXPECT_EQ(message_of(encode(config, 1790000000ull << 32 | 0xc000'0003, 100), 0),
            "45c0004800000000ff70d0650a090005e0000012"
            "21336402000165f00a0900640a0900630000000000000000"
            "010700006ab13b80c0000003"
            "89a0ef47206ddd19c53a1e480b471d0f");
}

TEST(HmacTrailer, IsReadAsItIsWritten) {
  for (const InstanceConfig& config : {signing4(), signing("fe80::10", "fe80::100", "ff02::12")}) {
    const auto advert = parse_advert(encode(config));
    ASSERT_TRUE(advert && advert->trailer);
    EXPECT_EQ(advert->trailer->number, kNumber);
    EXPECT_EQ(advert->trailer->key_id, 1);
    EXPECT_EQ(advert->vips, config.vips);
    InstanceConfig receiver = config;
    receiver.source = {};
    EXPECT_EQ(check_advert(*advert, receiver), std::nullopt);
  }
}

TEST(HmacTrailer, TheLargestAdvertsFit) {
  InstanceConfig four = signing4();
  while (four.vips.size() < kMaxVips) {
    four.vips.push_back(net::Ip4(static_cast<std::uint32_t>(four.vips.size())));
  }
  EXPECT_EQ(encode(four).size(), 20 + 8 + 255 * 4 + 28u);
  InstanceConfig six = signing("fe80::10", "fe80::100", "ff02::12");
  six.vips.assign(kMaxSignedVips6, ip("fe80::100"));
  EXPECT_EQ(encode(six).size(), 1500u) << "an Ethernet frame's";
  six.vips.assign(kMaxSignedVips6 + 1, ip("fe80::100"));
  EXPECT_TRUE(encode(six).empty());
}

// --- Receive checks --------------------------------------------------------------------------

TEST(HmacTrailer, EveryChangedByteIsSeen) {
  const Packet sound = encode(signing4());
  for (std::size_t at = 0; at < sound.size(); ++at) {
    Packet changed = sound;
    changed[at] ^= 1;
    EXPECT_NE(judge(changed, signing4("198.51.100.11")), std::nullopt) << at;
  }
  for (std::size_t length = 0; length < sound.size(); ++length) {
    EXPECT_FALSE(parse_advert(net::Bytes(sound).first(length)).has_value()) << length;
  }
}

TEST(HmacTrailer, ReasonsOfTheTrailer) {
  const InstanceConfig receiver = signing4("198.51.100.11");
  constexpr std::size_t kTrailer = 20 + 8 + 4;  // not under the checksum of IPv4
  const auto changed = [&](std::size_t at) {
    Packet packet = encode(signing4());
    packet[kTrailer + at] ^= 2;
    return judge(packet, receiver);
  };
  EXPECT_EQ(changed(0), Reject::kTrailerMalformed) << "type";
  EXPECT_EQ(changed(1), Reject::kTrailerKey) << "key id";
  EXPECT_EQ(changed(2), Reject::kTrailerMalformed) << "reserved";
  EXPECT_EQ(changed(4), Reject::kTrailerDigest) << "seconds";
  EXPECT_EQ(changed(9), Reject::kTrailerDigest) << "fraction";
  EXPECT_EQ(changed(11), Reject::kTrailerDigest) << "counter";
  EXPECT_EQ(changed(12), Reject::kTrailerDigest);
  EXPECT_EQ(changed(27), Reject::kTrailerDigest);
}

TEST(HmacTrailer, AnotherKeyOrSourceIsNot) {
  InstanceConfig other = signing4("198.51.100.11");
  other.hmac.keys[0].bytes[31] ^= 1;
  EXPECT_EQ(judge(encode(signing4()), other), Reject::kTrailerDigest);
  // The source is covered: a recorded advert does not become another node's.
  auto advert = parse_advert(encode(signing4()));
  ASSERT_TRUE(advert.has_value());
  advert->trailer =
      read_hmac_trailer(net::Bytes(encode(signing4())).subspan(20), ip("198.51.100.9"));
  EXPECT_EQ(check_advert(*advert, signing4("198.51.100.11")), Reject::kTrailerDigest);
}

TEST(HmacTrailer, EveryKeyIsTakenOneIsUsed) {
  InstanceConfig sender = signing4();
  InstanceConfig receiver = signing4("198.51.100.11");
  sender.hmac.keys.push_back({2, Packet(40, 'k')});
  receiver.hmac.keys.push_back({2, Packet(40, 'k')});
  EXPECT_EQ(judge(encode(sender), receiver), std::nullopt);
  sender.hmac.active_key = 2;
  EXPECT_EQ(judge(encode(sender), receiver), std::nullopt);
  EXPECT_EQ(judge(encode(sender), signing4("198.51.100.11")), Reject::kTrailerKey);
  sender.hmac.active_key = 3;
  EXPECT_TRUE(encode(sender).empty()) << "no key to sign with";
}

TEST(HmacTrailer, MissingByMode) {
  InstanceConfig without = signing4();
  without.hmac = {};
  InstanceConfig receiver = signing4("198.51.100.11");
  EXPECT_EQ(judge(encode(without), receiver), Reject::kTrailerMissing);
  for (const HmacMode mode : {HmacMode::kPermissive, HmacMode::kReceiveOnly}) {
    receiver.hmac.mode = mode;
    EXPECT_EQ(judge(encode(without), receiver), std::nullopt);
    Packet forged = encode(signing4());
    forged.back() ^= 1;
    EXPECT_EQ(judge(forged, receiver), Reject::kTrailerDigest) << "one that is there must be right";
  }
}

TEST(HmacTrailer, UnknownToOneWithoutAuthHmac) {
  InstanceConfig without = signing4("198.51.100.11");
  without.hmac = {};
  EXPECT_EQ(judge(encode(signing4()), without), Reject::kPacketLength);
}

TEST(HmacTrailer, ReceiveOnlySendsNone) {
  InstanceConfig config = signing4();
  config.hmac.mode = HmacMode::kReceiveOnly;
  const auto advert = parse_advert(encode(config));
  ASSERT_TRUE(advert.has_value());
  EXPECT_FALSE(advert->trailer.has_value());
  config.hmac.mode = HmacMode::kPermissive;
  EXPECT_TRUE(parse_advert(encode(config))->trailer.has_value());
}

TEST(HmacTrailer, UnicastAndVersion2) {
  InstanceConfig sender = signing4();
  sender.version = Version::k2;
  sender.peers = {Peer{ip("198.51.100.11")}};
  InstanceConfig receiver = sender;
  receiver.source = ip("198.51.100.11");
  receiver.peers = {Peer{ip("198.51.100.10")}};
  Packet packet(kMaxAdvertBytes);
  packet.resize(*encode_advert(sender, 200, sender.peers[0].address, packet, kNumber));
  EXPECT_EQ(judge(packet, receiver), std::nullopt);
}

// --- An instance -----------------------------------------------------------------------------

struct Listener {
  explicit Listener(const InstanceConfig& config) : instance(config) { instance.start(kStart_us); }
  AdvertResult hear(const Packet& packet, std::int64_t wall_us = kWall_us) {
    return instance.handle_advert(*parse_advert(packet), kStart_us + ++heard, wall_us);
  }
  Instance instance;
  std::int64_t heard = 0;
};

TEST(HmacInstance, AReplayCountsAndChangesNothing) {
  Listener listener(signing4("198.51.100.11"));
  EXPECT_EQ(listener.hear(encode(signing4(), kNumber)), AdvertResult::kUsed);
  const std::int64_t deadline_us = listener.instance.deadline_us();
  EXPECT_EQ(listener.hear(encode(signing4(), kNumber)), AdvertResult::kRejected);
  EXPECT_EQ(listener.hear(encode(signing4(), kNumber - 1, 0)), AdvertResult::kRejected);
  EXPECT_EQ(listener.instance.deadline_us(), deadline_us);
  EXPECT_EQ(listener.instance.statistics().auth_ext_replay, 2u);
  EXPECT_EQ(listener.hear(encode(signing4(), kNumber + 1)), AdvertResult::kUsed);
  // Another sender has numbers of its own.
  EXPECT_EQ(listener.hear(encode(signing4("198.51.100.9"), kNumber)), AdvertResult::kUsed);
  EXPECT_EQ(listener.instance.statistics().advert_rcvd, 3u);
}

TEST(HmacInstance, AForgeryDoesNotSpendTheNumber) {
  Listener listener(signing4("198.51.100.11"));
  Packet forged = encode(signing4(), kNumber + 5);
  forged.back() ^= 1;
  EXPECT_EQ(listener.hear(forged), AdvertResult::kRejected);
  EXPECT_EQ(listener.instance.statistics().auth_ext_failure, 1u);
  EXPECT_EQ(listener.hear(encode(signing4(), kNumber)), AdvertResult::kUsed);
}

TEST(HmacInstance, ForgeriesAreNoAdverts) {
  Master master(signing4("198.51.100.11"));
  InstanceConfig without = signing4();
  without.hmac = {};
  const std::int64_t deadline_us = master.instance.deadline_us();
  for (const std::uint8_t priority : {255, 0}) {
    const auto forged = parse_advert(encode(without, 0, priority));
    master.instance.handle_advert(*forged, master.now_us + 1, kWall_us);
  }
  EXPECT_EQ(master.instance.state(), State::kMaster);
  EXPECT_EQ(master.instance.deadline_us(), deadline_us);
  EXPECT_EQ(did(master.instance), "notice3") << "said once";
  EXPECT_EQ(master.instance.statistics().auth_ext_missing, 2u);
}

TEST(HmacInstance, PermissiveTakesAdvertsWithoutAndSaysSo) {
  InstanceConfig config = signing4("198.51.100.11");
  config.hmac.mode = HmacMode::kPermissive;
  Listener listener(config);
  InstanceConfig without = signing4();
  without.hmac = {};
  did(listener.instance);
  EXPECT_EQ(listener.hear(encode(without)), AdvertResult::kUsed);
  EXPECT_EQ(listener.hear(encode(without)), AdvertResult::kUsed);
  EXPECT_EQ(did(listener.instance), "notice6");
  EXPECT_EQ(listener.instance.statistics().auth_ext_missing, 2u);
}

TEST(HmacInstance, TheWindow) {
  for (const std::int64_t late_s : {-5, 5}) {
    Listener listener(signing4("198.51.100.11"));
    EXPECT_EQ(listener.hear(encode(signing4()), kWall_us + late_s * kSecond_us),
              AdvertResult::kUsed);
    const auto actions = words(drain(listener.instance));
    EXPECT_NE(actions.find("notice7"), std::string::npos) << "clocks are apart: " << actions;
  }
  for (const std::int64_t late_s : {-6, 6}) {
    Listener listener(signing4("198.51.100.11"));
    EXPECT_EQ(listener.hear(encode(signing4()), kWall_us + late_s * kSecond_us),
              AdvertResult::kRejected);
    EXPECT_EQ(listener.instance.statistics().auth_ext_stale, 1u);
  }
  InstanceConfig monotonic = signing4("198.51.100.11");
  monotonic.hmac.anti_replay = AntiReplay::kMonotonic;
  Listener listener(monotonic);
  EXPECT_EQ(listener.hear(encode(signing4()), kWall_us + 999'999 * kSecond_us),
            AdvertResult::kUsed);
}

TEST(HmacInstance, AdvertsAreNumberedByTheClock) {
  Instance instance(signing4());
  EXPECT_EQ(instance.next_sequence(kWall_us), kNumber);
  EXPECT_EQ(instance.next_sequence(kWall_us), kNumber + 1);
  EXPECT_EQ(instance.next_sequence(kWall_us + kSecond_us), kNumber + (1ull << 32));
}

}  // namespace
}  // namespace keepline::vrrp
