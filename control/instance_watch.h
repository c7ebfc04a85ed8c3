// What the kernel and the tracking scripts say about the VRRP instances, as they hear it.
//
// Control thread. Starts each instance when the start-up delay is over and all that it tracks
// without weight has an outcome; afterwards keeps its faults, priority and source address current.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>

#include "control/bfd_driver.h"
#include "control/file_tracker.h"
#include "control/plan/link_delays.h"
#include "control/process_tracker.h"
#include "control/script_tracker.h"
#include "control/vip_addresses.h"
#include "control/vrrp_driver.h"

namespace keepline::control {

class InstanceWatch {
 public:
  InstanceWatch(boost::asio::any_io_executor executor, const Running& running,
                checks::Children& children, VrrpDriver& vrrp, VipAddresses& vips,
                const BfdDriver& sessions);

  void start(std::shared_ptr<const KernelView> view);
  void update(std::shared_ptr<const KernelView> view);
  /// A BFD session has come up, or is down.
  void session_changed() { apply(); }
  /// After a session to a neighbour went down because it died: see vrrp::Speaker::master_lost.
  void neighbour_lost(const config::BfdInstance& session, std::int64_t interval_us);
  /// After a reload, when the driver has the new instances.
  void follow();
  /// The node is leaving: nothing is told any more.
  void stop();

  const ScriptTracker& scripts() const { return scripts_; }
  const FileTracker& files() const { return files_; }
  const ProcessTracker& processes() const { return processes_; }

 private:
  void apply();
  void apply_to(std::size_t index);
  void look_at_links();

  const Running& running_;
  VrrpDriver& vrrp_;
  VipAddresses& vips_;
  const BfdDriver& sessions_;
  ScriptTracker scripts_;
  FileTracker files_;
  ProcessTracker processes_;
  boost::asio::steady_timer delay_;
  LinkDelays link_delays_;
  boost::asio::steady_timer link_timer_;
  std::shared_ptr<const KernelView> view_;
  KernelView links_;  ///< Nothing but the links, as they count now.
  bool may_start_ = false;
  bool stopped_ = false;
};

}  // namespace keepline::control
