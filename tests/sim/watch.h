// What one instance may do now, worked out from what it has heard and been told.
//
// An independent, small reading of the standard: it computes from outside the earliest moment at
// which the instance may become master, and by when it must after a priority 0. Fed by Monitor in
// the order of events; times are the node's own clock unless they say `real`.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "tests/sim/invariants.h"
#include "tests/sim/network.h"
#include "vrrp/action.h"

namespace keepline::vrrp::sim {

/// An advert as a packet capture would show it.
struct Heard {
  std::size_t from = 0;
  std::uint8_t priority = 0;
  std::int64_t interval_us = 0;
  bool better_address = false;  ///< The sender's address is higher than the receiver's.
};
Heard read_packet(const Schedule& schedule, const Packet& packet);

struct Moment {
  std::int64_t real_us = 0;
  std::int64_t local_us = 0;
};

class Watch {
 public:
  struct Verdict {
    Invariant invariant;
    std::string detail;
  };
  using Judgement = std::optional<Verdict>;

  explicit Watch(InstanceConfig config);

  /// Before anything else in a run. `lease_until_us`: the dataplane's, in real time.
  void run_begins(Moment now, std::int64_t lease_until_us);
  void prioritised(std::uint8_t priority);
  /// A reload; before anything else follows from it.
  void reconfigured(InstanceConfig config, Moment now);
  /// Somebody has come to whom it hands over.
  void succeeded(const Heard& by) {
    if (!ignores()) successor_ = by;
  }
  void stand_by() { stands_by_ = true; }
  void taken_back() { stands_by_ = false; }
  void hears(const Heard& heard, Moment now);
  Judgement sends(std::uint8_t priority, Moment now, bool is_master);
  /// `is_mute`: whatever it says does not leave.
  Judgement changes(const StateChanged& change, Moment now, bool is_mute);
  void must_announce(Moment now) { lower_heard_real_us_ = now.real_us; }
  Judgement run_ends(Moment now, bool is_master, std::int64_t lease_until_local_us);
  /// It may listen now, or not: nothing is due by a certain time.
  void paused(std::int64_t local_us) {
    last_pause_us_ = local_us;
    succession_by_us_.reset();
  }

  /// Its lease was found broken at the beginning of this run.
  bool broke(Moment now) const { return lapsed_ && lapsed_us_ == now.local_us; }
  State state() const { return state_; }
  /// Has handed over, and does not preempt.
  bool stands_by() const { return stands_by_; }
  bool ignores() const { return config_.is_owner() && config_.owner_ignore_adverts; }
  std::uint8_t priority() const { return priority_; }
  const InstanceConfig& config() const { return config_; }
  std::optional<std::int64_t> succession_by_us() const { return succession_by_us_; }
  std::optional<std::size_t> respected() const { return respected_; }
  std::int64_t respected_real_us() const { return respected_real_us_; }
  std::int64_t became_master_real_us() const { return became_master_real_us_; }
  std::int64_t lower_heard_real_us() const { return lower_heard_real_us_; }
  std::int64_t last_advert_real_us() const { return last_advert_real_us_; }
  /// Between its adverts, as the last one said.
  std::int64_t spoken_interval_us() const { return spoken_interval_us_; }

 private:
  /// What it waits for: from a moment on some whole intervals, some of the skew's units, and all of
  /// its skew.
  struct Hold {
    std::int64_t base_us = 0;
    std::int64_t intervals = 0;
    std::int64_t interval_us = 0;
    bool has_skew = false;  ///< Else the least one there is, if it waits at all.
    Invariant why = Invariant::kPatience;
  };

  std::int64_t skew_unit_us(std::int64_t interval_us) const;
  std::int64_t skew_of_us(std::int64_t unit_us) const;
  std::int64_t hold_until_us() const;
  void hold(std::int64_t base_us, std::int64_t interval_us, Invariant why);
  bool may_listen(Moment now) const;
  void listen(Moment now, std::int64_t interval_us);
  bool is_overtaken(const Heard& heard, Moment now);
  void hears_release(const Heard& heard, Moment now);
  void respect(const Heard& heard, Moment now, Invariant why);
  void enter_backup(const StateChanged& change, Moment now);
  Judgement enter_master(const StateChanged& change, Moment now);

  InstanceConfig config_;
  std::uint8_t priority_;
  State state_ = State::kInit;
  Hold hold_;
  std::int64_t listen_until_us_ = 0;
  bool must_listen_ = false;
  bool stands_by_ = false;
  bool learned_ = false;            ///< The interval that it knows is another one's.
  bool resumes_listening_ = false;  ///< A fault has interrupted what may have been listening.
  bool lapsed_ = false;  ///< The lease broke; nothing may be said until mastership is new.
  std::int64_t lapsed_us_ = 0;
  bool released_ = false;      ///< Said priority 0 in this run.
  bool better_heard_ = false;  ///< In this run, as master.
  std::int64_t last_run_us_;
  std::int64_t last_pause_us_;
  std::int64_t known_interval_us_;
  std::int64_t spoken_interval_us_;
  std::int64_t longest_interval_us_;   ///< Of all that it has known: how long it may listen.
  std::int64_t lead_interval_us_ = 0;  ///< The longest of its own since it became master.
  std::optional<std::int64_t> first_lower_us_;
  std::optional<std::int64_t> succession_by_us_;
  std::optional<std::size_t> respected_;
  std::int64_t respected_real_us_ = 0;
  std::optional<Heard> last_heard_;
  std::optional<Heard> successor_;        ///< Heard while it hands over.
  std::size_t released_by_ = kNodeLimit;  ///< Who said priority 0 last, and when.
  std::int64_t released_us_ = -kNever_us;
  std::int64_t last_advert_us_ = -kNever_us;
  std::int64_t last_advert_real_us_ = -kNever_us;
  std::int64_t became_master_real_us_ = -kNever_us;
  std::int64_t became_master_us_ = -kNever_us;
  std::int64_t lower_heard_real_us_ = -kNever_us;
};

}  // namespace keepline::vrrp::sim
