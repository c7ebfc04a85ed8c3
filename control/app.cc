#include "control/app.h"

#include <boost/asio/post.hpp>
#include <chrono>
#include <csignal>
#include <cstring>
#include <stdexcept>

#include "control/api/paths.h"
#include "control/clock.h"
#include "control/dataplane_config.h"
#include "control/figures.h"
#include "control/log.h"

namespace keepline::control {

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

constexpr std::chrono::microseconds kHealthPeriod{WorkerWatch::kPeriod_us};
constexpr milliseconds kGoodbyeLimit{1000};
constexpr milliseconds kAtOnce{20};

}  // namespace

App::App(Setup setup)
    : setup_(std::move(setup)),
      signals_(io_, SIGTERM, SIGINT, SIGHUP),
      kernel_news_(io_),
      doorbell_(io_),
      health_timer_(io_),
      news_timer_(io_),
      children_(io_.get_executor()),
      holds_(hold_devices(*setup_.running.topology)),
      view_(std::make_shared<const KernelView>(setup_.mirror->view())) {
  start_dataplane();
  if (const auto open = filters_.widen(*setup_.running.topology); !open) {
    throw std::runtime_error(open.error());
  }
  start_services();
}

App::~App() {
  // It ends; one more signal must not end it half way.
  signals_.clear();
  for (const int signal : {SIGTERM, SIGINT}) std::signal(signal, SIG_IGN);
  if (kernel_ != nullptr) kernel_->drain();
  publisher_.reset();
  filters_.clear();
  kernel_news_.release();
  if (doorbell_.is_open()) doorbell_.release();
}

void App::start_dataplane() {
  kernel_ =
      std::make_unique<KernelExecutor>(api::footprint_path(setup_.options.instance),
                                       [](const std::string& error) { log::error("{}", error); });
  for (const PlacedPort& port : setup_.running.topology->ports) kernel_->note_netdev(port.netdev);
  for (const PlacedNic& nic : setup_.running.topology->nics()) kernel_->note_netdev(nic.netdev);
  keep_tags();
  auto dataplane = worker::Dataplane::start(dataplane_config(
      setup_.options, *setup_.running.config, *setup_.running.topology, setup_.taps));
  if (!dataplane) throw std::runtime_error(dataplane.error());
  dataplane_ = std::move(*dataplane);
  if (!setup_.taps.empty()) learn_macs();
  use_bonds(*dataplane_, *setup_.running.topology, *view_);
  vips_ = std::make_unique<VipAddresses>(setup_.running, *kernel_, *setup_.mirror);
  neighbours_ = std::make_unique<NeighbourKeeper>(setup_.running, setup_.options.mode, *kernel_);
  if (!dataplane_->hugepages()) log::info("no free hugepages: running without them");
}

// A NIC that takes the tags off its frames hides from XDP whose they are: ours or the kernel's.
void App::keep_tags() {
  for (const PlacedDevice& device : setup_.running.topology->devices) {
    const auto is_on_it = [&](const Link& link) { return link.lower == device.ifindex; };
    if (std::ranges::none_of(view_->links, is_on_it)) continue;
    for (const PlacedNic& nic : device.nics) {
      if (const auto kept = kernel_->keep_tags(nic.netdev); !kept) {
        throw std::runtime_error("VLANs of " + device.netdev + ": " + kept.error());
      }
    }
  }
}

// The NICs that are ours have told their MACs only now; nothing else may move any more.
void App::learn_macs() {
  setup_.mirror->handle_news();
  view_ = std::make_shared<const KernelView>(setup_.mirror->view());
  setup_.running.topology =
      std::make_shared<const Topology>(with_macs_of(*view_, *setup_.running.topology));
}

void App::start_services() {
  if (setup_.options.mode.services) {
    checks_ = std::make_unique<CheckDriver>(io_.get_executor(), setup_.running.config,
                                            [this] { publisher_->request(); });
  }
  publisher_ = std::make_unique<Publisher>(io_, *dataplane_, *setup_.running.topology,
                                           [this] { return plan_input(); });
  if (const auto published = publisher_->publish_first(); !published) {
    throw std::runtime_error(published.error());
  }
}

