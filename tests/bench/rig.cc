#include "tests/bench/rig.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <unistd.h>

#include <time.h>

#include <array>

#include <atomic>
#include <stdexcept>
#include <thread>

namespace keepline::bench {

namespace {

constexpr unsigned kBuffers = 8191;
constexpr std::uint64_t kHashKey = 0x0123456789abcdef;

std::uint16_t fill_burst(std::uint16_t, std::uint16_t, rte_mbuf** mbufs, std::uint16_t count,
                         std::uint16_t, void* source) {
  std::array<std::uint8_t*, net::kBurstSize> frames;
  for (std::uint16_t i = 0; i < count; ++i) frames[i] = rte_pktmbuf_mtod(mbufs[i], std::uint8_t*);
  (**static_cast<Source**>(source)).fill(std::span(frames).first(count));
  return count;
}

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

net::Endpoint endpoint(const Host& host) {
  return {host.address, host.port};
}

}  // namespace

class Rig::Clock final : public worker::TickSource {
 public:
  explicit Clock(std::uint64_t factor) : factor_(factor), start_(rte_rdtsc()) {}
  // From a second that no deadline can reach below zero from.
  std::uint64_t now() const override { return (rte_rdtsc() - start_) * factor_ + 10 * hz_; }
  std::uint64_t hz() const override { return hz_; }

 private:
  std::uint64_t factor_;
  std::uint64_t start_;
  std::uint64_t hz_ = rte_get_tsc_hz();
};

/// A port that can be shut, so that what is on its way between workers can come to its end.
class Rig::Gate final : public port::Port {
 public:
  Gate(const port::EthdevDevice& device, std::uint16_t queue) : port_(device, {queue}) {}
  void set_open(bool open) { open_ = open; }

  std::size_t receive(std::span<net::Packet> packets) override {
    return open_ ? port_.receive(packets) : 0;
  }
  std::size_t transmit(port::Buffers buffers) override { return port_.transmit(buffers); }
  void release(port::Buffers buffers) override { port_.release(buffers); }
  void resize(std::span<const net::Packet> packets) override { port_.resize(packets); }
  std::optional<net::Packet> make(net::Bytes bytes) override { return port_.make(bytes); }
  std::uint64_t missed() const override { return port_.missed(); }

