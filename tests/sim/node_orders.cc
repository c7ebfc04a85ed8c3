// What an operator asks of a node, as the daemon does it: stop, failover, reload.
#include <algorithm>
#include <utility>

#include "tests/sim/node.h"

namespace keepline::vrrp::sim {

// A stop does not wait for anything. The others do for each other.
void Node::take_orders() {
  if (std::exchange(leave_requested_, false)) return stop();
  if (order_ != Order::kNone) return;
  if (back_lans_ != 0) take_back();
  if (failover_lans_ != 0) return hand_over();
  if (std::exchange(reload_requested_, false)) begin_reload();
}

std::vector<std::size_t> Node::instances_on(std::int64_t lans) const {
  std::vector<std::size_t> result;
  for (std::size_t lan = 0; lan < schedule_.lan_count(); ++lan) {
    if ((lans >> lan & 1) != 0 && has(lan)) result.push_back(lan);
  }
  return result;
}

void Node::depart(const std::vector<std::size_t>& lans) {
  leave_us_ = now_us_;
  for (const std::size_t lan : lans) {
    if (!departs(lan)) observer_.departs(*this, lan, order_ == Order::kFailover);
  }
}

void Node::stop() {
  order_ = Order::kStop;
  depart(instances_on(-1));
  speaker_->leave(local_us());
}

std::vector<std::size_t> Node::with_group(const std::vector<std::size_t>& meant) const {
  return grouped_ && !meant.empty() ? instances_on(-1) : meant;
}

// A sync group hands over as a whole, and who is not master has nothing to hand over.
void Node::hand_over() {
  const std::vector<std::size_t> meant = instances_on(std::exchange(failover_lans_, 0));
  order_ = Order::kFailover;
  std::vector<std::size_t> masters;
  for (const std::size_t lan : with_group(meant)) {
    const Instance& machine = instance(lan);
    if (machine.state() != State::kMaster || !machine.lease().valid(local_us())) continue;
    masters.push_back(lan);
  }
  depart(masters);
  speaker_->hand_over(meant, local_us());
}

void Node::take_back() {
  const std::vector<std::size_t> meant = instances_on(std::exchange(back_lans_, 0));
  for (const std::size_t lan : with_group(meant)) observer_.takes_back(*this, lan);
  speaker_->take_back(meant);
}

// Those that go leave first; then everything changes at once, to what was in the file before.
void Node::begin_reload() {
  order_ = Order::kReload;
  wanted_ = file_;
  std::vector<std::size_t> going;
  for (const std::size_t lan : instances_on(-1)) {
    if (!wanted_.has(lan)) going.push_back(lan);
  }
  if (going.empty()) return;
  depart(going);
  speaker_->leave(going, local_us());
}

void Node::apply_reload() {
  std::vector<std::size_t> group;
  grouped_ = wanted_.grouped();
  for (std::size_t lan = 0; lan < schedule_.lan_count(); ++lan) {
    if (has(lan) && !wanted_.has(lan)) {
      speaker_->remove(lan);
      observer_.removed(*this, lan);
    }
    if (!wanted_.has(lan)) continue;
    InstanceConfig config = wanted_.config(lan);
    std::vector<net::IpAddr> vips = config.vips;
    if (has(lan)) {
      observer_.reconfigures(*this, lan, config);
      speaker_->reconfigure(lan, std::move(config), std::move(vips), local_us());
    } else {
      observer_.added(*this, lan, config);
      speaker_->add(lan, std::move(config), static_cast<Port>(lan), std::move(vips));
    }
    if (grouped_) group.push_back(lan);
  }
  std::vector<std::vector<std::size_t>> groups;
  if (!group.empty()) groups.push_back(std::move(group));
  speaker_->set_groups(std::move(groups), local_us());
  apply_tracking();
  speaker_->start(local_us());
}

}  // namespace keepline::vrrp::sim
