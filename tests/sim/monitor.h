// Judges a whole cluster while it runs: the rules between nodes, and each instance by its Watch.
//
// Sees everything as an Observer and is asked to check() after every step. Knows what no node can
// know: who hears whom, whose dataplane answers, what a client believes. The first failure counts.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/hearing.h"
#include "tests/sim/invariants.h"
#include "tests/sim/network.h"
#include "tests/sim/node.h"
#include "tests/sim/traffic.h"
#include "tests/sim/watch.h"

namespace keepline::vrrp::sim {

/// What a run was worth.
struct Tally {
  std::uint64_t adverts = 0;
  std::uint64_t takeovers = 0;
  std::uint64_t announcements = 0;
  std::uint64_t steps = 0;
  std::uint64_t simulated_us = 0;
  std::uint64_t checked = 0;   ///< Steps at which a whole network was judged.
  std::uint64_t answered = 0;  ///< Packets of clients, where only planned things happen.
  std::uint64_t stale = 0;     ///< Runs whose client was left with another node than the master.

  Tally& operator+=(const Tally& other);
};

class Monitor final : public Observer {
 public:
  Monitor(const Schedule& schedule, const Network& network);
  /// `trace`: print what happens.
  void watch(const std::deque<Node>& nodes, bool trace, Random random);

  void begin(const Fault& fault, std::int64_t now_us) { change(fault, 1, now_us); }
  void end(const Fault& fault, std::int64_t now_us) { change(fault, -1, now_us); }
  void check(std::int64_t now_us);
  void finish(std::int64_t now_us);
  /// Packets of clients: when the next one moves, and moves those that are due.
  std::int64_t traffic_us() const { return traffic_ ? traffic_->next_us() : kNever_us; }
  void step_traffic(std::int64_t now_us);

  const std::optional<Failure>& failure() const { return failure_; }
  const Tally& tally() const { return tally_; }

  void booted(const Node& node) override;
  void run_begins(const Node& node) override;
  void prioritised(const Node& node, std::size_t lan) override;
  void added(const Node& node, std::size_t lan, const InstanceConfig& config) override;
  void reconfigures(const Node& node, std::size_t lan, const InstanceConfig& config) override;
  void removed(const Node& node, std::size_t lan) override;
  void departs(const Node& node, std::size_t lan, bool hands_over) override;
  void takes_back(const Node& node, std::size_t lan) override;
  bool must_take(const Node& node, const Packet& packet) const override;
  void hears(const Node& node, const Packet& packet) override;
  void has_heard(const Node& node, const Packet& packet) override;
  void sends(const Node& node, std::size_t lan, net::Bytes bytes) override;
  void announces(const Node& node, std::size_t lan, const net::IpAddr& vip, bool heard) override;
  void claims(const Node& node, std::size_t lan) override;
  void leads_to(const Node& node, std::size_t lan, std::size_t successor, bool heard) override;
  void changes(const Node& node, std::size_t lan, const StateChanged& change) override;
  void notices(const Node& node, std::size_t lan, const Notice& notice) override;
  void run_ends(const Node& node) override;

 private:
  static constexpr std::size_t kNobody = kNodeLimit;
  struct Belief {
    std::size_t node = kNobody;
    std::int64_t at_us = -kNever_us;
  };
  struct NodeFacts {
    std::int64_t eligible_since_us = kNever_us;
    bool was_eligible = false;
    std::array<std::int64_t, kLanLimit> successor_heard_us{kNever_us, kNever_us};
    std::array<bool, kLanLimit> hands_over{};  ///< Until it was seen how that has ended.
    /// Was succeeded as a master, and forwards on until then, by its own clock.
    std::array<std::int64_t, kLanLimit> lingers_until_us{};
  };
  /// All of an instance that an advert could change.
  struct Picture {
    State state;
    std::int64_t deadline_us;
    net::IpAddr master;
    std::uint8_t master_priority;
    std::int64_t interval_us;
    bool wants_master;
    bool muted;
    std::int64_t lease_until_us;
    friend bool operator==(const Picture&, const Picture&) = default;
  };
  struct LanFacts {
    std::int64_t masterless_since_us = 0;
    std::array<std::array<std::int64_t, kNodeLimit>, kNodeLimit> both_since_us{};
    std::array<Belief, kVipLimit> beliefs;
  };

  Watch& watch_of(const Node& node, std::size_t lan) { return *watches_[node.number()][lan]; }
  static Moment moment(const Node& node) { return {node.now_us(), node.local_us()}; }
  void fail(Invariant invariant, std::int64_t now_us, std::size_t node, std::size_t lan,
            std::string detail);
  bool is_eligible(const Node& node, std::int64_t now_us) const;
  void judge_anew(std::size_t node);
  void note_priority(const Node& node, std::size_t lan, std::uint8_t before);
  void judge(const Watch::Judgement& judgement, const Node& node, std::size_t lan);
  void change(const Fault& fault, int by, std::int64_t now_us);
  void trace(const Node& node, const std::string& what) const;

  static Picture picture_of(const Node& node, std::size_t lan);
  void check_takeover(const Node& node, std::size_t lan);
  void check_departure(const Node& node);
  void check_dataplane(const Node& node, std::size_t lan);
  void check_group(const Node& node);
  bool is_succeeded(const Node& node, std::size_t lan) const;
  void check_handed_over(const Node& node, std::size_t lan);
  void check_eligible(std::int64_t now_us);
  void check_gap(std::size_t lan, std::int64_t now_us);
  void check_overlap(std::size_t lan, std::int64_t now_us);
  void check_pair(std::size_t lan, const Node& a, const Node& b, std::int64_t now_us);
  void check_succession(std::int64_t now_us);
  void check_converged(std::size_t lan, std::int64_t now_us);
  void check_right(std::size_t lan, const Node& master, std::int64_t now_us);
  bool owes_leading(std::size_t lan, const Belief& belief, std::int64_t now_us);
  void check_announced(std::size_t lan, const Node& master, std::int64_t now_us);
  std::int64_t last_duty_us(std::size_t lan, const Node& master, std::int64_t now_us) const;

  const Schedule& schedule_;
  const Network& network_;
  const std::deque<Node>* nodes_ = nullptr;
  std::optional<Traffic> traffic_;  ///< Of a schedule in which only planned things happen.
  bool trace_ = false;
  Bounds bounds_;
  std::array<std::array<std::optional<Watch>, kLanLimit>, kNodeLimit> watches_;
  std::array<std::array<Hearing, kLanLimit>, kNodeLimit> hearings_;
  std::optional<Picture> unchanged_;  ///< While an advert is handled that must change nothing.
  std::uint64_t received_ = 0;        ///< Adverts taken before the present one.
  std::array<NodeFacts, kNodeLimit> node_facts_;
  std::array<LanFacts, kLanLimit> lan_facts_;
  int disturbed_ = 0;
  bool is_split_ = false;  ///< Nodes whose sync groups are not the same.
  std::int64_t quiet_since_us_ = 0;
  std::int64_t hindered_us_ =
      0;  ///< The last beginning or end of anything that owes_leading excuses.
  std::optional<Failure> failure_;
  Tally tally_;
};

}  // namespace keepline::vrrp::sim
