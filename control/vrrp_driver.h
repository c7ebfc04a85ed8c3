// Drives the VRRP machines: adverts and time in, frames, leases and addresses out.
//
// Control thread only. The machines decide (vrrp/); this carries their actions out in order
// through a Host, which the application implements, and keeps one timer armed.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "control/plan/topology.h"
#include "vrrp/handover/announcer.h"
#include "vrrp/handover/departure.h"
#include "vrrp/instance.h"
#include "vrrp/router.h"

namespace keepline::control {

/// What the driver needs done. Indexes are those of config.vrrp_instances.
class VrrpHost {
 public:
  virtual ~VrrpHost() = default;
  enum class Send : std::uint8_t { kQueued, kFailed };
  virtual Send send_frame(net::PortId port, net::Bytes frame, std::int64_t valid_us) = 0;
  /// Whether the port's way out has room for more than adverts.
  virtual bool may_announce(net::PortId port) = 0;
  virtual void grant_lease(std::size_t instance, std::int64_t duration_us) = 0;
  virtual void revoke_lease(std::size_t instance) = 0;
  /// Answer no more ARP for the instance's VIPs, but forward on until the lease ends.
  virtual void mute(std::size_t instance) = 0;
  /// Give the kernel the addresses, or take them away. The dataplane answers by the lease alone.
  virtual void acquire_addresses(std::size_t instance) = 0;
  virtual void release_addresses(std::size_t instance) = 0;
};

class VrrpDriver {
 public:
  VrrpDriver(boost::asio::any_io_executor executor, const config::Config& config,
             const Topology& topology, VrrpHost& host);

  void start();
  /// Make before break: masters say goodbye (priority 0), but serve on until a successor speaks
  /// or a bound has passed; then all is released and `on_left` called. Called once.
  void leave(std::function<void()> on_left);
  /// At once: what is still held is released; nothing happens afterwards.
  void stop();

  /// A VRRP frame, from its Ethernet header on.
  void handle_frame(net::PortId port, net::Bytes frame);
  /// Sets or clears a fault of all instances on a port.
  void set_port_fault(net::PortId port, vrrp::FaultCause cause, bool present);
  /// Sets or clears a fault of one instance.
  void set_fault(std::size_t instance, vrrp::FaultCause cause, bool present);
  void set_priority(std::size_t instance, std::uint8_t effective);
  /// The interface's primary address changed; zero: it has none.
  void set_source(std::size_t instance, net::Ip4 source);

  struct Member {
    vrrp::Instance machine;
    vrrp::Announcer announcer;
    net::PortId port;
    net::Mac advert_mac;  ///< Of the adverts.
    std::size_t group;    ///< Index into groups_, or kNoGroup.
    bool advert_failed = false;
    std::int64_t since_unix_s = 0;
  };
  const std::vector<Member>& members() const { return members_; }
  std::uint64_t unknown_vrid() const { return router_.unknown_vrid(); }

 private:
  static constexpr std::size_t kNoGroup = static_cast<std::size_t>(-1);

  void add_instance(const config::VrrpInstance& instance, const PlacedInstance& placed);
  void add_groups(const config::Config& config);
  void reject_on_port(net::PortId port, const vrrp::Rejection& rejection, std::int64_t now);
  void check_departures();
  void settle(std::size_t index);
  void settle_group(std::size_t group);
  void carry_out(std::size_t index);
  void perform(std::size_t index, const vrrp::Action& action);
  void send_advert(std::size_t index, std::uint8_t priority);
  void heard_lower_priority(std::size_t index);
  void announce(std::size_t index, std::int64_t now);
  void log_notice(const Member& member, const vrrp::Notice& notice);
  void on_timer();
  void arm();

  boost::asio::steady_timer timer_;
  const Topology& topology_;
  VrrpHost& host_;
  std::vector<Member> members_;
  std::vector<vrrp::GarpGap> gaps_;  ///< By port.
  std::vector<std::vector<std::size_t>> groups_;
  vrrp::Router router_;
  std::map<std::size_t, vrrp::Departure> departures_;
  std::function<void()> on_left_;  ///< Set: leaving.
  bool stopped_ = false;
};

}  // namespace keepline::control
