// The composition root: owns every part of the running daemon and connects them.
//
// Everything here runs on the control thread. Construction order is start order; stop() undoes it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/check_driver.h"
#include "control/dataplane_config.h"
#include "control/dump/dumper.h"
#include "control/figures.h"
#include "control/instance_watch.h"
#include "control/kernel/executor.h"
#include "control/kernel/membership.h"
#include "control/kernel/mirror.h"
#include "control/kernel/netdev_hold.h"
#include "control/load_sharer.h"
#include "control/local_port_watch.h"
#include "control/neighbours.h"
#include "control/notify/notifier.h"
#include "control/options.h"
#include "control/peer_hops.h"
#include "control/publisher.h"
#include "control/reports.h"
#include "control/vip_addresses.h"
#include "control/vrrp_driver.h"
#include "control/worker_watch.h"
#include "dataplane/port/virtual_mac.h"

namespace keepline::control {

class App final : public VrrpHost {
 public:
  /// A checked configuration, with the kernel's state and the topology made of both.
  struct Setup {
    Options options;
    std::shared_ptr<const config::Config> config;
    std::shared_ptr<const Topology> topology;
    std::unique_ptr<Mirror> mirror;
    Taps taps;
  };

  /// Attaches the ports, but speaks to nobody yet. Throws std::runtime_error; then everything is
  /// as it was.
  explicit App(Setup setup);
  ~App() override;

  /// Until a signal says stop. `on_started` is called once everything runs.
  void run(const std::function<void()>& on_started);
  const std::shared_ptr<const config::Config>& config() const { return setup_.config; }

 private:
  // Start, in this order.
  void keep_tags();
  void learn_macs();
  void start_dataplane();
  void start_memberships();
  void start_services();
  void start_vrrp();
  void start_rates();
  void watch_local_ports(const lb::RealServer& real, const RealFigures& figures, std::uint64_t all);
  void start_api();
  void watch_signals();
  void watch_kernel();
  void watch_mail();
  void watch_health();
  void stop();
  void finish();
  void wait_to_end();

  // VrrpHost.
  Send send_frame(net::PortId port, net::Bytes frame, std::int64_t valid_us) override;
  bool may_announce(net::PortId port) override { return dataplane_->has_room(port); }
  void grant_lease(std::size_t instance, std::int64_t duration_us) override;
  void revoke_lease(std::size_t instance) override {
    dataplane_->revoke_lease(static_cast<lb::LeaseSlot>(instance));
  }
  void mute(std::size_t instance) override {
    dataplane_->mute_lease(static_cast<lb::LeaseSlot>(instance));
  }
  void acquire_addresses(std::size_t instance) override;
  void release_addresses(std::size_t instance) override;
  neigh::NextHop next_hop(std::size_t instance, const net::IpAddr& peer) const override {
    return peer_hops_.to(instance, peer);
  }
  neigh::Role role() const override {
    return view_->ip6_forward ? neigh::Role::kRouter : neigh::Role::kHost;
  }
  void state_changed(std::size_t instance, const vrrp::StateChanged& change) override;
  void group_changed(std::size_t group, vrrp::State to) override {
    notifier_->group_changed(group, to);
  }
  void lower_priority_heard(std::size_t instance) override;
  void priority_changed(std::size_t instance, int priority) override {
    notifier_->priority_changed(instance, vrrp_->speaker().instance(instance).state(), priority);
  }

  void handle_kernel_news();
  void take_kernel_view();
  void check_worker();
  PlanInput plan_input() const;

  Setup setup_;
  boost::asio::io_context io_{1};
  boost::asio::signal_set signals_;
  boost::asio::posix::stream_descriptor kernel_news_;
  boost::asio::posix::stream_descriptor doorbell_;
  boost::asio::steady_timer health_timer_;
  boost::asio::steady_timer news_timer_;
  bool news_pending_ = false;
  checks::Children children_;
  std::vector<NetdevHold> holds_;
  std::unique_ptr<KernelExecutor> kernel_;
  std::unique_ptr<VipAddresses> vips_;
  std::unique_ptr<NeighbourKeeper> neighbours_;
  std::unique_ptr<worker::Dataplane> dataplane_;
  std::map<unsigned, std::unique_ptr<port::VirtualMacs>> virtual_macs_;  ///< By ifindex.
  Memberships memberships_;
  std::shared_ptr<const KernelView> view_;
  std::unique_ptr<CheckDriver> checks_;
  std::unique_ptr<Publisher> publisher_;
  std::unique_ptr<VrrpDriver> vrrp_;
  std::unique_ptr<Notifier> notifier_;
  std::unique_ptr<InstanceWatch> watch_;
  std::unique_ptr<RateSampler> rates_;
  std::unique_ptr<LoadSharer> loads_;
  LocalPortWatch local_ports_;
  std::unique_ptr<Reports> reports_;
  std::unique_ptr<api::Server> api_;
  std::unique_ptr<dump::Dumper> dumper_;
  bool stopping_ = false;
  bool ending_ = false;
  std::int64_t goodbye_until_us_ = 0;
  PeerHops peer_hops_;
  WorkerWatch worker_watch_;
  std::int64_t health_due_us_ = 0;
  ControlLag lag_;
};

}  // namespace keepline::control