 private:
  port::EthdevPort port_;
  bool open_ = true;
};

Ground::Ground(unsigned workers)
    : eal_({"keepline-bench-" + std::to_string(getpid()), workers, 256}), pool_(kBuffers, 1500) {}

Rig::Rig(Ground& ground, const RigConfig& config)
    : ground_(ground),
      config_(config),
      clock_(std::make_unique<Clock>(config.clock_factor)),
      domain_(config.workers),
      leases_(std::make_unique<lb::LeaseTable>(clock_->hz())),
      mesh_(config.workers) {
  auto opened =
      port::EthdevDevice::open("net_null0", "size=" + std::to_string(frame_size(config.family)),
                               {.queues = config.workers}, ground.pool_);
  if (!opened) throw std::runtime_error("net_null: " + opened.error());
  device_ = std::move(*opened);
  make_world(config);
  publish();
  lb::PipelineConfig pipeline;
  pipeline.connections = config.connections / config.workers;
  pipeline.half_open_percent = config.half_open_percent;
  pipeline.hash_key = kHashKey;
  pipeline.full_nat = config.method == lb::Method::kFullNat;
  for (unsigned i = 0; i < config.workers; ++i) {
    const auto queue = static_cast<std::uint16_t>(i);
    ports_.push_back(std::make_unique<Gate>(*device_, queue));
    sources_.push_back(std::make_unique<Source*>(nullptr));
    callbacks_.push_back(
        rte_eth_add_rx_callback(device_->id(), queue, fill_burst, sources_[i].get()));
    if (callbacks_.back() == nullptr) throw std::runtime_error("no receive callbacks");
    worker::Worker::Wiring wiring;
    wiring.id = i;
    wiring.ports = {ports_[i].get()};
    wiring.any_port = ports_[i].get();
    wiring.owners = {0};
    wiring.domain = &domain_;
    wiring.snapshot = &snapshot_;
    wiring.leases = leases_.get();
    wiring.ticks = clock_.get();
    wiring.mesh = &mesh_;
    wiring.doorbell = &doorbell_;
    pipeline.worker = static_cast<std::uint8_t>(i);
    workers_.push_back(std::make_unique<worker::Worker>(wiring, pipeline, worker::IdleMode::kPoll));
  }
}

// What is still on its way between workers goes back to the pool.
Rig::~Rig() {
  for (std::uint16_t queue = 0; queue < callbacks_.size(); ++queue) {
    rte_eth_remove_rx_callback(device_->id(), queue, callbacks_[queue]);
  }
  for (unsigned from = 0; from < mesh_.workers(); ++from) {
    for (unsigned to = 0; to < mesh_.workers(); ++to) {
      mesh_.ring(from, to).consume_all([this](const worker::HandOver& frame) {
        ports_[0]->release({&frame.packet.buffer, 1});
      });
    }
  }
}

void Rig::make_world(const RigConfig& config) {
  builder_.set_ports({{port_mac(), 1500, net::Ip4(0x0a000001), {}}});
  lb::Vip vip;
  vip.address = vip_of(config.family).address;
  vip.port = 0;
  vip.mac = port_mac();
  std::vector<lb::Vip> vips = {vip};
  auto service = std::make_shared<lb::Service>();
  service->vip = endpoint(vip_of(config.family));
  service->syn_proxy = config.syn_proxy;
  if (config.method == lb::Method::kFullNat) {
    for (unsigned i = 0; i < kLocals; ++i) {
      vip.address = local_of(config.family, i).address;
      vip.local = true;
      vips.push_back(vip);
      service->locals.push_back(vip.address);
    }
  }
  builder_.set_vips(std::move(vips));
  std::vector<neigh::Neighbour> neighbours;
  for (unsigned i = 0; i < kServers; ++i) {
    lb::RealServer real;
    real.slot = i + 1;
    real.generation = 1;
    real.method = config.method;
    real.endpoint = endpoint(server_of(config.family, i));
    // IP in IP to servers under IPv4, whatever is inside.
    if (real.method == lb::Method::kTunnel) real.endpoint = endpoint(server_of(4, i));
    service->pool.push_back(real);
    neighbours.push_back({real.endpoint.address, 0, peer_mac()});
  }
  service->seal();
  builder_.set_service(std::move(service));
  const net::IpAddr any = config.family == 6 ? net::IpAddr(net::Ip6{}) : net::IpAddr(net::Ip4{});
  const net::IpAddr gateway = client_of(config.family, 0xffffff).address;
  neighbours.push_back({gateway, 0, peer_mac()});
  const std::uint8_t network = config.family == 6 ? 48 : 24;
  builder_.set_next_hops(std::make_shared<const neigh::NextHops>(
      std::vector<neigh::Route>{{{any, 0}, 0, gateway, 0},
                                {{server_of(config.family, 0).address, network}, 0, {}, 0},
                                {{server_of(4, 0).address, 24}, 0, {}, 0}},
      neighbours));
  lb::ShardWorkers shards{};
  for (std::size_t i = 0; i < shards.size(); ++i) {
    shards[i] = static_cast<std::uint8_t>(i % config.workers);
  }
  builder_.set_shard_workers(shards);
}

void Rig::publish() {
  std::unique_ptr<const lb::Snapshot> next = builder_.build();
  if (snapshot_.publish(next) != rcu::Publish::kDone) throw std::runtime_error("workers stalled");
}

Rig::Taken Rig::run(std::vector<Source*> sources, std::uint64_t packets, double seconds) {
  const auto hz = static_cast<double>(rte_get_tsc_hz());
  const auto ticks = static_cast<std::uint64_t>(seconds * hz);
  std::vector<Taken> taken(workers_.size());
  std::atomic<std::size_t> running{workers_.size()};
  for (unsigned i = 0; i < workers_.size(); ++i) {
    *sources_[i] = sources[i];
    ground_.eal_.launch(i, [&, i] {
      taken[i] = run_one(i, packets, ticks);
      finish(i, running);
    });
  }
  // DPDK's own waiting spins, and the machine may have no processor to spare for that.
  while (running != 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  ground_.eal_.wait();
  snapshot_.reclaim();
  Taken all;
  for (const Taken& each : taken) {
    all.wall_s = std::max(all.wall_s, each.wall_s);
    all.cpu_s += each.cpu_s;
  }
  return all;
}

// Nothing more comes in; what others still hand over is taken until all have ended.
void Rig::finish(unsigned index, std::atomic<std::size_t>& running) {
  ports_[index]->set_open(false);
  --running;
  while (running != 0) workers_[index]->turn();
  for (int turn = 0; turn < 1000; ++turn) workers_[index]->turn();
  ports_[index]->set_open(true);
  domain_.offline(index);
}

Rig::Taken Rig::run_one(unsigned index, std::uint64_t packets, std::uint64_t ticks) {
  worker::Worker& worker = *workers_[index];
  domain_.online(index);
  const lb::Counter& received = worker.counters().received[0];
  const std::uint64_t target = received.get() + packets;
  const double cpu_start = thread_seconds();
  const std::uint64_t start = rte_rdtsc();
  for (bool more = true; more;) {
    for (int turn = 0; turn < 64; ++turn) worker.turn();
    more = packets != 0 ? received.get() < target : rte_rdtsc() - start < ticks;
  }
  const auto hz = static_cast<double>(rte_get_tsc_hz());
  const Taken taken{static_cast<double>(rte_rdtsc() - start) / hz, thread_seconds() - cpu_start};
  return taken;
}

void Rig::sample_stages(bool on) {
  for (const auto& worker : workers_) worker->stages().set(on);
}

double Rig::turn(Source& source) {
  *sources_[0] = &source;
  domain_.online(0);
  const std::uint64_t start = rte_rdtsc();
  workers_[0]->turn();
  const std::uint64_t taken = rte_rdtsc() - start;
  domain_.offline(0);
  return static_cast<double>(taken) / static_cast<double>(rte_get_tsc_hz());
}

std::uint64_t Rig::received() const {
  std::uint64_t sum = 0;
  for (const auto& worker : workers_) sum += worker->counters().received[0].get();
  return sum;
}

std::string Rig::drop_reasons() const {
  std::string text;
  for (const auto& worker : workers_) {
    for (std::size_t i = 0; i < net::kDropReasons; ++i) {
      const std::uint64_t count = worker->pipeline().counters().drops[i].get();
      if (count == 0) continue;
      text += (text.empty() ? "" : " ") + std::string(net::to_string(static_cast<net::Drop>(i))) +
              '=' + std::to_string(count);
    }
  }
  return text;
}

std::uint64_t Rig::drops() const {
  std::uint64_t sum = 0;
  for (const auto& worker : workers_) {
    for (const lb::Counter& reason : worker->pipeline().counters().drops) sum += reason.get();
  }
  return sum;
}

}  // namespace keepline::bench
