// Lets the VRRP instances speak through the dataplane: frames, leases and addresses, and one timer.
//
// Control thread only. vrrp::Speaker decides; this puts its packets into Ethernet frames and its
// news into the log, and passes the rest to the application, which implements VrrpHost.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "control/clock.h"
#include "control/running.h"
#include "dataplane/neigh/nd.h"
#include "dataplane/neigh/next_hops.h"
#include "vrrp/speaker.h"

namespace keepline::control {

/// What the driver needs done. Instances are named by their leases, as everywhere in VRRP.
class VrrpHost {
 public:
  virtual ~VrrpHost() = default;
  /// Pass on what has come in (VrrpDriver::handle_frame): no timer overtakes an advert.
  virtual void receive_frames() = 0;
  using Send = vrrp::Host::Send;
  virtual Send send_frame(net::PortId port, net::Bytes frame, std::int64_t valid_us) = 0;
  /// Whether clients may be led here: the kernel has the addresses, and the port's way out room for
  /// more than adverts.
  virtual bool may_announce(std::size_t instance, net::PortId port) = 0;
  using Answers = vrrp::Host::Answers;
  virtual void grant_lease(std::size_t instance, std::int64_t duration_us, Answers answers) = 0;
  virtual void revoke_lease(std::size_t instance) = 0;
  /// Another node is about to forward for the instance's VIPs as well.
  virtual void share(std::size_t instance) = 0;
  /// Answer no more ARP for them, but forward on until the lease ends.
  virtual void mute(std::size_t instance) = 0;
  /// Give the kernel the addresses, or take them away. The dataplane answers by the lease alone.
  virtual void acquire_addresses(std::size_t instance) = 0;
  virtual void release_addresses(std::size_t instance) = 0;
  /// The way to a peer, as the kernel knows it now.
  virtual neigh::NextHop next_hop(std::size_t instance, const net::IpAddr& peer) const = 0;
  /// Whether this node forwards IPv6: its neighbour advertisements say so.
  virtual neigh::Role role() const = 0;
  // News, for notifications.
  virtual void state_changed(std::size_t instance, const vrrp::StateChanged& change) = 0;
  virtual void group_changed(std::size_t group, vrrp::State to) = 0;
  virtual void lower_priority_heard(std::size_t instance) = 0;
  /// The effective one.
  virtual void priority_changed(std::size_t instance, int priority) = 0;
};

class VrrpDriver final : private vrrp::Host {
 public:
  VrrpDriver(boost::asio::any_io_executor executor, const Running& running, VrrpHost& host);

  /// Once: again, or after leave(), it does nothing.
  void start(std::size_t instance);
  /// After a reload: new instances are there, to be started; those that stay are told what has
  /// changed; those that went must have left.
  void follow();
  /// Make before break: masters say goodbye (priority 0), but serve on until a successor speaks
  /// or a bound has passed; then all is released and `on_left` called.
  void leave(const std::vector<std::size_t>& instances, std::function<void()> on_left);
  /// Masters among them hand over (vrrp::Speaker); then `on_done` is called.
  void hand_over(const std::vector<std::size_t>& instances, std::function<void()> on_done);
  void take_back(const std::vector<std::size_t>& instances) { speaker_.take_back(instances); }
  void stand_by(const std::vector<std::size_t>& instances) { speaker_.stand_by(instances); }
  /// All of them, for good; an `on_left` that waits is forgotten. Called once.
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
  /// BFD has lost who has the address: see vrrp::Speaker::master_lost.
  void master_lost(std::size_t instance, const net::IpAddr& address, std::int64_t interval_us);
  /// The interface's primary address changed; zero: it has none.
  void set_source(std::size_t instance, const net::IpAddr& source);

  const vrrp::Speaker& speaker() const { return speaker_; }
  /// When the instance entered its state; 0: it never did.
  std::int64_t since_unix_s(std::size_t instance) const { return told_[instance].since_unix_s; }
  /// For how long it has been in its state, by a clock that nobody sets; 0: it entered none.
  std::uint64_t state_age_s(std::size_t instance) const;

 private:
  // vrrp::Host.
  Send send_advert(std::size_t instance, const net::IpAddr& destination, net::Bytes packet,
                   std::int64_t valid_us) override;
  bool may_announce(std::size_t instance) override;
  void announce(std::size_t instance, const net::IpAddr& vip) override;
  /// `owner` is whom clients are led to.
  void announce(const PlacedVip& vip, const net::Mac& owner, const net::Mac& from);
  const PlacedInstance& placed_of(std::size_t instance) const;
  void grant_lease(std::size_t instance, std::int64_t duration_us, Answers answers) override {
    // Whatever has stopped this thread since the decision has not stopped the peers.
    host_.grant_lease(instance, duration_us - (now_us() - turn_us_), answers);
  }
  void revoke_lease(std::size_t instance) override { host_.revoke_lease(instance); }
  void claim(std::size_t instance) override;
  void share(std::size_t instance) override { host_.share(instance); }
  void mute(std::size_t instance) override { host_.mute(instance); }
  void succeeded(std::size_t instance) override { told_[instance].successor = last_sender_; }
  void lead_to_successor(std::size_t instance) override;
  void acquire_addresses(std::size_t instance) override { host_.acquire_addresses(instance); }
  void release_addresses(std::size_t instance) override { host_.release_addresses(instance); }
  std::int64_t wall_us() override;
  void state_changed(std::size_t instance, const vrrp::StateChanged& change) override;
  void noticed(std::size_t instance, const vrrp::Notice& notice) override;

  net::PortId port_of(std::size_t instance) const;
  const std::string& name_of(std::size_t instance) const;
  void log_fault(std::size_t index, vrrp::FaultCause cause, bool present) const;
  void follow(std::size_t index);
  void follow_groups();
  vrrp::State state_of(const std::vector<std::size_t>& members) const;
  void note_group(std::size_t instance);
  bool is_done() const { return speaker_.has_left() || !speaker_.is_leaving(); }
  std::int64_t begin_turn() { return turn_us_ = now_us(); }
  void on_timer();
  void arm();

  boost::asio::steady_timer timer_;
  const Running& running_;
  VrrpHost& host_;
  vrrp::Speaker speaker_;
  std::int64_t turn_us_ = 0;  ///< What time it is for the speaker.
  struct Told {
    net::Mac advert_mac;
    std::int64_t since_unix_s = 0;
    std::int64_t since_us = 0;  ///< The same by now_us().
    net::Mac successor;
  };
  std::vector<Told> told_;  ///< By instance.
  net::Mac last_sender_;    ///< Of the frame that is looked at, or was last.
  struct Group {
    std::vector<std::size_t> members;
    vrrp::State state = vrrp::State::kInit;
  };
  std::vector<Group> groups_;      ///< As config.sync_groups.
  std::function<void()> on_left_;  ///< Set: some or all are leaving.
};

}  // namespace keepline::control
