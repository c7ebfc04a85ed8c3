#include "dataplane/worker/dataplane.h"

#include <rte_cycles.h>

#include <stdexcept>

#include "dataplane/port/ethdev_port.h"
#include "dataplane/port/steering.h"
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

// Each queue's fill ring, its transmit ring and what is on its way; a power of two less one is what
// a mempool holds best.
unsigned buffer_count(const std::vector<PortConfig>& ports) {
  unsigned queues = 1;
  for (const PortConfig& port : ports) queues += port.queues;
  return std::bit_ceil(kBuffersPerQueue * queues) - 1;
}

}  // namespace

// In order of construction; destroyed in reverse: the worker first, DPDK last.
struct Dataplane::State {
  State(const DataplaneConfig& config, unsigned memory_mb)
      : eal({config.file_prefix, 1, memory_mb}),
        pool(buffer_count(config.ports), largest_mtu(config.ports)) {}

  Eal eal;
  Tsc tsc;
  port::SteerObject steer_object;
  port::BufferPool pool;
  std::vector<std::unique_ptr<port::EthdevPort>> ports;
  std::vector<unsigned> ifindexes;
  rcu::Domain domain{1};
  rcu::Cell<lb::Snapshot> snapshot{domain};
  lb::LeaseTable leases;
  std::unique_ptr<Worker> worker;
};

Dataplane::Dataplane() = default;

tl::expected<std::unique_ptr<Dataplane>, std::string> Dataplane::start(
    const DataplaneConfig& config) {
  std::unique_ptr<Dataplane> result(new Dataplane());
  const std::uint64_t buffer_bytes =
      std::uint64_t{buffer_count(config.ports)} * (largest_mtu(config.ports) + 1024);
  try {
    result->state_ =
        std::make_unique<State>(config, static_cast<unsigned>((buffer_bytes >> 20) + 64));
  } catch (const std::runtime_error& error) {
    return tl::unexpected(std::string(error.what()));
  }
  State& state = *result->state_;
  Worker::Wiring wiring;
  for (std::size_t i = 0; i < config.ports.size(); ++i) {
    const PortConfig& port = config.ports[i];
    const std::string arguments = "iface=" + port.netdev +
                                  ",start_queue=0,queue_count=" + std::to_string(port.queues) +
                                  ",xdp_prog=" + state.steer_object.path();
    auto opened = port::EthdevPort::open("net_af_xdp" + std::to_string(i), arguments, port.queues,
                                         state.pool);
    if (!opened) {
      return tl::unexpected("interface " + port.netdev +
                            " cannot be attached through AF_XDP: " + opened.error());
    }
    state.ports.push_back(std::move(*opened));
    state.ifindexes.push_back(port.ifindex);
    wiring.ports.push_back(state.ports.back().get());
  }
  wiring.domain = &state.domain;
  wiring.snapshot = &state.snapshot;
  wiring.leases = &state.leases;
  wiring.ticks = &state.tsc;
  state.worker = std::make_unique<Worker>(wiring, config.pipeline, config.idle);
  return result;
}

Dataplane::~Dataplane() {
  if (state_ == nullptr) return;
  if (state_->worker != nullptr) state_->worker->stop();
  state_->eal.wait();
  state_->ports.clear();
  for (const unsigned ifindex : state_->ifindexes) port::detach_xdp(ifindex);
}

void Dataplane::run() {
  state_->eal.launch(0, [worker = state_->worker.get()] { worker->run(); });
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
  return state_->worker->mailbox().frames[port].push(mail) ? Send::kQueued : Send::kFull;
}

int Dataplane::doorbell_fd() const {
  return state_->worker->mailbox().doorbell.fd();
}

void Dataplane::silence_doorbell() {
  state_->worker->mailbox().doorbell.silence();
}

bool Dataplane::all_sent() const {
  for (std::size_t port = 0; port < state_->ports.size(); ++port) {
    if (state_->worker->mailbox().frames[port].write_available() < Mailbox::kFrames) return false;
  }
  return true;
}

bool Dataplane::has_room(net::PortId port) const {
  return state_->worker->mailbox().frames[port].write_available() > Mailbox::kFrames / 2;
}

bool Dataplane::receive_mail(const MailHandlers& handlers) {
  Mailbox& mailbox = state_->worker->mailbox();
  mailbox.doorbell.arm();
  std::size_t handled = 0;
  const auto consume = [&handled](auto& queue, const auto& handler) {
    for (std::size_t i = 0; i < kMailPerCall && queue.read_available() > 0; ++i, ++handled) {
      handler(queue.front());
      queue.pop();
    }
  };
  consume(mailbox.adverts, [&handlers](const MailFrame& mail) {
    handlers.advert(mail.port, {mail.bytes.data(), mail.length});
  });
  consume(mailbox.neighbours, handlers.neighbour);
  consume(mailbox.connections, handlers.connection);
  return handled > 0;
}

Dataplane::Send Dataplane::list_connections(const ListingRequest& request) {
  return state_->worker->mailbox().listings.push(request) ? Send::kQueued : Send::kFull;
}

const Worker& Dataplane::worker() const {
  return *state_->worker;
}
bool Dataplane::hugepages() const {
  return state_->eal.hugepages();
}
std::uint64_t Dataplane::missed(net::PortId port) const {
  return state_->ports[port]->missed();
}

}  // namespace keepline::worker
