// The worker's loop on in-memory ports: it is turned by hand and its clock is a number.
#include "dataplane/worker/worker.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include "dataplane/port/memory_port.h"
#include "tests/golden/stage.h"

namespace keepline::worker {
namespace {

using testing::bytes_of;
using testing::FrameBytes;
using testing::from_client;
using testing::kInside;
using testing::kNames;
using testing::kOutside;

constexpr std::uint64_t kHz = 1'000'000;
constexpr std::uint64_t kStart = 500 * kHz;

class HandClock final : public TickSource {
 public:
  std::uint64_t now() const override { return now_; }
  std::uint64_t hz() const override { return kHz; }
  void pass(std::uint64_t ticks) { now_ += ticks; }

 private:
  std::uint64_t now_ = kStart;
};

class WorkerTest : public ::testing::Test {
 protected:
  WorkerTest() : worker_(wiring(), config(), IdleMode::kPoll) {
    worker_.turn();  // the clock's jump from zero is a gap: what follows is granted after it
    publish(testing::usual_world());
    leases_.grant(testing::kLease, clock_.now(), clock_.now() + 3600 * kHz);
  }

  Worker::Wiring wiring() {
    Worker::Wiring wiring;
    wiring.ports = {&ports_[0], &ports_[1]};
    wiring.domain = &domain_;
    wiring.snapshot = &snapshot_;
    wiring.leases = &leases_;
    wiring.ticks = &clock_;
    wiring.owners = {0, 0};
    wiring.any_port = &ports_[0];
    wiring.mesh = &mesh_;
    wiring.doorbell = &doorbell_;
    return wiring;
  }
  static lb::PipelineConfig config() {
    lb::PipelineConfig config;
    config.connections = 10'000;
    return config;
  }
  void publish(const testing::World& world) {
    std::unique_ptr<const lb::Snapshot> next = testing::snapshot_of(world);
    ASSERT_EQ(snapshot_.publish(next), rcu::Publish::kDone);
  }
  // `count` SYNs from ports of their own.
  void arrive(std::uint16_t count, std::uint16_t first_port = 1000) {
    for (std::uint16_t i = 0; i < count; ++i) {
      ports_[kOutside].arrive(bytes_of(from_client(static_cast<std::uint16_t>(first_port + i))));
    }
  }
  MailFrame mail(net::PortId port, std::uint8_t first_byte, std::uint64_t valid = kHz) const {
    MailFrame frame;
    frame.port = port;
    frame.not_after = clock_.now() + valid;
    const FrameBytes bytes(60, first_byte);
    frame.assign(bytes);
    return frame;
  }
  std::uint64_t drops(net::Drop reason) const {
    return worker_.pipeline().counters().drops[static_cast<std::size_t>(reason)].get();
  }
  // Every record that waits for control.
  std::vector<ConnectionRecord> records() {
    std::vector<ConnectionRecord> all;
    worker_.mailbox().connections.consume_all([&](const auto& record) { all.push_back(record); });
    return all;
  }

