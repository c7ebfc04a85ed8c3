// Whose packet it is: frames in, sessions and counters out.
#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "dataplane/bfd/session_table.h"

namespace keepline::bfd {
namespace {

constexpr net::Ip4 kUs{0x0a000001};
constexpr net::Ip4 kThem{0x0a000002};
constexpr net::Mac kMac{{2, 0, 0, 0, 0, 1}};

struct Recorder final : Output {
  void send(SessionNumber number, const Session&, const ControlPacket& packet) override {
    sent[number].push_back(packet);
  }
  void changed(SessionNumber number, const Session&, const StateChanged& change) override {
    changes[number].push_back(change);
  }
  void ended(SessionNumber number) override { gone.push_back(number); }

  std::map<SessionNumber, std::vector<ControlPacket>> sent;
  std::map<SessionNumber, std::vector<StateChanged>> changes;
  std::vector<SessionNumber> gone;
};

ControlPacket spoken(State state, std::uint32_t to) {
  ControlPacket packet;
  packet.state = state;
  packet.multiplier = 3;
  packet.my_discriminator = 77;
  packet.your_discriminator = to;
  packet.desired_min_tx_us = packet.required_min_rx_us = 10'000;
  return packet;
}

class BfdTable : public ::testing::Test {
 protected:
  BfdTable() { config_.neighbour = kThem; }

  /// A packet from `from` to `to`, changed as a frame before it arrives.
  template <typename Change>
  std::optional<SessionNumber> arrive(const ControlPacket& packet, const net::IpAddr& from,
                                      const net::IpAddr& to, std::uint8_t ttl, Change&& change) {
    SessionConfig sender;
    sender.neighbour = to;
    sender.ttl = ttl;
    sender.is_multihop = config_.is_multihop;
    Frame frame = make_frame(packet, sender, {{kMac, kMac}, from});
    change(frame);
    net::Packet arrived;
    arrived.data = frame.bytes.data();
    arrived.length = static_cast<std::uint16_t>(frame.length);
    const net::Parsed parsed = net::parse(arrived);
    EXPECT_EQ(parsed.kind, net::Kind::kFlow);
    return table_.handle_frame(arrived, parsed, now_us_, output_);
  }
  std::optional<SessionNumber> arrive(const ControlPacket& packet, std::uint8_t ttl = 255) {
    return arrive(packet, kThem, kUs, ttl, [](Frame&) {});
  }
  std::uint64_t discarded(SessionNumber number, Discard reason) const {
    return table_.find(number)->statistics().discarded[static_cast<std::size_t>(reason)];
  }
  std::uint64_t unclaimed(Discard reason) const {
    return table_.unclaimed().discarded[static_cast<std::size_t>(reason)];
  }
  void come_up(SessionNumber number) {
    table_.set(number, config_, now_us_, output_);
    arrive(spoken(State::kDown, 0), config_.ttl);
    arrive(spoken(State::kUp, table_.find(number)->discriminator()), config_.ttl);
    ASSERT_EQ(table_.find(number)->state(), State::kUp);
  }

