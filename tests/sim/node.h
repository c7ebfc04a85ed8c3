// One node: a Speaker, its clock, its receive queue, and a model of its dataplane.
//
// The node is the Speaker's Host and its driver: it wakes for packets and timers, always a little
// late, and takes what was received before what is due. What an operator asks for (stop, failover,
// reload) it does as the daemon does, one after the other. Its dataplane is what it was told last
// and runs on while control is stopped. Whatever happens is told to an Observer before anybody acts
// on it. Bound: kReceiveLimit packets wait, later ones are lost, as in a socket.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>

#include "tests/sim/clock.h"
#include "tests/sim/config_file.h"
#include "tests/sim/kernel.h"
#include "tests/sim/network.h"
#include "tests/sim/random.h"
#include "tests/sim/schedule.h"
#include "vrrp/speaker.h"

namespace keepline::vrrp::sim {

class Node;

/// Sees all that a node does. `lan` is the instance's number as well.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void booted(const Node& node) = 0;
  virtual void run_begins(const Node& node) = 0;
  virtual void prioritised(const Node& node, std::size_t lan) = 0;
  /// A reload: the instance is new, is told its configuration, is gone.
  virtual void added(const Node& node, std::size_t lan, const InstanceConfig& config) = 0;
  virtual void reconfigures(const Node& node, std::size_t lan, const InstanceConfig& config) = 0;
  virtual void removed(const Node& node, std::size_t lan) = 0;
  /// A master begins to leave, make before break, or to hand over.
  virtual void departs(const Node& node, std::size_t lan, bool hands_over) = 0;
  virtual void takes_back(const Node& node, std::size_t lan) = 0;
  /// Whether an advert must be taken by who hears it now.
  virtual bool must_take(const Node& node, const Packet& packet) const = 0;
  virtual void hears(const Node& node, const Packet& packet) = 0;
  virtual void has_heard(const Node& node, const Packet& packet) = 0;
  virtual void sends(const Node& node, std::size_t lan, net::Bytes bytes) = 0;
  /// `heard`: the client hears it.
  virtual void announces(const Node& node, std::size_t lan, const net::IpAddr& vip, bool heard) = 0;
  /// Tells the other nodes of the LAN that it is about to forward for the VIPs.
  virtual void claims(const Node& node, std::size_t lan) = 0;
  /// Tells the LAN that the VIPs are at `successor`, as the daemon does. `heard`: the client hears
  /// it.
  virtual void leads_to(const Node& node, std::size_t lan, std::size_t successor, bool heard) = 0;
  virtual void changes(const Node& node, std::size_t lan, const StateChanged& change) = 0;
  virtual void notices(const Node& node, std::size_t lan, const Notice& notice) = 0;
  virtual void run_ends(const Node& node) = 0;
};

class Node final : public Host {
 public:
  static constexpr std::size_t kReceiveLimit = 64;

  /// What the dataplane was told of an instance.
  struct Dataplane {
    std::int64_t lease_until_us = 0;  ///< In real time; the dataplane counts by the node's clock.
    std::int64_t lease_until_local_us = 0;
    /// What has been renewed since, or when another one was about to have it as well.
    std::int64_t began_us = -kNever_us;
    bool muted = false;
    bool addresses = false;  ///< Asked for.
    Kernel kernel;
  };

  Node(const Schedule& schedule, std::size_t number, Network& network, Observer& observer,
       Random random);

  /// Faults of this node; the end of one undoes its beginning.
  void begin(const Fault& fault, std::int64_t now_us);
  void end(const Fault& fault, std::int64_t now_us);
  void receive(const Packet& packet, std::int64_t now_us);
  /// When the node wants to run; never while it is paused.
  std::int64_t wake_us() const { return paused_ > 0 ? kNever_us : wake_us_; }
  void run(std::int64_t now_us);