  std::array<port::MemoryPort, 2> ports_;
  rcu::Domain domain_{1};
  rcu::Cell<lb::Snapshot> snapshot_{domain_};
  lb::LeaseTable leases_{kHz};
  HandClock clock_;
  Mesh mesh_{1};
  Doorbell doorbell_;
  Worker worker_;
};

TEST_F(WorkerTest, WithoutFramesATurnIsIdle) {
  EXPECT_FALSE(worker_.turn());
  EXPECT_EQ(worker_.counters().turns.get(), 2u);
  EXPECT_EQ(worker_.counters().busy_turns.get(), 0u);
}

TEST_F(WorkerTest, FourBurstsATurnAndPort) {
  constexpr unsigned kAll = 4 * net::kBurstSize + 8;
  arrive(kAll);
  EXPECT_TRUE(worker_.turn());
  EXPECT_EQ(ports_[kInside].take_sent().size(), 4 * net::kBurstSize);
  EXPECT_TRUE(worker_.turn());
  EXPECT_EQ(ports_[kInside].take_sent().size(), 8u);
  EXPECT_FALSE(worker_.turn());
  EXPECT_EQ(worker_.counters().received[kOutside].get(), kAll);
  EXPECT_EQ(worker_.counters().received[kInside].get(), 0u);
  EXPECT_EQ(worker_.counters().transmitted[kInside].get(), kAll);
  EXPECT_EQ(worker_.counters().busy_turns.get(), 2u);
  EXPECT_EQ(worker_.pipeline().counters().packets.get(), kAll);
  EXPECT_EQ(worker_.pipeline().counters().bytes.get(), kAll * bytes_of(from_client()).size());
}

// A connection that one burst makes is not there yet when the burst behind it is looked up.
TEST_F(WorkerTest, TheBurstBehindFindsWhatTheOneInFrontOfItMade) {
  std::vector<FrameBytes> frames(net::kBurstSize, bytes_of(from_client(5000)));
  for (auto& frame : frames) ports_[kOutside].arrive(std::move(frame));
  ports_[kOutside].arrive(bytes_of(from_client(5000, net::kTcpAck)));
  EXPECT_TRUE(worker_.turn());
  EXPECT_EQ(ports_[kInside].take_sent().size(), net::kBurstSize + 1);
  EXPECT_EQ(worker_.pipeline().counters().created.get(), 1u);
}

TEST_F(WorkerTest, WithoutASnapshotFramesStayInTheRing) {
  rcu::Domain domain(1);
  rcu::Cell<lb::Snapshot> nothing(domain);
  Worker::Wiring other = wiring();
  other.domain = &domain;
  other.snapshot = &nothing;
  Worker worker(other, config(), IdleMode::kPoll);
  arrive(1);
  EXPECT_FALSE(worker.turn());
  EXPECT_EQ(worker.counters().received[kOutside].get(), 0u);
  EXPECT_TRUE(worker_.turn());
}

TEST_F(WorkerTest, WhatATransmitRingDoesNotTakeIsCounted) {
  ports_[kInside].limit_transmit(5);
  arrive(20);
  worker_.turn();
  EXPECT_EQ(ports_[kInside].take_sent().size(), 5u);
  EXPECT_EQ(drops(net::Drop::kTxFull), 15u);
  EXPECT_EQ(worker_.counters().transmitted[kInside].get(), 5u);
  // The buffer is empty again.
  ports_[kInside].limit_transmit(100);
  arrive(1, 9000);
  worker_.turn();
  EXPECT_EQ(ports_[kInside].take_sent().size(), 1u);
  EXPECT_EQ(drops(net::Drop::kTxFull), 15u);
}

TEST_F(WorkerTest, FramesFromBothPortsToOneAreNotMoreThanItsBufferHolds) {
  arrive(net::kBurstSize);
  testing::World world = testing::usual_world();
  world.ports[kInside].mac = kNames.outside_mac;
  publish(world);
  for (std::uint16_t i = 0; i < net::kBurstSize; ++i) {
    auto d = from_client(static_cast<std::uint16_t>(7000 + i));
    d.to = kNames.outside_mac;
    ports_[kInside].arrive(bytes_of(d));
  }
  worker_.turn();
  EXPECT_EQ(ports_[kInside].take_sent().size(), 2 * net::kBurstSize);
}

TEST_F(WorkerTest, AdvertsAreHandedToControlWhole) {
  FrameBytes advert = bytes_of(from_client());
  advert[testing::kL3 + 9] = 112;
  ports_[kInside].arrive(advert);
  doorbell_.arm();
  worker_.turn();
  ASSERT_EQ(worker_.mailbox().adverts.read_available(), 1u);
  const MailFrame& got = worker_.mailbox().adverts.front();
  EXPECT_EQ(got.port, kInside);
  EXPECT_EQ(FrameBytes(got.bytes.begin(), got.bytes.begin() + got.length), advert);
  std::uint64_t rung = 0;
  EXPECT_EQ(read(doorbell_.fd(), &rung, sizeof rung), 8);
}

TEST_F(WorkerTest, AdvertsThatControlDoesNotTakeAreCounted) {
  FrameBytes advert = bytes_of(from_client());
  advert[testing::kL3 + 9] = 112;
  for (int i = 0; i < 1100; ++i) ports_[kOutside].arrive(advert);
  for (int i = 0; i < 12; ++i) worker_.turn();
  EXPECT_EQ(worker_.mailbox().adverts.read_available(), 1024u);
  EXPECT_EQ(drops(net::Drop::kControlFull), 76u);
}

TEST_F(WorkerTest, WhoAsksByArpIsReported) {
  testing::Arp request;
  request.to = net::kBroadcastMac;
  request.from = request.sender_mac = kNames.client_mac;
  request.sender = kNames.client;
  request.target = kNames.vip;
  ports_[kOutside].arrive(bytes_of(request));
  worker_.turn();
  ASSERT_EQ(worker_.mailbox().neighbours.read_available(), 1u);
  const lb::NeighbourSeen seen = worker_.mailbox().neighbours.front();
  EXPECT_EQ(seen.address, kNames.client);
  EXPECT_EQ(seen.mac, kNames.client_mac);
  EXPECT_EQ(seen.port, kOutside);
}

TEST_F(WorkerTest, MailIsSentInItsOrderAndBeforeWhatWasReceived) {
  arrive(1);
  worker_.mailbox().frames[kInside].push(mail(kInside, 1));
  worker_.mailbox().frames[kInside].push(mail(kInside, 2));
  EXPECT_TRUE(worker_.turn());
  const auto sent = ports_[kInside].take_sent();
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(sent[0], FrameBytes(60, 1));
  EXPECT_EQ(sent[1], FrameBytes(60, 2));
  EXPECT_EQ(worker_.counters().transmitted[kInside].get(), 3u);
}

TEST_F(WorkerTest, StaleMailIsNotSent) {
  worker_.mailbox().frames[kInside].push(mail(kInside, 1, 100));
  worker_.mailbox().frames[kInside].push(mail(kInside, 2, 101));
  clock_.pass(101);
  worker_.turn();
  const auto sent = ports_[kInside].take_sent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0][0], 2);
  EXPECT_EQ(worker_.counters().stale_mail.get(), 1u);
}