  SessionConfig config_;
  SessionTable table_{5};
  Recorder output_;
  std::int64_t now_us_ = 1'000'000;
};

TEST_F(BfdTable, FindsByAddressesThenByDiscriminator) {
  SessionConfig other = config_;
  other.neighbour = net::Ip4(0x0a000003);
  table_.set(0, other, now_us_, output_);
  come_up(1);
  EXPECT_EQ(table_.find(0)->state(), State::kDown);
  EXPECT_EQ(table_.size(), 2u);
  EXPECT_NE(table_.find(0)->discriminator(), table_.find(1)->discriminator());
}

TEST_F(BfdTable, OverIpv6) {
  const net::Ip6 us{{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  const net::Ip6 them{{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}};
  config_.neighbour = them;
  config_.source = us;
  table_.set(4, config_, now_us_, output_);
  EXPECT_EQ(arrive(spoken(State::kDown, 0), them, us, 255, [](Frame&) {}), 4);
  EXPECT_EQ(table_.find(4)->state(), State::kInit);
  // Without a checksum it is none over IPv6.
  EXPECT_EQ(arrive(spoken(State::kDown, 0), them, us, 255,
                   [](Frame& frame) { frame.bytes[60] = frame.bytes[61] = 0; }),
            4);
  EXPECT_EQ(discarded(4, Discard::kChecksum), 1u);
}

TEST_F(BfdTable, SourceAddressTellsSessionsApart) {
  config_.source = kUs;
  table_.set(0, config_, now_us_, output_);
  EXPECT_EQ(arrive(spoken(State::kDown, 0), kThem, net::Ip4(0x0a000009), 255, [](Frame&) {}),
            std::nullopt);
  EXPECT_EQ(unclaimed(Discard::kUnknownSession), 1u);
  EXPECT_EQ(arrive(spoken(State::kDown, 0)), 0);
}

TEST_F(BfdTable, BadPacketsAreCountedAndTheSessionStaysUp) {
  come_up(2);
  const std::uint32_t ours = table_.find(2)->discriminator();
  const auto spoil = [&](std::size_t at, std::uint8_t value) {
    arrive(spoken(State::kDown, ours), kThem, kUs, 255, [&](Frame& frame) {
      frame.bytes[at] = value;
      frame.bytes[40] = frame.bytes[41] = 0;  // no checksum
    });
  };
  constexpr std::size_t kPayload = 14 + 20 + 8;
  spoil(kPayload, 0);
  EXPECT_EQ(discarded(2, Discard::kVersion), 1u);
  spoil(kPayload + 2, 0);
  EXPECT_EQ(discarded(2, Discard::kMultiplier), 1u);
  spoil(kPayload + 3, 200);
  EXPECT_EQ(discarded(2, Discard::kLength), 1u);
  spoil(kPayload + 1, 0x41);
  EXPECT_EQ(discarded(2, Discard::kMultipoint), 1u);
  spoil(39, 3);
  EXPECT_EQ(discarded(2, Discard::kUdp), 1u);
  arrive(spoken(State::kDown, ours), kThem, kUs, 255, [](Frame& frame) { ++frame.bytes[45]; });
  EXPECT_EQ(discarded(2, Discard::kChecksum), 1u);
  arrive(spoken(State::kDown, ours), 254);
  EXPECT_EQ(discarded(2, Discard::kTtl), 1u);
  arrive(spoken(State::kDown, ours + 256));
  EXPECT_EQ(discarded(2, Discard::kUnknownSession), 1u);
  arrive(spoken(State::kUp, 0));
  EXPECT_EQ(discarded(2, Discard::kNotEstablishing), 1u);
  EXPECT_EQ(table_.find(2)->state(), State::kUp);
}

TEST_F(BfdTable, StrangersHaveNoSession) {
  come_up(2);
  const std::uint32_t ours = table_.find(2)->discriminator();
  arrive(spoken(State::kDown, ours), net::Ip4(0x0a0000ff), kUs, 255, [](Frame&) {});
  EXPECT_EQ(unclaimed(Discard::kUnknownSession), 1u);
  EXPECT_EQ(table_.find(2)->state(), State::kUp);
}

TEST_F(BfdTable, HopsAreCountedDownFromTheTtl) {
  config_.is_multihop = true;
  config_.max_hops = 2;
  table_.set(0, config_, now_us_, output_);
  arrive(spoken(State::kDown, 0), 252);
  EXPECT_EQ(discarded(0, Discard::kTtl), 1u);
  arrive(spoken(State::kDown, 0), 253);
  EXPECT_EQ(table_.find(0)->state(), State::kInit);
  config_.max_hops = -1;
  table_.set(0, config_, now_us_, output_);
  arrive(spoken(State::kInit, table_.find(0)->discriminator()), 1);
  EXPECT_EQ(table_.find(0)->state(), State::kUp);
}

TEST_F(BfdTable, AReloadKeepsWhatHasTheSameEnds) {
  come_up(0);
  const std::uint32_t before = table_.find(0)->discriminator();
  config_.min_tx_us = 50'000;
  table_.set(0, config_, now_us_, output_);
  EXPECT_EQ(table_.find(0)->state(), State::kUp);
  EXPECT_EQ(table_.find(0)->discriminator(), before);
  config_.neighbour = net::Ip4(0x0a000007);
  table_.set(0, config_, now_us_, output_);
  EXPECT_EQ(table_.find(0)->state(), State::kDown);
  EXPECT_EQ(table_.size(), 1u);
}

TEST_F(BfdTable, StoppedOnesEndAfterTheirGoodbye) {
  come_up(0);
  table_.stop(0, now_us_, output_);
  EXPECT_TRUE(output_.gone.empty());
  while (table_.next_timeout()) {
    now_us_ = *table_.next_timeout();
    table_.handle_timeout(now_us_, output_);
  }
  EXPECT_EQ(output_.gone, std::vector<SessionNumber>{0});
  EXPECT_EQ(table_.size(), 0u);
  EXPECT_EQ(output_.sent[0].back().state, State::kAdminDown);
  EXPECT_LE(now_us_, 1'000'000 + Session::kFarewells * Session::kFarewell_us);
}

TEST_F(BfdTable, TakesAsManyAsThereMayBe) {
  for (std::size_t i = 0; i < kMaxSessions; ++i) {
    config_.neighbour = net::Ip4(0x0a010000 + static_cast<std::uint32_t>(i));
    table_.set(static_cast<SessionNumber>(i), config_, now_us_, output_);
  }
  table_.handle_timeout(now_us_, output_);
  EXPECT_EQ(table_.size(), kMaxSessions);
  EXPECT_EQ(output_.sent.size(), kMaxSessions);
}

}  // namespace
}  // namespace keepline::bfd