void App::run(const std::function<void()>& on_started) {
  dataplane_->run();
  worker_watch_.start(dataplane_->worker_count());
  real_time_.follow(setup_.running.config->global, *dataplane_);
  if (setup_.options.mode.vrrp) {
    vrrp_ = std::make_unique<VrrpDriver>(io_.get_executor(), setup_.running, *this);
  }
  start_bfd();
  start_rates();
  start_api();
  watch_signals();
  watch_kernel();
  watch_mail();
  watch_health();
  vips_->take_over(*view_);
  vips_->acquire(lb::kAlwaysOurs);
  neighbours_->update(*view_, publisher_->services());
  peer_hops_.update(setup_.running, *view_);
  vips_->announce_own(role(), *dataplane_, nullptr);
  if (checks_ != nullptr) checks_->start();
  bfd_->follow();
  start_vrrp();
  on_started();
  log::info("keeplined {} started: {} interfaces, {} VRRP instances, {} virtual servers",
            KEEPLINE_VERSION, setup_.running.topology->ports.size(),
            setup_.running.config->vrrp_instances.size(),
            setup_.running.config->virtual_servers.size());
  io_.run();
}

void App::start_bfd() {
  BfdDriver::Handlers handlers;
  handlers.on_change = [this] {
    if (watch_ != nullptr) watch_->session_changed();
  };
  handlers.on_loss = [this](const config::BfdInstance& session, std::int64_t interval_us) {
    if (watch_ != nullptr) watch_->neighbour_lost(session, interval_us);
  };
  bfd_ = std::make_unique<BfdDriver>(setup_.running, setup_.options.mode, *dataplane_,
                                     std::move(handlers));
}

void App::start_vrrp() {
  if (vrrp_ == nullptr) return;
  notifier_ = std::make_unique<Notifier>(setup_.running, children_);
  watch_ = std::make_unique<InstanceWatch>(io_.get_executor(), setup_.running, children_, *vrrp_,
                                           *vips_, *bfd_);
  arrival_.emplace(io_.get_executor(), *vrrp_, *neighbours_, *publisher_, *view_);
  watch_->start(view_);
}

void App::start_rates() {
  RateSampler::Sources sources;
  sources.services = [this]() -> const auto& {
    return publisher_->services();
  };
  sources.traffic = [this](const PlannedService& planned, const lb::RealServer& real) {
    const RealFigures figures = real_figures(*dataplane_, real);
    watch_local_ports(real, figures, local_ports(planned, real));
    return figures.traffic;
  };
  sources.workers = dataplane_->worker_count();
  sources.work = [this](unsigned worker) { return work_of(dataplane_->worker(worker)); };
  sources.now_us = now_us;
  loads_ = std::make_unique<LoadSharer>(
      io_.get_executor(),
      LoadSharer::Sources{sources.services,
                          [this](const lb::RealServer& real) { dataplane_->share_load(real); },
                          sources.workers});
  loads_->start();
  rates_ = std::make_unique<RateSampler>(io_.get_executor(), std::move(sources));
  rates_->start();
}

void App::watch_local_ports(const lb::RealServer& real, const RealFigures& figures,
                            std::uint64_t all) {
  using Change = LocalPortWatch::Change;
  const std::uint64_t used = figures.active + figures.inactive;
  const Change change = local_ports_.note(real, used, all);
  if (change == Change::kNone) return;
  log::warn("{} of {} local ports towards real server {} are in use{}", used, all,
            net::to_string(real.endpoint),
            change == Change::kScarce ? ": more addresses in local_address would help"
                                      : ": enough again");
}

void App::start_api() {
  reloader_ = std::make_unique<Reloader>(io_.get_executor());
  reloads_.loaded_unix_s = ::time(nullptr);
  reports_ = std::make_unique<Reports>(Reports::Sources{
      &setup_.options, &setup_.running, &view_, dataplane_.get(), publisher_.get(), vrrp_.get(),
      bfd_.get(), &lag_, rates_.get(), &reloads_,
      [this](api::Backend::ReloadCallback reply) { reload(std::move(reply)); },
      [this](const api::FailoverQuery& query, api::Backend::FailoverCallback reply) {
        failover(query, std::move(reply));
      }});
  api_ = std::make_unique<api::Server>(io_.get_executor(), *reports_);
  api::listen_or_throw(*api_, setup_.options.socket_path, setup_.running.config->dataplane.metrics);
  dumper_ = std::make_unique<dump::Dumper>(
      io_.get_executor(),
      dump::Sources{setup_.options, setup_.running, view_, vrrp_, watch_, checks_, bfd_});
}

void App::watch_signals() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      reload({});
      watch_signals();
      return;
    }
    log::info("stopping on signal {}", signal);
    stop();
    watch_signals();
  });
}

