#include "dataplane/worker/dataplane.h"

#include <rte_cycles.h>

#include <algorithm>
#include <stdexcept>

#include "dataplane/port/ethdev_port.h"
#include "dataplane/port/steering.h"
#include "dataplane/port/tap_port.h"
#include "dataplane/worker/eal.h"

namespace keepline::worker {

namespace {

constexpr unsigned kBuffersPerQueue = 8192;
constexpr std::size_t kMailPerCall = 256;

class Tsc final : public TickSource {
 public:
  std::uint64_t now() const override { return rte_rdtsc(); }
  std::uint64_t hz() const override { return hz_; }

 private:
  std::uint64_t hz_ = rte_get_tsc_hz();
};

unsigned largest_mtu(const std::vector<PortConfig>& ports) {
  unsigned mtu = 1500;
  for (const PortConfig& port : ports) mtu = std::max(mtu, port.mtu);
  return mtu;
}

std::vector<std::string> pci_addresses(const std::vector<PortConfig>& ports) {
  std::vector<std::string> result;
  for (const PortConfig& port : ports) {
    if (!port.pci.empty()) result.push_back(port.pci);
  }
  return result;
}

unsigned memory_mb(const std::vector<PortConfig>& ports, unsigned buffers) {
  constexpr unsigned kAroundFrame = 1024;
  constexpr unsigned kForNic = 4096;
  const std::uint64_t each =
      pci_addresses(ports).empty() ? largest_mtu(ports) + kAroundFrame : kForNic;
  return static_cast<unsigned>(buffers * each >> 20) + 64;
}

// Each queue's fill ring, its transmit ring and what is on its way; a power of two less one is what
// a mempool holds best.
unsigned buffer_count(const std::vector<PortConfig>& ports) {
  unsigned queues = 1;
  for (const PortConfig& port : ports) queues += port.queues;
  return std::bit_ceil(kBuffersPerQueue * queues) - 1;
}

}  // namespace

// In order of construction; destroyed in reverse: the workers first, DPDK last.
struct Dataplane::State {
  explicit State(const DataplaneConfig& config)
      : eal({config.file_prefix, config.workers,
             memory_mb(config.ports, buffer_count(config.ports)), pci_addresses(config.ports)}),
        pool(buffer_count(config.ports), largest_mtu(config.ports),
             pci_addresses(config.ports).empty() ? port::Reach::kKernel : port::Reach::kNics),
        domain(config.workers),
        mesh(config.workers) {}

  /// The worker that sends for those that have no queue of the port.
  unsigned owner_of(net::PortId port) const { return port % mesh.workers(); }
  Mailbox& mailbox_of(net::PortId port) { return workers[owner_of(port)]->mailbox(); }
  tl::expected<void, std::string> open(const PortConfig& config);
  port::EthdevDevice::Opened open_device(const PortConfig& config);
  Worker::Wiring wiring(unsigned worker);
  void wire_taps(unsigned worker, Worker::Wiring& wiring);

