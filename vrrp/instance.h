// One VRRP instance: state, timers, lease, counters; five verbs in, actions out.
//
// PURE: no clock, socket or thread. The control thread calls it and says what time it is
// (monotonic microseconds, never decreasing). step() (step.h) decides, commit() is the only
// place that changes state. One deadline exists in BACKUP and MASTER at any time. Bounds: the
// action queue (kActionLimit); nothing else grows.
//
// The driver's loop, each time it wakes:
//   1. every received advert: parse_advert, Router::find, handle_advert (or handle_reject);
//   2. handle_timeout(now) if next_timeout() <= now -- only after 1, so that an advert that has
//      arrived is never overtaken by the timer that it should reset;
//   3. poll_action() until empty after every verb, doing what it says in that order;
//   4. with a sync group: evaluate_group, then 3 for each member;
//   5. sleep until next_timeout().
//
// MASTER is a lease (handover/lease.h). Each advert renews it. A verb that is called after its
// end finds a node that was stopped or wedged for longer than any peer waits, so whatever the
// verb was, the instance first leaves MASTER without a word, then listens for a whole
// master-down interval. The dataplane has been silent since the lease's end by itself. An advert
// that could not be sent renews nothing, so that a master that nobody hears ends likewise.
#pragma once

#include <cstdint>
#include <optional>

#include "vrrp/action.h"
#include "vrrp/advert.h"
#include "vrrp/handover/lease.h"
#include "vrrp/hmac_sequence.h"
#include "vrrp/step.h"
#include "vrrp/timers.h"
#include "vrrp/types.h"

namespace keepline::vrrp {

/// What became of an advert.
enum class AdvertResult : std::uint8_t {
  kUsed,
  kRejected,  ///< Counted and announced.
  kIgnored,   ///< INIT or FAULT, an owner that ignores adverts, or its sender has said goodbye.
};

/// What a sync group tells a member.
enum class GroupCommand : std::uint8_t { kBecomeMaster, kBecomeBackup, kFault, kFaultCleared };

class Instance {
 public:
  /// A master that is preempted drops what it has when it hears the advert, and keepalived does so
  /// at once: clients are led away by gratuitous ARP before.
  static constexpr std::int64_t kLead_us = 10'000;
  /// Before that in turn, what it takes until the master has surely heard of it (Speaker::claim).
  static constexpr std::int64_t kClaim_us = 6'000;
  /// What a master said before its goodbye may arrive after it, for so long.
  static constexpr std::int64_t kOvertaken_us = 10'000;
  /// How often an advert is tried that cannot be sent.
  static constexpr std::int64_t kTriesPerInterval = 4;

  explicit Instance(InstanceConfig config);

  /// INIT -> BACKUP, MASTER (owner) or FAULT. Delay the call for a start-up delay or for trackers
  /// whose first result is awaited.
  void start(std::int64_t now_us);
  /// Any state -> INIT; a master says priority 0.
  void stop(std::int64_t now_us);
  /// `wall_us`: what the wall clock shows, microseconds since 1970 UTC; only auth_hmac asks for it,
  /// and it may jump.
  AdvertResult handle_advert(const Advert& advert, std::int64_t now_us, std::int64_t wall_us = 0);
  /// The receive checks without what follows from an advert; nothing = accepted, and its number
  /// (of an authentication header or a trailer) will not be accepted again.
  std::optional<Reject> examine(const Advert& advert, std::int64_t wall_us);
  /// A packet for this VRID that parse_advert refused: counts, and announces once.
  void handle_reject(const Rejection& rejection, std::int64_t now_us);
  /// Does what is due; calling it early is harmless.
  void handle_timeout(std::int64_t now_us);
  /// The advert that was asked for last has not left: it has told nobody that we are still here,
  /// and renews no lease. A master whose first one it is, or whose lease is over, is none.
  void handle_unsent(std::int64_t now_us);
  /// BFD has lost who has `address`, seen within intervals of `interval_us`: if that is the master,
  /// it is taken for dead. One that lives on makes us stand back by its next advert.
  void handle_master_lost(const net::IpAddr& address, std::int64_t interval_us,
                          std::int64_t now_us);
  /// After a priority 0: no longer than if BFD had lost who said it, within `interval_us`.
  void hasten_succession(std::int64_t interval_us, std::int64_t now_us);
  void handle_fault(FaultCause cause, std::int64_t now_us);
  void handle_fault_cleared(FaultCause cause, std::int64_t now_us);
  void handle_group(GroupCommand command, std::int64_t now_us);

