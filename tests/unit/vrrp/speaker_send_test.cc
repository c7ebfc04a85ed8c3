// A speaker whose dataplane does not take its adverts, and one that leaves among forgers.
#include "vrrp/speaker.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "tests/unit/vrrp/support.h"

namespace keepline::vrrp {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)
using Packet = std::vector<std::uint8_t>;

// Keeps what it was told.
struct RecordingHost final : Host {
  Send send_advert(std::size_t instance, const net::IpAddr&, net::Bytes packet,
                   std::int64_t) override {
    if (fails || instance == mute_member) return Send::kFailed;
    sent.emplace_back(packet.begin(), packet.end());
    return Send::kQueued;
  }
  bool may_announce(std::size_t) override { return !fails; }
  void announce(std::size_t, const net::IpAddr&) override { ++announcements; }
  void grant_lease(std::size_t, std::int64_t, Answers answers) override {
    leased = true;
    muted = answers == Answers::kNo;
  }
  void revoke_lease(std::size_t) override { leased = false; }
  void claim(std::size_t) override {}
  void share(std::size_t) override {}
  void mute(std::size_t) override { muted = true; }
  void succeeded(std::size_t) override {}
  void lead_to_successor(std::size_t) override {}
  void acquire_addresses(std::size_t) override { has_addresses = true; }
  void release_addresses(std::size_t) override { has_addresses = false; }
  std::int64_t wall_us() override { return 1'790'000'000 * kSecond_us; }
  void state_changed(std::size_t, const StateChanged& change) override { reason = change.reason; }
  void noticed(std::size_t, const Notice&) override {}

  bool fails = false;
  std::optional<std::size_t> mute_member;
  bool leased = false;
  bool muted = false;
  bool has_addresses = false;
  int announcements = 0;
  Reason reason = Reason::kNone;
  std::vector<Packet> sent;
};

struct Node {
  explicit Node(const InstanceConfig& config) { speaker.add(0, config, 0, config.vips); }
  /// Serves timers up to then.
  void run_until(std::int64_t until_us) {
    while (speaker.next_timeout() && *speaker.next_timeout() <= until_us) {
      now_us = std::max(now_us, *speaker.next_timeout());
      speaker.handle_timeout(now_us);
    }
    now_us = until_us;
  }
  const Instance& instance() const { return speaker.instance(0); }

  RecordingHost host;
  Speaker speaker{host, GarpGap()};
  std::int64_t now_us = kStart_us;
};

TEST(SpeakerSend, TheFirstLeaseNeedsTheFirstAdvert) {
  Node node(config_of(255));
  node.host.fails = true;
  node.speaker.start(kStart_us);
  EXPECT_EQ(node.instance().state(), State::kBackup);
  EXPECT_FALSE(node.host.leased);
  EXPECT_FALSE(node.host.has_addresses);
  EXPECT_EQ(node.host.announcements, 0);
  EXPECT_EQ(node.host.reason, Reason::kUnsent);
  node.host.fails = false;
  node.run_until(kStart_us + 4 * kSecond_us);
  EXPECT_EQ(node.instance().state(), State::kMaster);
  EXPECT_TRUE(node.host.leased && node.host.has_addresses);
}

TEST(SpeakerSend, AMasterThatNobodyHearsGivesUp) {
  Node node(config_of(255));
  node.speaker.start(kStart_us);
  node.run_until(kStart_us + kSecond_us / 2);
  ASSERT_TRUE(node.host.leased);
  node.host.fails = true;
  node.run_until(kStart_us + 3 * kSecond_us - 1);
  EXPECT_EQ(node.instance().state(), State::kMaster) << "the lease of the first advert";
  node.run_until(kStart_us + 3 * kSecond_us);
  EXPECT_EQ(node.instance().state(), State::kBackup);
  EXPECT_FALSE(node.host.leased);
}

TEST(SpeakerSend, AGroupWithAMuteMemberHasNoMaster) {
  RecordingHost host;
  Speaker speaker(host, GarpGap());
  InstanceConfig config = config_of(255);
  config.sync_grouped = true;
  speaker.add(0, config, 0, config.vips);
  config.vrid = 52;
  speaker.add(1, config, 1, config.vips);
  speaker.set_groups({{0, 1}}, kStart_us);
  host.mute_member = 1;
  speaker.start(kStart_us);
  speaker.handle_timeout(kStart_us);
  EXPECT_NE(speaker.instance(0).state(), State::kMaster);
  EXPECT_NE(speaker.instance(1).state(), State::kMaster);
  EXPECT_EQ(host.reason, Reason::kGroupLeft);
  EXPECT_FALSE(host.leased);
}

InstanceConfig signing(const char* source) {
  InstanceConfig config = config_of(255);
  config.source = ip(source);
  config.hmac.keys = {{1, Packet(32, 'k')}};
  config.hmac.active_key = 1;
  return config;
}

Packet encode(const InstanceConfig& config, std::uint64_t number) {
  Packet packet(kMaxAdvertBytes);
  packet.resize(encode_advert(config, 100, config.group, packet, number).value_or(0));
  return packet;
}

TEST(SpeakerSend, ALeavingMasterListensToNoForger) {
  Node node(signing("10.9.0.5"));
  node.speaker.start(kStart_us);
  const std::uint64_t number = 1'790'000'000ull << 32;
  const Packet old = encode(signing("10.9.0.9"), number);
  node.speaker.handle_packet(0, old, kStart_us + 1);
  ASSERT_EQ(node.instance().state(), State::kMaster);
  node.speaker.leave(kStart_us + 2);
  InstanceConfig forger = signing("10.9.0.9");
  forger.hmac.keys[0].bytes[0] = 'K';
  node.speaker.handle_packet(0, encode(forger, number + 1), kStart_us + 3);
  node.speaker.handle_packet(0, old, kStart_us + 4);
  EXPECT_FALSE(node.host.muted);
  node.speaker.handle_packet(0, encode(signing("10.9.0.9"), number + 1), kStart_us + 5);
  EXPECT_TRUE(node.host.muted) << "its successor";
}

TEST(SpeakerSend, OneNumberForAllPeersAndAnotherForEachAdvert) {
  InstanceConfig config = signing("10.9.0.5");
  config.peers = {Peer{ip("10.9.0.6")}, Peer{ip("10.9.0.7")}};
  Node node(config);
  node.speaker.start(kStart_us);
  node.run_until(kStart_us + kSecond_us);
  ASSERT_EQ(node.host.sent.size(), 4u);
  std::vector<std::uint64_t> numbers;
  for (const Packet& packet : node.host.sent) {
    numbers.push_back(parse_advert(packet)->trailer->number);
  }
  EXPECT_EQ(numbers[0], numbers[1]);
  EXPECT_LT(numbers[1], numbers[2]);
  EXPECT_EQ(numbers[2], numbers[3]);
}

}  // namespace
}  // namespace keepline::vrrp
