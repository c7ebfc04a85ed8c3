#include "dataplane/worker/dataplane.h"

#include <rte_cycles.h>

#include <algorithm>
#include <stdexcept>

#include "dataplane/worker/eal.h"

namespace keepline::worker {

namespace {

constexpr std::size_t kMailPerCall = 256;

class Tsc final : public TickSource {
 public:
  std::uint64_t now() const override { return rte_rdtsc(); }
  std::uint64_t hz() const override { return hz_; }

 private:
  std::uint64_t hz_ = rte_get_tsc_hz();
};

}  // namespace

// In order of construction; destroyed in reverse: the workers first, DPDK last.
struct Dataplane::State {
  explicit State(const DataplaneConfig& config)
      : eal({config.file_prefix, config.workers, memory_mb(config.devices),
             pci_addresses(config.devices)}),
        devices(config.devices, config.workers),
        domain(config.workers),
        mesh(config.workers) {}

  Mailbox& mailbox_of(net::PortId port) { return workers[devices.owner_of(port)]->mailbox(); }
  Worker::Wiring wiring(unsigned worker);

  Eal eal;
  Tsc tsc;
  Devices devices;
  rcu::Domain domain;
  rcu::Cell<lb::Snapshot> snapshot{domain};
  lb::LeaseTable leases{tsc.hz()};
  Mesh mesh;
  Doorbell doorbell;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<int> threads;
};

Worker::Wiring Dataplane::State::wiring(unsigned worker) {
  Worker::Wiring wiring;
  wiring.id = worker;
  wiring.ports = devices.ports_of(worker);
  for (std::size_t id = 0; id < devices.port_count(); ++id) {
    const unsigned owner = devices.owner_of(static_cast<net::PortId>(id));
    wiring.owners.push_back(static_cast<std::uint8_t>(owner));
  }
  wiring.any_port = devices.any_port();
  wiring.domain = &domain;
  wiring.snapshot = &snapshot;
  wiring.leases = &leases;
  wiring.ticks = &tsc;
  wiring.mesh = &mesh;
  wiring.doorbell = &doorbell;
  return wiring;
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
  const auto opened = state.devices.open(config.devices, config.ports);
  if (!opened) return tl::unexpected(opened.error());
  lb::PipelineConfig pipeline = config.pipeline;
  pipeline.connections = (config.pipeline.connections + config.workers - 1) / config.workers;
  for (unsigned i = 0; i < config.workers; ++i) {
    Worker::Wiring wiring = state.wiring(i);
    pipeline.worker = static_cast<std::uint8_t>(i);
    state.workers.push_back(std::make_unique<Worker>(wiring, pipeline, config.idle));
  }
  return result;
}

Dataplane::~Dataplane() {
  if (state_ == nullptr) return;
  for (const auto& worker : state_->workers) worker->stop();
  state_->eal.wait();
}

void Dataplane::run() {
  for (unsigned i = 0; i < state_->workers.size(); ++i) {
    const auto body = [worker = state_->workers[i].get()] { worker->run(); };
    state_->threads.push_back(state_->eal.launch(i, body));
  }
}

const std::vector<int>& Dataplane::threads() const {
  return state_->threads;
}

rcu::Publish Dataplane::publish(std::unique_ptr<const lb::Snapshot>& next) {
  return state_->snapshot.publish(next);
}

void Dataplane::grant_lease(lb::LeaseSlot slot, std::int64_t duration_us, bool muted) {
  const std::uint64_t now = state_->tsc.now();
  const auto ticks = static_cast<std::uint64_t>(static_cast<double>(duration_us) *
                                                static_cast<double>(state_->tsc.hz()) / 1e6);
  state_->leases.grant(slot, now, now + ticks, muted);
}

void Dataplane::revoke_lease(lb::LeaseSlot slot) {
  state_->leases.revoke(slot);
}

void Dataplane::mute_lease(lb::LeaseSlot slot) {
  state_->leases.mute(slot);
}

void Dataplane::share_lease(lb::LeaseSlot slot) {
  state_->leases.share(slot, state_->tsc.now());
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
  for (std::size_t i = 0; i < state_->devices.port_count(); ++i) {
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
    consume(mailbox.bfd_events, handlers.bfd);
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

Dataplane::Send Dataplane::order_bfd(const BfdOrder& order) {
  auto& orders = state_->workers[lb::kBfdWorker]->mailbox().bfd_orders;
  return orders.push(order) ? Send::kQueued : Send::kFull;
}

const BfdBoard& Dataplane::bfd_board() const {
  return *state_->workers[lb::kBfdWorker]->bfd_board();
}

std::int64_t Dataplane::now_us() const {
  return to_us(state_->tsc.now(), state_->tsc.hz());
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
void Dataplane::use_nics(std::size_t device, std::uint32_t nics) {
  state_->devices.use_nics(device, nics);
}

void Dataplane::follow_links() {
  state_->devices.follow_links();
}

std::uint64_t Dataplane::missed(net::PortId port) const {
  return state_->devices.missed(port);
}

}  // namespace keepline::worker