// Whether there was any, of which there may be more.
bool App::receive_mail() {
  const worker::Dataplane::MailHandlers handlers = {
      [this](net::PortId port, net::Bytes frame) {
        if (vrrp_ != nullptr) vrrp_->handle_frame(port, frame);
      },
      [this](const lb::NeighbourSeen& seen) { neighbours_->learn(seen, *view_); },
      [this](const worker::ConnectionRecord& record) { reports_->handle_record(record); },
      [this](const worker::ExplainRecord& record) { reports_->handle_explanation(record); },
      [this](const worker::BfdEvent& event) {
        bfd_->handle(event);
        if (event.is_end) neighbours_->update(*view_, publisher_->services());
      }};
  return dataplane_->receive_mail(handlers);
}

void App::watch_mail() {
  if (!doorbell_.is_open()) doorbell_.assign(dataplane_->doorbell_fd());
  if (receive_mail()) {
    // More may be waiting: give the other handlers their turn, then look again.
    asio::post(io_, [this] { watch_mail(); });
    return;
  }
  doorbell_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [this](const boost::system::error_code& error) {
                         if (error) return;
                         dataplane_->silence_doorbell();
                         watch_mail();
                       });
}

void App::watch_health() {
  health_due_us_ = now_us() + WorkerWatch::kPeriod_us;
  health_timer_.expires_after(kHealthPeriod);
  health_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    lag_.last_us = static_cast<std::uint64_t>(std::max<std::int64_t>(now_us() - health_due_us_, 0));
    lag_.max_us = std::max(lag_.max_us, lag_.last_us);
    check_worker();
    bfd_->refresh();
    dataplane_->follow_links();
    watch_health();
  });
}

// An instance whose traffic no worker carries must not be master.
void App::check_worker() {
  if (vrrp_ == nullptr) return;
  std::int64_t interval_us = vrrp::kSecond_us;
  for (const PlacedInstance& placed : setup_.running.topology->instances) {
    const vrrp::Instance& machine = vrrp_->speaker().instance(placed.lease);
    interval_us = std::min(interval_us, machine.config().advert_interval_us);
  }
  const bool stalled =
      worker_watch_.is_any_stalled(*dataplane_, WorkerWatch::patience(interval_us));
  for (std::size_t i = 0; i < setup_.running.topology->ports.size(); ++i) {
    vrrp_->set_port_fault(static_cast<net::PortId>(i), vrrp::FaultCause::kWorkerStalled, stalled);
  }
}

// The first signal leaves in good order, a second one at once.
void App::stop() {
  if (std::exchange(stopping_, true)) {
    if (vrrp_ != nullptr) vrrp_->stop();
    goodbye_until_us_ = now_us() + std::chrono::microseconds(kAtOnce).count();
    if (!ending_) finish();
    return;
  }
  answer_failover({"the daemon was stopped meanwhile: all of it leaves", {}});
  if (checks_ != nullptr) checks_->stop();
  if (watch_ != nullptr) watch_->stop();
  if (vrrp_ == nullptr) {
    finish();
    return;
  }
  vrrp_->leave([this] { finish(); });
}

// The last adverts are to leave, and what notify_stop says is to be said, within a moment.
void App::finish() {
  vips_->release(lb::kAlwaysOurs);
  bfd_->stop();
  api_->stop();
  ending_ = true;
  if (goodbye_until_us_ == 0) {
    goodbye_until_us_ = now_us() + std::chrono::microseconds(kGoodbyeLimit).count();
  }
  wait_to_end();
}

void App::wait_to_end() {
  const bool is_done =
      dataplane_->all_sent() && bfd_->is_quiet() && (notifier_ == nullptr || notifier_->is_idle());
  if (is_done || now_us() >= goodbye_until_us_) {
    io_.stop();
    return;
  }
  health_timer_.expires_after(milliseconds(1));
  health_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) wait_to_end();
  });
}

PlanInput App::plan_input() const {
  PlanInput input;
  const Running& running = reload_ && reload_->wanted ? *reload_->wanted : setup_.running;
  input.config = running.config;
  input.topology = running.topology;
  input.kernel = view_;
  if (checks_ != nullptr) input.health = checks_->health();
  input.mode = setup_.options.mode;
  input.workers = dataplane_->worker_count();
  input.now_s = dataplane_->now_s();
  return input;
}

}  // namespace keepline::control