  /// Effective priority (base and weights), clamped to 1..254; an owner stays at 255. A master
  /// says it with its next advert, a backup moves its timer by the difference of the skews.
  void set_priority(std::uint8_t priority, std::int64_t now_us);
  /// The interface's primary address changed.
  void set_source(const net::IpAddr& source) { config_.source = source; }
  /// A master has said goodbye and serves on until then, without adverts (Speaker::leave and
  /// hand_over).
  void depart(std::int64_t until_us) { lease_.grant(until_us); }
  /// Its goodbye has left: a second one would disturb the successor.
  void handle_goodbye_sent();
  /// It has handed over to who sent this, or (nullptr) another member of its sync group has:
  /// BACKUP, and no preempting until it has been master again or take_back() was called.
  void hand_over(const Advert* successor, std::int64_t now_us);
  /// Nobody came: it speaks on as master.
  void stay(std::int64_t now_us);
  /// Preempts nobody until take_back(), or until it has been master.
  void stand_by() { stands_by_ = true; }
  void take_back() { stands_by_ = false; }
  /// It preempts and has not spoken yet.
  bool leads() const { return state_ == State::kMaster && preempted_ && adverts_ == 0; }
  /// Its first advert waits for another moment: clients are not led here yet, or only just.
  /// Altogether no longer than an interval, or than claim and lead take, and within its lease.
  void lead_on(std::int64_t now_us, std::int64_t moment_us);
  bool stands_by() const { return stands_by_; }
  /// A reload. State and mastership stay; a changed base priority becomes the effective one.
  void reconfigure(InstanceConfig config, std::int64_t now_us);

  /// When handle_timeout wants to be called. Always set in BACKUP and MASTER.
  std::optional<std::int64_t> next_timeout() const;
  /// Becoming master: GrantLease, AcquireVips, StartGarpBurst, SendAdvert, StateChanged; when it
  /// preempts, SendAdvert only follows kLead_us later, or when lead_on() says.
  /// Each advert: SendAdvert, GrantLease (withhold the grant if the advert could not be sent, and
  /// call handle_unsent() at once).
  /// Leaving: RevokeLease, ReleaseVips (or Linger), SendAdvert (only some reasons), StateChanged.
  std::optional<Action> poll_action() { return actions_.pop(); }

  const InstanceConfig& config() const { return config_; }
  const Statistics& statistics() const { return statistics_; }
  State state() const { return state_; }
  std::uint8_t effective_priority() const { return priority_; }
  FaultSet faults() const { return faults_; }
  /// Would be master but for the sync group.
  bool wants_master() const { return wants_master_; }
  /// The holder of mastership as far as known: ourselves in MASTER.
  const net::IpAddr& master_address() const { return master_address_; }
  std::uint8_t master_priority() const { return master_priority_; }
  /// Version 3: learned from the master. Version 2: configured.
  std::int64_t master_interval_us() const { return master_interval_us_; }
  std::int64_t last_transition_us() const { return last_transition_us_; }
  const Lease& lease() const { return lease_; }
  /// The master-down deadline in BACKUP, the next advert in MASTER.
  std::int64_t deadline_us() const { return deadline_us_; }
  /// The number of the next advert, if it has an authentication header or a trailer.
  std::uint64_t next_sequence(std::int64_t wall_us = 0) {
    return config_.hmac.signs() ? hmac_sequence_.next(config_.hmac, wall_us) : ++sequence_;
  }
  bool listening() const { return last_run_us_ < listen_until_us_; }
  /// In BACKUP: within which interval BFD has lost the master; 0: not, or it was heard since.
  std::int64_t lost_interval_us() const { return lost_interval_us_; }
  /// The last advert could not be sent: peers may be about to take over.
  bool is_unsent() const { return unsent_; }