  std::size_t number() const { return number_; }
  std::int64_t now_us() const { return now_us_; }
  std::int64_t local_us() const { return clock_.local_us(now_us_); }
  const Clock& clock() const { return clock_; }
  const NodePlan& plan() const { return schedule_.nodes[number_]; }
  bool up() const { return speaker_.has_value(); }
  bool paused() const { return paused_ > 0; }
  /// For good, make before break; `departs` says of an instance that it does, or hands over.
  bool leaving() const { return order_ == Order::kStop; }
  bool departs(std::size_t lan) const { return has(lan) && speaker_->is_leaving(lan); }
  bool departs() const { return up() && speaker_->is_leaving(); }
  std::int64_t leave_us() const { return leave_us_; }
  /// Could be master: runs, and neither it nor anything that it tracks is at fault.
  bool eligible(std::int64_t now_us) const;
  bool has(std::size_t lan) const { return up() && speaker_->has(lan); }
  bool grouped() const { return grouped_; }
  /// Its sync group is not that of the schedule, so that a whole one elsewhere need not succeed it.
  bool is_split() const;
  const Instance& instance(std::size_t lan) const { return speaker_->instance(lan); }
  const Dataplane& dataplane(std::size_t lan) const { return dataplane_[lan]; }
  /// Answers ARP for the instance's VIPs at that time, whatever its control thinks.
  bool answers(std::size_t lan, std::int64_t at_us) const {
    return !dataplane_[lan].muted && holds(lan, at_us);
  }
  /// Forwards for them.
  bool holds(std::size_t lan, std::int64_t at_us) const {
    return at_us < dataplane_[lan].lease_until_us;
  }
  /// The dataplane refuses what it is to send there.
  bool is_mute(std::size_t lan) const { return unsent_[lan] > 0; }
  bool is_master(std::size_t lan) const {
    return has(lan) && !departs(lan) && instance(lan).state() == State::kMaster;
  }

  Send send_advert(std::size_t lan, const net::IpAddr& destination, net::Bytes packet,
                   std::int64_t valid_us) override;
  bool may_announce(std::size_t lan) override {
    return unsent_[lan] == 0 && dataplane_[lan].kernel.may_announce(now_us_);
  }
  void announce(std::size_t lan, const net::IpAddr& vip) override;
  void grant_lease(std::size_t lan, std::int64_t duration_us, Answers answers) override;
  void revoke_lease(std::size_t lan) override { dataplane_[lan].lease_until_us = 0; }
  void mute(std::size_t lan) override { dataplane_[lan].muted = true; }
  void claim(std::size_t lan) override { observer_.claims(*this, lan); }
  void share(std::size_t lan) override { dataplane_[lan].began_us = now_us_; }
  void succeeded(std::size_t lan) override { successors_[lan] = last_sender_; }
  void lead_to_successor(std::size_t lan) override;
  void acquire_addresses(std::size_t lan) override { ask_kernel(lan, true); }
  void release_addresses(std::size_t lan) override { ask_kernel(lan, false); }
  std::int64_t wall_us() override { return kWallStart_us + now_us_ + plan().wall_offset_us; }
  void state_changed(std::size_t lan, const StateChanged& change) override;
  void noticed(std::size_t lan, const Notice& notice) override;

 private:
  /// What the node is about to do for an operator; one thing at a time, but for a stop.
  enum class Order : std::uint8_t { kNone, kStop, kFailover, kReload };

  void change(const Fault& fault, int by, std::int64_t now_us);
  void ask_kernel(std::size_t lan, bool wanted);
  void set_drift(std::int64_t drift_ppm, std::int64_t now_us);
  void wake_soon(std::int64_t now_us);
  void boot();
  void power_off();
  void apply_tracking();
  void drain();
  void take_orders();
  void stop();
  void hand_over();
  void take_back();
  void begin_reload();
  void apply_reload();
  void depart(const std::vector<std::size_t>& lans);
  void serve_timers();
  void arm();
  std::vector<std::size_t> instances_on(std::int64_t lans) const;
  std::vector<std::size_t> with_group(const std::vector<std::size_t>& meant) const;

  const Schedule& schedule_;
  std::size_t number_;
  Network& network_;
  Observer& observer_;
  Random random_;
  Clock clock_;
  std::optional<Speaker> speaker_;
  std::array<Dataplane, kLanLimit> dataplane_;
  std::deque<Packet> received_;
  std::array<std::size_t, kLanLimit> successors_{};
  std::size_t last_sender_ = 0;  ///< Of the packet that is looked at, or was last.
  std::int64_t now_us_ = 0;
  std::int64_t wake_us_;
  std::int64_t leave_us_ = 0;
  Order order_ = Order::kNone;
  bool leave_requested_ = false;
  bool reload_requested_ = false;
  std::int64_t failover_lans_ = 0;  ///< Asked for, a bit per LAN.
  std::int64_t back_lans_ = 0;
  ConfigFile file_;
  ConfigFile wanted_;     ///< As it was when the node read it.
  bool grouped_ = false;  ///< As the running configuration says.

  // What the faults that are on make of the node's surroundings.
  int down_ = 0;
  int paused_ = 0;
  std::array<int, kLanLimit> trackers_failed_{};
  std::array<int, kLanLimit> unsent_{};
  std::int64_t tries_again_us_ = 0;  ///< By then it has noticed that it can send again.
  std::optional<std::int64_t> tracked_priority_;
};

}  // namespace keepline::vrrp::sim
