// BFD sessions in the workers: orders in, frames to and from another node, news to control. The
// clock is the test's.
#include <gtest/gtest.h>

#include "dataplane/port/memory_port.h"
#include "tests/unit/worker/crew.h"

namespace keepline::worker {
namespace {

using testing::kInside;
using testing::kOutside;

const net::Ip4 kOurs = testing::ip("10.0.0.5");
const net::Ip4 kTheirs = testing::ip("10.0.0.9");
const net::Mac kTheirMac{{2, 0, 0, 0, 0, 9}};
constexpr std::int64_t kInterval_us = 3'000;

bfd::SessionConfig session_config(net::IpAddr neighbour, std::uint16_t source_port) {
  bfd::SessionConfig config;
  config.neighbour = neighbour;
  config.min_tx_us = config.min_rx_us = kInterval_us;
  config.multiplier = 3;
  config.source_port = source_port;
  return config;
}

// The other node, without a dataplane around it.
class Peer final : private bfd::Output {
 public:
  Peer(port::MemoryPort& port, const net::Mac& our_mac) : port_(port), our_mac_(our_mac) {
    table_.set(0, session_config(kOurs, 50'000), 1, *this);
  }
  void turn(std::int64_t now_us) {
    for (auto& bytes : port_.take_sent()) {
      net::Packet frame;
      frame.data = bytes.data();
      frame.length = static_cast<std::uint16_t>(bytes.size());
      EXPECT_TRUE(testing::checksums_ok(bytes));
      last_ = bytes;
      if (!is_dead) table_.handle_frame(frame, net::parse(frame), now_us, *this);
    }
    if (!is_dead) table_.handle_timeout(now_us, *this);
  }
  bfd::State state() const { return table_.find(0)->state(); }
  const std::vector<std::uint8_t>& last() const { return last_; }
  bool is_dead = false;

 private:
  void send(bfd::SessionNumber, const bfd::Session& session,
            const bfd::ControlPacket& packet) override {
    const auto frame = make_frame(packet, session.config(), {{our_mac_, kTheirMac}, kTheirs});
    port_.arrive({frame.view().begin(), frame.view().end()});
  }
  void changed(bfd::SessionNumber, const bfd::Session&, const bfd::StateChanged&) override {}
  void ended(bfd::SessionNumber) override {}

  port::MemoryPort& port_;
  net::Mac our_mac_;
  bfd::SessionTable table_{3};
  std::vector<std::uint8_t> last_;
};

// Two workers. The sessions are the first one's; the port that leads to the neighbour is the
// other's.
class BfdWorkers : public ::testing::Test {
 protected:
  explicit BfdWorkers(unsigned workers = 2) : crew_(workers) {
    crew_.world.own = {kOurs};
    crew_.world.bfd_neighbours = {{kTheirs, false}};
    crew_.world.ports[kInside].source4 = kOurs;
    crew_.world.routes = {{{kTheirs, 24}, kInside, {}, 0}};
    crew_.world.neighbours = {{kTheirs, kInside, kTheirMac}};
    if (workers == 2) crew_.hire({{&outside_, nullptr}, {nullptr, &inside_}}, {0, 1});
    if (workers == 1) crew_.hire({{&outside_, &inside_}}, {0, 0});
    crew_.publish();
    peer_ = std::make_unique<Peer>(inside_, crew_.world.ports[kInside].mac);
  }
  void order(std::optional<bfd::SessionConfig> config) { mailbox().bfd_orders.push({7, config}); }
  void run(std::int64_t us) {
    for (std::int64_t i = 0; i < us / 100; ++i) {
      crew_.pass(100);
      passed_us_ += 100;
      crew_.turn(1);
      peer_->turn(passed_us_);
    }
  }
  Mailbox& mailbox() { return crew_.workers[0]->mailbox(); }
  bfd::State ours() { return static_cast<bfd::State>(figures().state.get()); }
  const BfdFigures& figures() { return crew_.workers[0]->bfd_board()->sessions[7]; }
  std::vector<BfdEvent> take_events() {
    std::vector<BfdEvent> events;
    mailbox().bfd_events.consume_all([&](const BfdEvent& event) { events.push_back(event); });
    return events;
  }

  port::MemoryPort outside_;
  port::MemoryPort inside_;
  Crew crew_;
  std::unique_ptr<Peer> peer_;
  std::int64_t passed_us_ = 1;
};

TEST_F(BfdWorkers, OnlyOneHasTheSessions) {
  EXPECT_NE(crew_.workers[0]->bfd_board(), nullptr);
  EXPECT_EQ(crew_.workers[1]->bfd_board(), nullptr);
}

TEST_F(BfdWorkers, ComesUpThroughThePortOfAnother) {
  order(session_config(kTheirs, 49'159));
  run(3'000'000);
  EXPECT_EQ(ours(), bfd::State::kUp);
  EXPECT_EQ(peer_->state(), bfd::State::kUp);
  EXPECT_EQ(figures().detection_time_us.get(), 9'000u);
  EXPECT_EQ(figures().unsent.get(), 0u);
  EXPECT_GT(crew_.workers[1]->counters().handed_over.get(), 10u);
  EXPECT_EQ(crew_.drops(), 0u);
  const auto events = take_events();
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.back().number, 7);
  EXPECT_EQ(events.back().change.to, bfd::State::kUp);
}

TEST_F(BfdWorkers, FramesHaveSourcePortTtlAndAddresses) {
  order(session_config(kTheirs, 49'159));
  run(10'000);
  const auto& frame = peer_->last();
  ASSERT_EQ(frame.size(), 66u);
  EXPECT_EQ(frame[14 + 8], 255);
  EXPECT_EQ(testing::u16_at(frame, 14 + 20), 49'159);
  EXPECT_EQ(testing::u16_at(frame, 14 + 22), 3784);
  EXPECT_EQ(frame[14 + 15], 5) << "from the port's own address";
}

TEST_F(BfdWorkers, ADeadNeighbourIsToldWithinTheDetectionTime) {
  order(session_config(kTheirs, 49'159));
  run(3'000'000);
  take_events();
  peer_->is_dead = true;
  run(9'300);
  const auto events = take_events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_TRUE(events[0].change.is_loss());
  EXPECT_EQ(events[0].rx_interval_us, kInterval_us);
}

TEST_F(BfdWorkers, WhatWaitedWhileTheWorkerWasAwayStillCounts) {
  bfd::SessionConfig config = session_config(kTheirs, 49'159);
  config.multiplier = 20;  // so patient is the neighbour with us
  order(config);
  run(3'000'000);
  take_events();
  // For 30 ms nobody runs here, but the neighbour speaks on.
  for (int i = 0; i < 300; ++i) {
    crew_.pass(100);
    passed_us_ += 100;
    peer_->turn(passed_us_);
  }
  crew_.workers[1]->turn();
  crew_.workers[0]->turn();
  EXPECT_TRUE(take_events().empty());
}

class BfdWorker : public BfdWorkers {
 protected:
  BfdWorker() : BfdWorkers(1) {}
};

// Of a full queue a worker takes some bursts in a turn.
TEST_F(BfdWorker, WhatIsBehindOtherFramesCountsAsWell) {
  bfd::SessionConfig config = session_config(kTheirs, 49'159);
  config.multiplier = 20;  // so patient is the neighbour with us
  order(config);
  run(3'000'000);
  ASSERT_EQ(ours(), bfd::State::kUp);
  take_events();
  for (std::size_t i = 0; i < 8 * net::kBurstSize; ++i) {
    inside_.arrive(std::vector<std::uint8_t>(60, 0xff));
  }
  // For 10 ms nobody runs here; the neighbour has spoken meanwhile.
  for (int i = 0; i < 100; ++i) {
    crew_.pass(100);
    passed_us_ += 100;
    peer_->turn(passed_us_);
  }
  for (int turn = 0; turn < 3; ++turn) crew_.workers[0]->turn();
  EXPECT_TRUE(take_events().empty());
  EXPECT_EQ(ours(), bfd::State::kUp);
}

TEST_F(BfdWorkers, WithoutAWayNothingIsSent) {
  crew_.world.neighbours.clear();
  crew_.publish();
  order(session_config(kTheirs, 49'159));
  run(3'000'000);
  EXPECT_GT(figures().unsent.get(), 2u);
  EXPECT_EQ(figures().sent.get(), figures().unsent.get());
  EXPECT_TRUE(peer_->last().empty());
}

TEST_F(BfdWorkers, StopIsSaidAndTold) {
  order(session_config(kTheirs, 49'159));
  run(3'000'000);
  take_events();
  order(std::nullopt);
  run(30'000);
  EXPECT_EQ(peer_->state(), bfd::State::kDown);
  const auto events = take_events();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].change.to, bfd::State::kAdminDown);
  EXPECT_TRUE(events[1].is_end);
}

TEST_F(BfdWorkers, StrangersAreCounted) {
  crew_.world.bfd_neighbours.push_back({testing::ip("10.0.0.77"), false});
  crew_.publish();
  order(session_config(testing::ip("10.0.0.77"), 49'159));
  run(3'000'000);
  EXPECT_EQ(ours(), bfd::State::kDown);
  const auto& unclaimed = crew_.workers[0]->bfd_board()->unclaimed;
  const auto unknown = static_cast<std::size_t>(bfd::Discard::kUnknownSession);
  EXPECT_GT(unclaimed.discarded[unknown].get(), 1u);
}

TEST(BfdSleep, EndsWhenSomethingIsDue) {
  const auto own = std::make_unique<Mailbox>();  // too large for a stack
  Mailbox& mailbox = *own;
  Doorbell doorbell;
  HandClock clock;
  struct Sink final : FrameSender {
    void send_frame(net::PortId, net::Bytes) override {}
  } sink;
  BfdDesk desk(mailbox, doorbell, clock, sink);
  EXPECT_EQ(desk.bounded_sleep_us(250), 250u);
  mailbox.bfd_orders.push({0, session_config(kTheirs, 49'152)});
  desk.turn(nullptr, bfd::Inbox::kEmpty);
  EXPECT_EQ(desk.bounded_sleep_us(250), 250u);
  clock.pass(1'000'000);
  EXPECT_EQ(desk.bounded_sleep_us(250), 0u);
}

}  // namespace
}  // namespace keepline::worker