TEST_F(WorkerTest, MailWaitsWhileTheTransmitRingIsFull) {
  ports_[kInside].limit_transmit(0);
  worker_.mailbox().frames[kInside].push(mail(kInside, 1));
  for (int i = 0; i < 5; ++i) worker_.turn();
  EXPECT_EQ(worker_.mailbox().frames[kInside].read_available(), 1u);
  EXPECT_EQ(drops(net::Drop::kTxFull), 0u);
  EXPECT_EQ(worker_.counters().transmitted[kInside].get(), 0u);
  ports_[kInside].limit_transmit(10);
  worker_.turn();
  EXPECT_EQ(ports_[kInside].take_sent().size(), 1u);
  EXPECT_EQ(worker_.mailbox().frames[kInside].read_available(), 0u);
}

TEST_F(WorkerTest, MailThatHasWaitedTooLongIsGivenUp) {
  ports_[kInside].limit_transmit(0);
  worker_.mailbox().frames[kInside].push(mail(kInside, 1));
  worker_.turn();
  clock_.pass(kHz + 1);
  worker_.turn();
  EXPECT_EQ(worker_.mailbox().frames[kInside].read_available(), 0u);
  EXPECT_EQ(worker_.counters().stale_mail.get(), 1u);
}

TEST_F(WorkerTest, ATurnSendsABoundedNumberOfMails) {
  for (std::uint8_t i = 0; i < 100; ++i) worker_.mailbox().frames[kInside].push(mail(kInside, i));
  worker_.turn();
  EXPECT_EQ(ports_[kInside].take_sent().size(), 32u);
}

TEST_F(WorkerTest, AWorkerThatSleptThroughItsLeaseIsSilentUntilTheNextGrant) {
  leases_.grant(testing::kLease, clock_.now(), clock_.now() + 10 * kHz);
  clock_.pass(5 * kHz);  // a pause, but shorter than the lease
  arrive(1);
  worker_.turn();
  EXPECT_EQ(ports_[kInside].take_sent().size(), 1u);
  // Control renewed it while the worker did not run for longer than it lasts.
  clock_.pass(11 * kHz);
  leases_.grant(testing::kLease, clock_.now() - kHz, clock_.now() + 9 * kHz);
  arrive(1, 2000);
  worker_.turn();
  EXPECT_EQ(ports_[kInside].take_sent().size(), 0u);
  EXPECT_EQ(drops(net::Drop::kNotMaster), 1u);
  leases_.grant(testing::kLease, clock_.now(), clock_.now() + 10 * kHz);
  arrive(1, 3000);
  worker_.turn();
  EXPECT_EQ(ports_[kInside].take_sent().size(), 1u);
}

