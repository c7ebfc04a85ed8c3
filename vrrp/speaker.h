// All VRRP instances of one node: adverts, faults and time in, frames, leases and addresses out.
//
// PURE: one thread calls it and says what time it is (monotonic microseconds, never decreasing); a
// Host carries out what the machines want, in their order. Sync groups are settled and
// announcements paced here, and a node that stops leaves make-before-break (handover/departure.h).
// In four files: speaker_announce.cc leads clients here, speaker_leave.cc leaves, speaker_linger.cc
// serves on after having been succeeded, speaker.cc has the rest. Bounds: kMaxInstances;
// kAnnouncementsPerTurn announcements of one instance in one call.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "vrrp/handover/announcer.h"
#include "vrrp/handover/arrival.h"
#include "vrrp/handover/departure.h"
#include "vrrp/handover/lingering.h"
#include "vrrp/handover/successor.h"
#include "vrrp/host.h"
#include "vrrp/instance.h"
#include "vrrp/router.h"

namespace keepline::vrrp {

/// An interface, as the caller numbers them.
using Port = std::uint16_t;

class Speaker {
 public:
  static constexpr std::size_t kAnnouncementsPerTurn = 256;
  /// How long it waits before it asks Host::may_announce again.
  static constexpr std::int64_t kAnnounceRetry_us = 1000;
  /// After the first advert of a new master. Until that was heard its predecessor answers ARP as
  /// well, and a keepalived may announce itself; so it is announced once more.
  static constexpr std::int64_t kConfirm_us = 30'000;

  /// `gap`: the gaps that each port begins with.
  Speaker(Host& host, GarpGap gap) : host_(host), gap_(gap) {}

  /// Ports that keep their announcements apart from each other's, too.
  struct SharedGap {
    std::vector<Port> ports;  ///< Each in one SharedGap at most.
    GarpGap gap;
  };
  /// From now on: one gap for each of `shared`, and `gap` for each other port.
  void pace(const GarpGap& gap, const std::vector<SharedGap>& shared);

  /// A new instance under a number that none has, below kMaxInstances. `announced`: all its
  /// addresses.
  void add(std::size_t number, InstanceConfig config, Port port,
           std::vector<net::IpAddr> announced);
  /// A reload: what is new takes effect at once; state, timers and mastership stay. Port, VRID and
  /// family must be as before.
  void reconfigure(std::size_t number, InstanceConfig config, std::vector<net::IpAddr> announced,
                   std::int64_t now_us);
  /// One that is in INIT: its number is free.
  void remove(std::size_t number);
  /// The sync groups from now on. Members have sync_grouped in their configuration, others not.
  /// In the order in which they are to be announced: first the addresses that answers go to.
  void set_groups(std::vector<std::vector<std::size_t>> groups, std::int64_t now_us);

  /// One instance, or all; those that have left INIT, that leave or have left stay as they are.
  void start(std::size_t instance, std::int64_t now_us);
  void start(std::int64_t now_us);
  /// Masters say goodbye, but serve on until a successor speaks or a bound has passed; all of them
  /// end up in INIT together. Until is_leaving() ends handle_timeout() goes on being called.
  void leave(const std::vector<std::size_t>& instances, std::int64_t now_us);
  /// All, for good: the last one is followed by stop(). Called once.
  void leave(std::int64_t now_us);
  /// Masters among them say goodbye and serve on as with leave(), sync groups as a whole; who hears
  /// a successor is BACKUP and does not preempt (Instance::hand_over), who hears none stays MASTER.
  void hand_over(const std::vector<std::size_t>& instances, std::int64_t now_us);
  /// Before they start: they preempt nobody until they are taken back, or were master.
  void stand_by(const std::vector<std::size_t>& instances);
  /// Those that stand by may preempt again, sync groups as a whole.
  void take_back(const std::vector<std::size_t>& instances);
  /// At once: what is still held is released; nothing happens afterwards.
  void stop(std::int64_t now_us);
  bool has_left() const { return stopped_; }
  bool is_leaving() const;
  bool is_leaving(std::size_t number) const { return members_[number].is_leaving(); }
  /// Has its addresses still, although it was succeeded.
  bool lingers(std::size_t number) const { return members_[number].lingering.lingers(); }

  /// A packet of protocol 112 that came in through a port, from its IP header on.
  void handle_packet(Port port, net::Bytes packet, std::int64_t now_us);
  /// Does what is due; calling it early is harmless.
  void handle_timeout(std::int64_t now_us);
  /// When handle_timeout() wants to be called.
  std::optional<std::int64_t> next_timeout() const;

