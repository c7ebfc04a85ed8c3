// A deterministic LAN of instances with virtual time: delay, loss, partition, pause, crash.
//
// Adverts go through the codec. A node's dataplane is modelled as what it was told last: VIPs
// and the lease's end; it runs on while control is paused. Bound: kReceiveLimit packets wait per
// node, later ones are lost, as in a socket.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "tests/unit/vrrp/support.h"
#include "vrrp/sync_group.h"

namespace keepline::vrrp::testing {

inline constexpr std::size_t kReceiveLimit = 64;

class Cluster {
 public:
  struct Node {
    explicit Node(const InstanceConfig& config) : instance(config) {}
    Instance instance;
    bool running = false;
    bool paused = false;
    bool crashed = false;
    bool timer_first = false;  ///< On waking, the timer before the queue: what a driver must not.
    std::deque<std::vector<std::uint8_t>> received;
    bool has_vips = false;
    std::int64_t lease_until_us = 0;
    std::vector<std::int64_t> adverts_us;
    std::vector<std::pair<std::int64_t, StateChanged>> changes;
  };

  std::int64_t delay_us = 100;
  /// (from, to) -> whether this packet arrives.
  std::function<bool(std::size_t, std::size_t)> arrives = [](auto, auto) { return true; };

  std::size_t add(InstanceConfig config, const char* source) {
    config.source = ip(source);
    nodes_.emplace_back(config);
    return nodes_.size() - 1;
  }
  Node& node(std::size_t i) { return nodes_[i]; }
  std::int64_t now_us() const { return now_us_; }
  void start(std::size_t i) {
    nodes_[i].running = true;
    nodes_[i].instance.start(now_us_);
    carry_out(i);
  }
  void start_all() {
    for (std::size_t i = 0; i < nodes_.size(); ++i) start(i);
  }
  void stop(std::size_t i) {
    nodes_[i].instance.stop(now_us_);
    carry_out(i);
    nodes_[i].running = false;
  }
  void pause(std::size_t i) { nodes_[i].paused = true; }
  void resume(std::size_t i) {
    nodes_[i].paused = false;
    wake(i);
  }
  /// Process and dataplane are gone.
  void crash(std::size_t i) {
    nodes_[i].crashed = true;
    nodes_[i].running = false;
    nodes_[i].has_vips = false;
  }

  /// Answers for the VIPs at this moment, whatever its control thinks.
  bool serves(std::size_t i) const {
    return nodes_[i].has_vips && now_us_ < nodes_[i].lease_until_us;
  }
  std::vector<std::size_t> serving() const {
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (serves(i)) all.push_back(i);
    }
    return all;
  }

  /// Lets time pass; `check` is called after each moment at which something happened.
  void run_for(
      std::int64_t time_us, const std::function<void()>& check = [] {}) {
    const std::int64_t end_us = now_us_ + time_us;
    while (const auto next_us = next_event()) {
      if (*next_us > end_us) break;
      now_us_ = std::max(now_us_, *next_us);
      deliver();
      for (std::size_t i = 0; i < nodes_.size(); ++i) wake_if_due(i);
      check();
    }
    now_us_ = end_us;
    check();
  }

 private:
  std::optional<std::int64_t> next_event() const {
    std::optional<std::int64_t> next_us;
    if (!wire_.empty()) next_us = wire_.begin()->first;
    for (const Node& node : nodes_) {
      if (!node.running || node.paused) continue;
      const auto due_us = node.instance.next_timeout();
      if (due_us && (!next_us || *due_us < *next_us)) next_us = due_us;
    }
    return next_us;
  }
  void deliver() {
    while (!wire_.empty() && wire_.begin()->first <= now_us_) {
      auto [to, packet] = std::move(wire_.begin()->second);
      wire_.erase(wire_.begin());
      Node& node = nodes_[to];
      if (node.running && node.received.size() < kReceiveLimit) {
        node.received.push_back(std::move(packet));
      }
    }
  }
  void wake_if_due(std::size_t i) {
    const Node& node = nodes_[i];
    if (!node.running || node.paused) return;
    const auto due_us = node.instance.next_timeout();
    if (!node.received.empty() || (due_us && *due_us <= now_us_)) wake(i);
  }
  void wake(std::size_t i) {
    Node& node = nodes_[i];
    if (!node.running) return;
    if (node.timer_first) time_out(i);
    while (!node.received.empty()) {
      const auto advert = parse_advert(node.received.front());
      node.received.pop_front();
      if (advert) node.instance.handle_advert(*advert, now_us_);
      carry_out(i);
    }
    time_out(i);
  }
  void time_out(std::size_t i) {
    nodes_[i].instance.handle_timeout(now_us_);
    carry_out(i);
  }
  void carry_out(std::size_t i) {
    Node& node = nodes_[i];
    for (const Action& action : drain(node.instance)) {
      if (const auto* send = std::get_if<SendAdvert>(&action)) {
        transmit(i, send->priority);
      } else if (const auto* grant = std::get_if<GrantLease>(&action)) {
        node.lease_until_us = grant->until_us;
      } else if (std::holds_alternative<RevokeLease>(action)) {
        node.lease_until_us = 0;
      } else if (std::holds_alternative<Linger>(action)) {
        node.lease_until_us = 0;
        node.has_vips = false;
      } else if (std::holds_alternative<AcquireVips>(action)) {
        node.has_vips = true;
      } else if (std::holds_alternative<ReleaseVips>(action)) {
        node.has_vips = false;
      } else if (const auto* changed = std::get_if<StateChanged>(&action)) {
        node.changes.emplace_back(now_us_, *changed);
      }
    }
  }
  void transmit(std::size_t from, std::uint8_t priority) {
    Node& node = nodes_[from];
    std::array<std::uint8_t, kMaxAdvertBytes> packet;
    const std::size_t length =
        *encode_advert(node.instance.config(), priority, node.instance.config().group, packet);
    node.adverts_us.push_back(now_us_);
    for (std::size_t to = 0; to < nodes_.size(); ++to) {
      if (to == from || !arrives(from, to)) continue;
      wire_.emplace(now_us_ + delay_us,
                    std::pair(to, std::vector<std::uint8_t>(
                                      packet.begin(), packet.begin() + static_cast<long>(length))));
    }
  }

  std::int64_t now_us_ = kStart_us;
  std::deque<Node> nodes_;
  std::multimap<std::int64_t, std::pair<std::size_t, std::vector<std::uint8_t>>> wire_;
};

}  // namespace keepline::vrrp::testing