  Eal eal;
  Tsc tsc;
  port::SteerObject steer_object;
  port::BufferPool pool;
  struct Device {
    std::unique_ptr<port::EthdevDevice> ethdev;
    unsigned ifindex;
    std::shared_ptr<port::TapDevice> tap;  // of an owned one
  };
  std::vector<Device> devices;
  std::vector<std::unique_ptr<port::Port>> ports;  // of all workers
  rcu::Domain domain;
  rcu::Cell<lb::Snapshot> snapshot{domain};
  lb::LeaseTable leases;
  Mesh mesh;
  Doorbell doorbell;
  std::vector<std::unique_ptr<Worker>> workers;
};

// Queues are dealt out in turn, from the port's owner on; a worker may get none.
Worker::Wiring Dataplane::State::wiring(unsigned worker) {
  Worker::Wiring wiring;
  wiring.id = worker;
  for (std::size_t id = 0; id < devices.size(); ++id) {
    const unsigned owner = owner_of(static_cast<net::PortId>(id));
    std::vector<std::uint16_t> queues;
    for (unsigned queue = 0; queue < devices[id].ethdev->queues(); ++queue) {
      if ((owner + queue) % mesh.workers() == worker) {
        queues.push_back(static_cast<std::uint16_t>(queue));
      }
    }
    wiring.owners.push_back(static_cast<std::uint8_t>(owner));
    wiring.ports.push_back(nullptr);
    if (queues.empty()) continue;
    ports.push_back(std::make_unique<port::EthdevPort>(*devices[id].ethdev, std::move(queues)));
    wiring.ports.back() = ports.back().get();
  }
  wire_taps(worker, wiring);
  wiring.domain = &domain;
  wiring.snapshot = &snapshot;
  wiring.leases = &leases;
  wiring.ticks = &tsc;
  wiring.mesh = &mesh;
  wiring.doorbell = &doorbell;
  return wiring;
}

void Dataplane::State::wire_taps(unsigned worker, Worker::Wiring& wiring) {
  for (const Device& device : devices) {
    if (device.tap == nullptr) continue;
    const unsigned owner = owner_of(static_cast<net::PortId>(wiring.ports.size()));
    wiring.owners.push_back(static_cast<std::uint8_t>(owner));
    wiring.ports.push_back(nullptr);
    if (owner != worker) continue;
    ports.push_back(std::make_unique<port::TapPort>(device.tap->fd(), pool.get()));
    wiring.ports.back() = ports.back().get();
  }
}

port::EthdevDevice::Opened Dataplane::State::open_device(const PortConfig& config) {
  const port::DeviceOptions options{config.queues, config.is_owned(), config.mtu,
                                    config.virtual_macs};
  if (!config.pci.empty()) return port::EthdevDevice::find(config.pci, options, pool);
  if (!config.vdev.empty()) {
    const std::size_t comma = std::min(config.vdev.find(','), config.vdev.size());
    const std::size_t rest = std::min(comma + 1, config.vdev.size());
    return port::EthdevDevice::open(config.vdev.substr(0, comma), config.vdev.substr(rest), options,
                                    pool);
  }
  return port::EthdevDevice::open(
      "net_af_xdp" + std::to_string(devices.size()),
      "iface=" + config.netdev + ",start_queue=0,queue_count=" + std::to_string(config.queues) +
          ",xdp_prog=" + steer_object.path(),
      options, pool);
}

tl::expected<void, std::string> Dataplane::State::open(const PortConfig& config) {
  auto opened = open_device(config);
  if (!opened && config.is_owned()) {
    return tl::unexpected("port " + config.netdev + ": DPDK does not take " + config.pci +
                          config.vdev + ": " + opened.error());
  }
  if (!opened) {
    return tl::unexpected("interface " + config.netdev +
                          " cannot be attached through AF_XDP: " + opened.error());
  }
  devices.push_back({std::move(*opened), config.ifindex, config.tap});
  return config.is_owned() ? config.tap->wear(devices.back().ethdev->mac())
                           : tl::expected<void, std::string>();
}

Dataplane::Dataplane() = default;

tl::expected<std::unique_ptr<Dataplane>, std::string> Dataplane::start(
    const DataplaneConfig& config) {
  std::unique_ptr<Dataplane> result(new Dataplane());
  try {
    result->state_ = std::make_unique<State>(config);
  } catch (const std::runtime_error& error) {
    return tl::unexpected(std::string(error.what()));
  }
  State& state = *result->state_;
  for (const PortConfig& port : config.ports) {
    if (const auto opened = state.open(port); !opened) return tl::unexpected(opened.error());
  }
  lb::PipelineConfig pipeline = config.pipeline;
  pipeline.connections = (config.pipeline.connections + config.workers - 1) / config.workers;
  for (unsigned i = 0; i < config.workers; ++i) {
    Worker::Wiring wiring = state.wiring(i);
    wiring.any_port = state.ports.empty() ? nullptr : state.ports.front().get();
    pipeline.worker = static_cast<std::uint8_t>(i);
    state.workers.push_back(std::make_unique<Worker>(wiring, pipeline, config.idle));
  }
  return result;
}

Dataplane::~Dataplane() {
  if (state_ == nullptr) return;
  for (const auto& worker : state_->workers) worker->stop();
  state_->eal.wait();
  state_->ports.clear();
  for (State::Device& device : state_->devices) {
    device.ethdev.reset();
    if (device.tap == nullptr) port::detach_xdp(device.ifindex);
  }
}

void Dataplane::run() {
  for (unsigned i = 0; i < state_->workers.size(); ++i) {
    state_->eal.launch(i, [worker = state_->workers[i].get()] { worker->run(); });
  }
}

rcu::Publish Dataplane::publish(std::unique_ptr<const lb::Snapshot>& next) {
  return state_->snapshot.publish(next);
}

void Dataplane::grant_lease(lb::LeaseSlot slot, std::int64_t duration_us) {
  const std::uint64_t now = state_->tsc.now();
  const auto ticks = static_cast<std::uint64_t>(static_cast<double>(duration_us) *
                                                static_cast<double>(state_->tsc.hz()) / 1e6);
  state_->leases.grant(slot, now, now + ticks);
}

void Dataplane::revoke_lease(lb::LeaseSlot slot) {
  state_->leases.revoke(slot);
}

void Dataplane::mute_lease(lb::LeaseSlot slot) {
  state_->leases.mute(slot);
}

Dataplane::Send Dataplane::send(net::PortId port, net::Bytes frame, std::int64_t valid_us) {
  MailFrame mail;
  mail.port = port;
  mail.assign(frame);
  mail.not_after =
      state_->tsc.now() + static_cast<std::uint64_t>(static_cast<double>(valid_us) *
                                                     static_cast<double>(state_->tsc.hz()) / 1e6);
  return state_->mailbox_of(port).frames[port].push(mail) ? Send::kQueued : Send::kFull;
}

int Dataplane::doorbell_fd() const {
  return state_->doorbell.fd();
}

void Dataplane::silence_doorbell() {
  state_->doorbell.silence();
}

bool Dataplane::all_sent() const {
  for (std::size_t i = 0; i < state_->devices.size(); ++i) {
    const auto port = static_cast<net::PortId>(i);
    if (state_->mailbox_of(port).frames[port].write_available() < Mailbox::kFrames) return false;
  }
  return true;
}

bool Dataplane::has_room(net::PortId port) const {
  return state_->mailbox_of(port).frames[port].write_available() > Mailbox::kFrames / 2;
}

bool Dataplane::receive_mail(const MailHandlers& handlers) {
  state_->doorbell.arm();
  std::size_t handled = 0;
  const auto consume = [&handled](auto& queue, const auto& handler) {
    for (std::size_t i = 0; i < kMailPerCall && queue.read_available() > 0; ++i, ++handled) {
      handler(queue.front());
      queue.pop();
    }
  };
  for (const auto& worker : state_->workers) {
    Mailbox& mailbox = worker->mailbox();
    consume(mailbox.adverts, [&handlers](const MailFrame& mail) {
      handlers.advert(mail.port, {mail.bytes.data(), mail.length});
    });
    consume(mailbox.neighbours, handlers.neighbour);
    consume(mailbox.connections, handlers.connection);
    consume(mailbox.explanations, handlers.explanation);
  }
  return handled > 0;
}

Dataplane::Send Dataplane::list_connections(unsigned worker, const ListingRequest& request) {
  return state_->workers[worker]->mailbox().listings.push(request) ? Send::kQueued : Send::kFull;
}

Dataplane::Send Dataplane::capture(unsigned worker, std::shared_ptr<Capture> capture) {
  auto& queue = state_->workers[worker]->mailbox().captures;
  return queue.push(std::move(capture)) ? Send::kQueued : Send::kFull;
}

void Dataplane::share_load(const lb::RealServer& real) {
  const auto own = [&real](const Worker& worker) {
    const lb::RealCounters& counters = worker.pipeline().real_counters(real.slot);
    const bool current = counters.generation.get() == real.generation;
    return current ? lb::Load{counters.active.get(), counters.inactive.get()} : lb::Load{};
  };
  lb::Load all;
  for (const auto& worker : state_->workers) {
    const lb::Load load = own(*worker);
    all.active += load.active;
    all.inactive += load.inactive;
  }
  for (const auto& worker : state_->workers) {
    // Counted again a moment later: never more than there are.
    const lb::Load load = own(*worker);
    worker->pipeline().loads().set_elsewhere(
        real.slot, {all.active - std::min(all.active, load.active),
                    all.inactive - std::min(all.inactive, load.inactive)});
  }
}

unsigned Dataplane::worker_count() const {
  return static_cast<unsigned>(state_->workers.size());
}
const Worker& Dataplane::worker(unsigned index) const {
  return *state_->workers[index];
}
std::uint32_t Dataplane::now_s() const {
  return static_cast<std::uint32_t>(state_->tsc.now() / state_->tsc.hz());
}
// Every worker can tell whose packet it is; that one has the connection, and its answer counts.
Dataplane::Send Dataplane::explain(const ExplainRequest& request) {
  const lb::Snapshot* snapshot = state_->snapshot.load();
  if (snapshot == nullptr) return Send::kFull;
  const std::uint8_t owner = state_->workers[0]->pipeline().owner_of(
      *snapshot, request.source, request.destination, request.protocol);
  return state_->workers[owner]->mailbox().questions.push(request) ? Send::kQueued : Send::kFull;
}

void Dataplane::sample_stages(bool on) {
  for (const auto& worker : state_->workers) worker->stages().set(on);
}

lb::StageFigures Dataplane::stage_figures(unsigned worker) const {
  return state_->workers[worker]->stages().figures();
}

std::uint64_t Dataplane::cycles_per_s() const {
  return state_->tsc.hz();
}
bool Dataplane::hugepages() const {
  return state_->eal.hugepages();
}
void Dataplane::follow_links() {
  for (const State::Device& device : state_->devices) {
    if (device.tap == nullptr) continue;
    device.tap->set_carrier(device.ethdev->link_up() ? port::Carrier::kUp : port::Carrier::kDown);
  }
}

std::uint64_t Dataplane::missed(net::PortId port) const {
  return state_->devices[port].ethdev->missed();
}

}  // namespace keepline::worker
