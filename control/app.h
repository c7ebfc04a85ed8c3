// The composition root: owns every part of the running daemon and connects them.
//
// Everything here runs on the control thread. Construction order is start order; stop() undoes it.
// In five files: app_vrrp.cc is VRRP's host, app_kernel.cc follows the kernel's news, app_reload.cc
// has what happens at a reload, app_failover.cc what `keepline failover` does, app.cc the rest.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "control/arrival.h"
#include "control/bfd_driver.h"
#include "control/check_driver.h"
#include "control/dataplane_config.h"
#include "control/dump/dumper.h"
#include "control/figures.h"
#include "control/instance_watch.h"
#include "control/kernel/executor.h"
#include "control/kernel/mirror.h"
#include "control/kernel/netdev_hold.h"
#include "control/load_sharer.h"
#include "control/local_port_watch.h"
#include "control/neighbours.h"
#include "control/notify/notifier.h"
#include "control/options.h"
#include "control/peer_hops.h"
#include "control/plan/lost_ports.h"
#include "control/port_filters.h"
#include "control/publisher.h"
#include "control/real_time.h"
#include "control/reloader.h"
#include "control/reports.h"
#include "control/running.h"
#include "control/vip_addresses.h"
#include "control/vrrp_driver.h"
#include "control/worker_watch.h"

namespace keepline::control {

class App final : public VrrpHost {
 public:
  /// A checked configuration, with the kernel's state and the topology made of both.
  struct Setup {
    Options options;
    Running running;
    std::unique_ptr<Mirror> mirror;
    Taps taps;
  };

  /// Attaches the ports, but speaks to nobody yet. Throws std::runtime_error; then everything is
  /// as it was.
  explicit App(Setup setup);
  ~App() override;

  /// Until a signal says stop. `on_started` is called once everything runs.
  void run(const std::function<void()>& on_started);
  /// The one that runs.
  const std::shared_ptr<const config::Config>& config() const { return setup_.running.config; }

 private:
  // Start, in this order.
  void keep_tags();
  void learn_macs();
  void start_dataplane();
  void start_services();
  void start_bfd();
  void start_vrrp();
  void start_rates();
  void watch_local_ports(const lb::RealServer& real, const RealFigures& figures, std::uint64_t all);
  void start_api();
  void watch_signals();
  void watch_kernel();
  bool receive_mail();
  void watch_mail();
  void watch_health();
  void stop();
  void finish();
  void wait_to_end();

  // A reload, in this order; anything that is wrong before apply() leaves everything as it is.
  void reload(api::Backend::ReloadCallback reply);
  void begin_reload();
  void judge(std::shared_ptr<Reloader::Loaded> loaded);
  void leave_those_that_go(std::function<void()> then);
  void apply();
  void commit();
  enum class Outcome : std::uint8_t { kApplied, kRefused };
  void end_reload(Outcome outcome);
  bool is_master(lb::LeaseSlot lease) const;
  /// Of the lease, for who has just been succeeded as well.
  bool has_addresses(lb::LeaseSlot lease) const;

  void failover(const api::FailoverQuery& query, api::Backend::FailoverCallback reply);
  /// Of those that the query means; nothing: why there are none.
  tl::expected<std::vector<std::size_t>, std::string> meant_by(const api::FailoverQuery& query);
  /// `masters`: those of `meant` that were it when it was asked for.
  api::FailoverReport handed_over(const std::vector<std::size_t>& meant,
                                  const std::set<std::size_t>& masters, bool is_back) const;
  /// Whoever waits for mastership to be handed over, if anybody; a reload may begin again.
  void answer_failover(api::FailoverReport report);

  // VrrpHost.
  void receive_frames() override { receive_mail(); }
  Send send_frame(net::PortId port, net::Bytes frame, std::int64_t valid_us) override;
  bool may_announce(std::size_t instance, net::PortId port) override;
  void grant_lease(std::size_t instance, std::int64_t duration_us, Answers answers) override;
  void revoke_lease(std::size_t instance) override;
  void share(std::size_t instance) override;
  void mute(std::size_t instance) override;
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
  void priority_changed(std::size_t instance, int priority) override;

  void handle_kernel_news();
  void take_kernel_view();
  void follow_macs();
  void note_lost_ports();
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
  PortFilters filters_;
  std::shared_ptr<const KernelView> view_;
  std::unique_ptr<CheckDriver> checks_;
  std::unique_ptr<Publisher> publisher_;
  std::unique_ptr<BfdDriver> bfd_;
  std::unique_ptr<VrrpDriver> vrrp_;
  std::unique_ptr<Notifier> notifier_;
  std::unique_ptr<InstanceWatch> watch_;
  std::optional<Arrival> arrival_;
  std::unique_ptr<RateSampler> rates_;
  std::unique_ptr<LoadSharer> loads_;
  LocalPortWatch local_ports_;
  std::unique_ptr<Reports> reports_;
  std::unique_ptr<api::Server> api_;
  std::unique_ptr<dump::Dumper> dumper_;
  std::unique_ptr<Reloader> reloader_;
  ReloadHistory reloads_;
  struct Reload {
    std::int64_t begun_us = 0;
    std::shared_ptr<Reloader::Loaded> loaded;
    std::optional<Running> wanted;  ///< What is planned already, but does not run yet.
    std::set<std::size_t> going;    ///< Instances, by lease.
    std::vector<api::Backend::ReloadCallback> replies;
  };
  std::optional<Reload> reload_;                                  ///< Set: one is under way.
  std::vector<api::Backend::ReloadCallback> waiting_for_reload_;  ///< For the one after it.
  bool is_reload_asked_ = false;
  api::Backend::FailoverCallback failover_reply_;  ///< Set: mastership is being handed over.
  bool stopping_ = false;
  bool ending_ = false;
  std::int64_t goodbye_until_us_ = 0;
  PeerHops peer_hops_;
  WorkerWatch worker_watch_;
  RealTime real_time_;
  LostPorts lost_ports_;
  std::int64_t health_due_us_ = 0;
  ControlLag lag_;
};

}  // namespace keepline::control