 private:
  TimerBase timer_base() const;
  bool is_shortened() const;
  bool ignores_adverts() const { return config_.is_owner() && config_.owner_ignore_adverts; }
  /// What the timer of BACKUP runs for, as the settings are now.
  std::int64_t wait_us(bool shortened) const;
  void emit(Action action);
  void notice_once(Notice notice);

  void apply(Event event, std::int64_t now_us, const Advert* advert = nullptr);
  void commit(const Step& step, std::int64_t now_us, const Advert* advert);
  void leave(const Step& step);
  void enter(const Step& step, std::int64_t now_us);
  void enter_backup(const Step& step, std::int64_t now_us);
  void perform(Effect effect, std::int64_t now_us, const Advert* advert);
  bool preempts(std::int64_t now_us) const;
  void send_advert(std::int64_t now_us) { send_advert(now_us, config_.advert_interval_us); }
  void send_advert(std::int64_t now_us, std::int64_t known_interval_us);
  void observe_time(std::int64_t now_us);
  void listen(std::int64_t now_us);
  void remember_master(const Advert& advert, std::int64_t now_us);
  void reject(Reject reason, const Advert& advert);
  bool is_replayed(const Advert& advert);
  bool is_overtaken(const Advert& advert, std::int64_t now_us) const;
  void notice_authentication(const Advert& advert, std::int64_t wall_us);
  Event classify(const Advert& advert, std::int64_t now_us);
  Event classify_in_backup(const Advert& advert, std::int64_t now_us);

  InstanceConfig config_;
  State state_ = State::kInit;
  std::uint8_t priority_;
  FaultSet faults_;
  Lease lease_;
  std::int64_t deadline_us_ = 0;
  std::int64_t last_run_us_ = 0;
  std::int64_t listen_until_us_ = 0;  ///< Until then a priority 0 (perhaps stale) is no shortcut.
  std::int64_t last_transition_us_ = 0;
  std::optional<std::int64_t> preempt_after_us_;  ///< Running preempt_delay.
  net::IpAddr released_by_;                       ///< Who said goodbye last, and when.
  std::int64_t released_us_ = -kOvertaken_us;
  bool succession_ = false;   ///< The timer runs because of a priority 0.
  bool must_listen_ = false;  ///< Entering BACKUP takes a whole interval, whatever the start rule.
  std::int64_t lost_skew_us_ = 0;  ///< Of Effect::kHasten.
  std::int64_t lost_interval_us_ = 0;
  bool wants_master_ = false;
  bool stands_by_ = false;
  bool preempted_ = false;                      ///< In MASTER: somebody worse was it until now.
  std::optional<std::int64_t> lower_heard_us_;  ///< In BACKUP: the last advert of a worse master.
  std::uint64_t adverts_ = 0;                   ///< In MASTER: since it is.
  bool unsent_ = false;                         ///< The last advert was.
  bool said_goodbye_ = false;                   ///< In MASTER: serves on after its goodbye.
  std::uint32_t sequence_ = 0;  ///< The highest that was sent or heard, see is_replayed().
  HmacSequence hmac_sequence_;
  net::IpAddr master_address_;
  std::uint8_t master_priority_ = 0;
  std::int64_t master_interval_us_;
  std::uint64_t noticed_ = 0;  ///< Bit per kind and reject that was announced already.
  Statistics statistics_;
  ActionQueue actions_;
};

}  // namespace keepline::vrrp
