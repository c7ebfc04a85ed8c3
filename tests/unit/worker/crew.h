// Several workers that share what the workers of a daemon share; the ports are the test's.
#pragma once

#include <memory>
#include <vector>

#include "dataplane/worker/worker.h"
#include "tests/golden/stage.h"
#include "tests/unit/worker/generator_port.h"

namespace keepline::worker {

/// Microseconds that pass when the test says so.
class HandClock final : public TickSource {
 public:
  std::uint64_t now() const override { return now_; }
  std::uint64_t hz() const override { return 1'000'000; }
  void pass(std::uint64_t us) { now_ += us; }

 private:
  std::uint64_t now_ = 500'000'000;
};

/// Workers that share a domain and a mesh. The ports are the test's.
class Crew {
 public:
  static constexpr std::uint64_t kHashKey = 77;

  explicit Crew(unsigned count, IdleMode idle = IdleMode::kPoll)
      : count_(count), idle_(idle), domain_(count), mesh_(count) {
    world = testing::usual_world();
    for (std::size_t shard = 0; shard < net::kShards; ++shard) {
      world.shard_workers[shard] = static_cast<std::uint8_t>(shard % count);
    }
    for (lb::Vip& vip : world.vips) vip.lease = lb::kAlwaysOurs;
    publish();
  }
  /// `ports` by worker and port; nullptr: that worker has no queue of it.
  void hire(const std::vector<std::vector<port::Port*>>& ports,
            const std::vector<std::uint8_t>& owners) {
    for (unsigned id = 0; id < count_; ++id) {
      Worker::Wiring wiring;
      wiring.id = id;
      wiring.ports = ports[id];
      wiring.owners = owners;
      wiring.any_port = ports[0][0];
      wiring.domain = &domain_;
      wiring.snapshot = &snapshot_;
      wiring.leases = &leases_;
      wiring.ticks = &clock_;
      wiring.mesh = &mesh_;
      wiring.doorbell = &doorbell_;
      lb::PipelineConfig config;
      config.connections = 10'000;
      config.half_open_percent = 100;
      config.hash_key = kHashKey;
      config.worker = static_cast<std::uint8_t>(id);
      workers.push_back(std::make_unique<Worker>(wiring, config, idle_));
    }
  }
  bool publish() {
    std::unique_ptr<const lb::Snapshot> next = testing::snapshot_of(world);
    return snapshot_.publish(next) == rcu::Publish::kDone;
  }
  void pass(std::uint64_t us) { clock_.pass(us); }
  void turn(int rounds) {
    for (int i = 0; i < rounds; ++i) {
      for (const auto& worker : workers) worker->turn();
    }
  }
  std::uint64_t drops() const {
    std::uint64_t sum = 0;
    for (const auto& worker : workers) {
      for (const lb::Counter& each : worker->pipeline().counters().drops) sum += each.get();
    }
    return sum;
  }
  std::uint64_t connections() const {
    std::uint64_t sum = 0;
    for (const auto& worker : workers) sum += worker->pipeline().connections4().size();
    return sum;
  }

  /// Whether the address lies in the rings between the workers.
  bool is_mesh(std::uintptr_t address) {
    const auto start = reinterpret_cast<std::uintptr_t>(&mesh_.ring(0, 0));
    return address + 64 > start && address < start + sizeof(Mesh::Ring) * count_ * count_;
  }

  testing::World world;
  std::vector<std::unique_ptr<Worker>> workers;

 private:
  unsigned count_;
  IdleMode idle_;
  rcu::Domain domain_;
  rcu::Cell<lb::Snapshot> snapshot_{domain_};
  HandClock clock_;
  lb::LeaseTable leases_{clock_.hz()};
  Mesh mesh_;
  Doorbell doorbell_;
};

}  // namespace keepline::worker