  /// These return whether anything changed.
  bool set_fault(std::size_t instance, FaultCause cause, bool present, std::int64_t now_us);
  bool set_priority(std::size_t instance, std::uint8_t effective, std::int64_t now_us);
  /// See Instance::handle_master_lost.
  bool master_lost(std::size_t instance, const net::IpAddr& address, std::int64_t interval_us,
                   std::int64_t now_us);
  /// The interface's primary address changed; zero: it has none, which is a fault.
  bool set_source(std::size_t instance, const net::IpAddr& source, std::int64_t now_us);

  /// Numbers are below this; not every one may be in use.
  std::size_t size() const { return members_.size(); }
  bool has(std::size_t number) const { return number < size() && members_[number].is_used; }
  const Instance& instance(std::size_t number) const { return members_[number].machine; }
  Port port_of(std::size_t number) const { return members_[number].port; }
  std::uint64_t unknown_vrid() const { return router_.unknown_vrid(); }

 private:
  static constexpr std::size_t kNoGroup = static_cast<std::size_t>(-1);
  enum class Leaving : std::uint8_t { kNo, kToInit, kToBackup };
  struct Member {
    Instance machine;
    Announcer announcer;
    Port port = 0;
    std::size_t group = kNoGroup;  ///< Index into groups_.
    bool advert_failed = false;
    bool is_used = true;
    Leaving leaving = Leaving::kNo;
    std::int64_t announces_from_us = 0;
    Arrival arrival;
    Lingering lingering;
    Successor successor;
    bool is_leaving() const { return leaving != Leaving::kNo; }
  };

  void handle_while_leaving(std::size_t index, const Advert& advert, std::int64_t now_us);
  void hasten_group(std::size_t index, std::int64_t now_us);
  void reject_on_port(Port port, const Rejection& rejection, std::int64_t now_us);
  void depart(std::size_t index, Leaving leaving, std::int64_t now_us);
  bool say_goodbye(std::size_t index);
  void try_goodbye_again(std::size_t index, std::int64_t now_us);
  std::set<std::size_t> with_groups(const std::vector<std::size_t>& instances) const;
  std::vector<std::size_t> end_handing_over(std::size_t index);
  bool leaves_for_good() const;
  std::int64_t released_us() const;
  void release(std::int64_t now_us);
  void stay_where_nobody_came(std::int64_t now_us);
  void hand_over_to(std::size_t index, const Advert& successor, std::int64_t now_us);
  void linger(std::size_t index, bool is_succeeded, std::int64_t now_us);
  void hear_successor(std::size_t index, const Advert& advert, std::int64_t now_us);
  void forward_on(std::size_t index, std::int64_t for_us, std::int64_t now_us);
  std::int64_t lingers_until_us(std::size_t index) const;
  void linger_less(std::size_t index, std::int64_t now_us);
  bool is_group_succeeded(std::size_t index) const;
  void end_linger(std::size_t index, std::int64_t now_us);
  void lead_on(std::size_t index, std::int64_t now_us);
  void finish_departures(std::int64_t now_us);
  void leave_groups(std::size_t index);
  void time_out(std::size_t index, std::int64_t now_us);
  bool is_active(std::size_t index) const;
  bool serves_alone(std::size_t index) const;
  void leave_if_broken(std::size_t index, std::int64_t now_us);
  void settle(std::size_t index, std::int64_t now_us);
  void settle_group(std::size_t group, std::int64_t now_us);
  void carry_out(std::size_t index, std::int64_t now_us);
  void perform(std::size_t index, const Action& action, std::int64_t now_us);
  void send_advert(std::size_t index, std::uint8_t priority);
  Host::Answers answers_of(std::size_t index) const;
  /// Its sync group, or itself alone.
  std::span<const std::size_t> group_of(const std::size_t& index) const;
  std::int64_t claim(std::span<const std::size_t> members, std::int64_t now_us);
  bool claims(std::size_t index) const;
  void lead_here(std::size_t index, std::int64_t now_us);
  void wait_for_addresses(std::size_t index, std::int64_t now_us);
  void heard_lower_priority(std::size_t index, std::int64_t now_us);
  void announce(std::size_t index, std::int64_t now_us);
  bool may_announce(std::size_t index);
  void announce_alone(std::size_t index, std::int64_t now_us);

  Host& host_;
  GarpGap gap_;
  std::vector<Member> members_;
  std::map<Port, std::shared_ptr<GarpGap>> gaps_;
  std::vector<std::vector<std::size_t>> groups_;
  Router router_;
  std::map<std::size_t, Departure> departures_;
  bool ending_ = false;  ///< All leave, for good.
  bool stopped_ = false;
};

}  // namespace keepline::vrrp