TEST_F(WorkerTest, ConnectionsExpireByItsClock) {
  arrive(1);
  worker_.turn();
  clock_.pass(59 * kHz);
  worker_.turn();
  EXPECT_EQ(worker_.pipeline().connections4().size(), 1u);
  clock_.pass(kHz);
  worker_.turn();
  EXPECT_EQ(worker_.pipeline().connections4().size(), 0u);
}

// Otherwise the table would fill up while new connections come as fast as they can.
TEST_F(WorkerTest, AsManyExpireInATurnAsCameInIt) {
  constexpr unsigned kMany = 4 * net::kBurstSize;
  arrive(kMany, 1000);
  worker_.turn();
  clock_.pass(60 * kHz);
  arrive(kMany, 2000);
  worker_.turn();
  EXPECT_EQ(worker_.pipeline().counters().expired.get(), kMany);
  EXPECT_EQ(worker_.pipeline().connections4().size(), kMany);
}

TEST_F(WorkerTest, ListsConnectionsPageByPage) {
  for (std::uint16_t i = 0; i < 20; ++i) {
    arrive(30, static_cast<std::uint16_t>(1000 + 30 * i));
    worker_.turn();
  }
  clock_.pass(10 * kHz);
  std::set<std::uint16_t> ports;
  std::size_t pages = 0;
  std::uint64_t position = 0;
  do {
    ASSERT_LT(pages, 10u);
    worker_.mailbox().listings.push({77, position});
    EXPECT_TRUE(worker_.turn());
    const auto page = records();
    ASSERT_FALSE(page.empty());
    for (const ConnectionRecord& record : page) EXPECT_EQ(record.listing, 77u);
    for (std::size_t i = 0; i + 1 < page.size(); ++i) {
      ASSERT_FALSE(page[i].is_end);
      EXPECT_EQ(page[i].remaining_s, 50u);
      EXPECT_TRUE(ports.insert(page[i].connection.client.port).second);
    }
    ASSERT_TRUE(page.back().is_end);
    position = page.back().next_position;
    ++pages;
  } while (position != 0);
  EXPECT_EQ(ports.size(), 600u);
  EXPECT_EQ(pages, 3u);
}

TEST_F(WorkerTest, AnEmptyTableIsOnePageWithNothing) {
  worker_.mailbox().listings.push({1, 0});
  worker_.turn();
  const auto page = records();
  ASSERT_EQ(page.size(), 1u);
  EXPECT_TRUE(page[0].is_end);
  EXPECT_EQ(page[0].next_position, 0u);
  // A position from before a restart of the daemon may be anything.
  worker_.mailbox().listings.push({2, 1'000'000'000});
  worker_.turn();
  EXPECT_EQ(records().size(), 1u);
}

TEST_F(WorkerTest, APageIsOnlyBegunWhenAllOfItFits) {
  for (std::uint16_t i = 0; i < 10; ++i) {
    arrive(30, static_cast<std::uint16_t>(1000 + 30 * i));
    worker_.turn();
  }
  for (std::uint32_t i = 0; i < 5; ++i) worker_.mailbox().listings.push({i, 0});
  for (int i = 0; i < 10; ++i) worker_.turn();
  // 257 records a page: three fit into 1024.
  EXPECT_EQ(worker_.mailbox().listings.read_available(), 2u);
  EXPECT_EQ(records().size(), 3u * 257);
  worker_.turn();
  EXPECT_EQ(worker_.mailbox().listings.read_available(), 1u);
}

TEST_F(WorkerTest, RunsAndSleepsUntilItIsStopped) {
  Worker worker(wiring(), config(), IdleMode::kAdaptive);
  EXPECT_EQ(worker.counters().turns.get(), 0u);
  std::thread thread([&worker] { worker.run(); });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (worker.counters().sleeps.get() < 3 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  worker.stop();
  thread.join();
  EXPECT_GE(worker.counters().sleeps.get(), 3u);
  EXPECT_GT(worker.counters().turns.get(), Idle::kSpinTurns);
}

}  // namespace
}  // namespace keepline::worker
