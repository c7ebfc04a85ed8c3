// Pacing of gratuitous ARP and unsolicited NA: which VIP to announce, and when.
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

/// The least gaps between two announcements on one interface: gratuitous ARP and NA keep apart
/// only from their own kind.
class GarpGap {
 public:
  explicit GarpGap(std::int64_t arp_interval_us = 0, std::int64_t na_interval_us = 0)
      : arp_{arp_interval_us}, na_{na_interval_us} {}
  std::int64_t next_us(const net::IpAddr& vip) const { return (vip.is_v6() ? na_ : arp_).next_us; }
  void sent(const net::IpAddr& vip, std::int64_t now_us) {
    Kind& kind = vip.is_v6() ? na_ : arp_;
    kind.next_us = kind.interval_us == 0 ? 0 : now_us + kind.interval_us;
  }

 private:
  struct Kind {
    std::int64_t interval_us;
    std::int64_t next_us = 0;
  };
  Kind arp_;
  Kind na_;
};

class Announcer {
 public:
  /// `vips`: all addresses to announce, the advertised and the excluded ones.
  Announcer(const GarpSettings& settings, std::vector<net::IpAddr> vips);

  /// Became master: a burst now, another after master_delay_us, refreshing as configured.
  void start(std::int64_t now_us);
  /// A lower-priority master was heard, here or on a member of the same sync group.
  void lower_priority_heard(std::int64_t now_us);
  /// One more round then: somebody may have been told otherwise since the last one. One at a time;
  /// the last one asked for counts.
  void confirm_at(std::int64_t when_us);
  /// One has been asked for, and its time has not come.
  bool will_confirm(std::int64_t now_us) const {
    return confirmation_ && confirmation_->due_us > now_us;
  }
  /// A reload. When a master's addresses have changed: one burst.
  void configure(const GarpSettings& settings, std::vector<net::IpAddr> vips);
  /// No longer master: nothing is sent any more.
  void stop();

  /// When poll() may have something; nothing = not before another verb.
  std::optional<std::int64_t> next_timeout(const GarpGap& gap) const;
  /// The next VIP to announce now; call again until it is empty. The send is noted in `gap`.
  std::optional<net::IpAddr> poll(std::int64_t now_us, GarpGap& gap);

 private:
  struct Later {
    std::int64_t due_us = 0;
    std::uint32_t rounds = 0;
  };
  void burst(std::uint32_t rounds);
  void make_due(std::int64_t now_us);

  GarpSettings settings_;
  std::vector<net::IpAddr> vips_;
  bool active_ = false;
  std::uint32_t rounds_left_ = 0;
  std::size_t next_vip_ = 0;
  std::optional<Later> after_master_;
  std::optional<Later> after_lower_;
  std::optional<Later> confirmation_;
  std::optional<std::int64_t> refresh_us_;
};

}  // namespace keepline::vrrp
