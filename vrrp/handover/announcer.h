// Pacing of gratuitous ARP: which VIP to announce, and when.
//
// PURE. The control thread owns one Announcer per instance and one GarpGap per interface, which
// the instances on it share. The caller builds and sends the frame. Bounds: a burst is `repeat`
// rounds over the VIPs, bursts that overlap are merged and not queued; poll() hands out one VIP a
// call, so the caller decides how many to send in one turn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "dataplane/net/addr.h"
#include "vrrp/types.h"

namespace keepline::vrrp {

/// The least gap between two gratuitous ARPs on one interface.
class GarpGap {
 public:
  explicit GarpGap(std::int64_t interval_us = 0) : interval_us_(interval_us) {}
  std::int64_t next_us() const { return next_us_; }
  void sent(std::int64_t now_us) { next_us_ = interval_us_ == 0 ? 0 : now_us + interval_us_; }

 private:
  std::int64_t interval_us_;
  std::int64_t next_us_ = 0;
};

class Announcer {
 public:
  /// `vips`: all IPv4 addresses to announce, the advertised and the excluded ones.
  Announcer(const GarpSettings& settings, std::vector<net::Ip4> vips);

  /// Became master: a burst now, another after master_delay_us, refreshing as configured.
  void start(std::int64_t now_us);
  /// A lower-priority master was heard, here or on a member of the same sync group.
  void lower_priority_heard(std::int64_t now_us);
  /// The addresses of a running master changed: one burst.
  void set_vips(std::vector<net::Ip4> vips);
  /// No longer master: nothing is sent any more.
  void stop();

  /// When poll() may have something; nothing = not before another verb.
  std::optional<std::int64_t> next_timeout(const GarpGap& gap) const;
  /// The next VIP to announce now; call again until it is empty. The send is noted in `gap`.
  std::optional<net::Ip4> poll(std::int64_t now_us, GarpGap& gap);

 private:
  struct Later {
    std::int64_t due_us = 0;
    std::uint32_t rounds = 0;
  };
  void burst(std::uint32_t rounds);
  void make_due(std::int64_t now_us);

  GarpSettings settings_;
  std::vector<net::Ip4> vips_;
  bool active_ = false;
  std::uint32_t rounds_left_ = 0;
  std::size_t next_vip_ = 0;
  std::optional<Later> after_master_;
  std::optional<Later> after_lower_;
  std::optional<std::int64_t> refresh_us_;
};

}  // namespace keepline::vrrp
