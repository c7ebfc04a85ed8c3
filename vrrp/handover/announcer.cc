#include "vrrp/handover/announcer.h"

#include <algorithm>
#include <utility>

namespace keepline::vrrp {

Announcer::Announcer(const GarpSettings& settings, std::vector<net::IpAddr> vips)
    : settings_(settings), vips_(std::move(vips)) {}

void Announcer::start(std::int64_t now_us) {
  stop();
  active_ = true;
  burst(settings_.master_repeat);
  if (settings_.master_delay_us > 0) {
    after_master_ = Later{now_us + settings_.master_delay_us, settings_.master_repeat};
  }
  if (settings_.refresh_us > 0) {
    refresh_us_ = now_us + settings_.master_delay_us + settings_.refresh_us;
  }
}

void Announcer::lower_priority_heard(std::int64_t now_us) {
  if (!active_) return;
  burst(settings_.lower_prio_repeat);
  // One that is pending keeps its time: a stream of such adverts must not put it off for ever.
  if (settings_.lower_prio_delay_us > 0 && !after_lower_) {
    after_lower_ = Later{now_us + settings_.lower_prio_delay_us, settings_.lower_prio_repeat};
  }
}

void Announcer::confirm_at(std::int64_t when_us) {
  if (active_ && settings_.master_repeat > 0) confirmation_ = Later{when_us, 1};
}

void Announcer::configure(const GarpSettings& settings, std::vector<net::IpAddr> vips) {
  settings_ = settings;
  if (vips == vips_) return;
  vips_ = std::move(vips);
  next_vip_ = 0;
  rounds_left_ = 0;
  if (active_) burst(settings_.master_repeat);
}

void Announcer::stop() {
  active_ = false;
  rounds_left_ = 0;
  next_vip_ = 0;
  after_master_.reset();
  after_lower_.reset();
  confirmation_.reset();
  refresh_us_.reset();
}

// A burst that meets another one in the middle of a round adds a round instead of starting the
// list again, so that a stream of bursts cannot starve the last VIPs.
void Announcer::burst(std::uint32_t rounds) {
  if (rounds == 0) return;
  rounds_left_ = std::max(rounds_left_, next_vip_ == 0 ? rounds : rounds + 1);
}

void Announcer::make_due(std::int64_t now_us) {
  for (std::optional<Later>* later : {&after_master_, &after_lower_, &confirmation_}) {
    if (!*later || (*later)->due_us > now_us) continue;
    burst((*later)->rounds);
    later->reset();
  }
  if (refresh_us_ && *refresh_us_ <= now_us) {
    burst(settings_.refresh_repeat);
    refresh_us_ = now_us + settings_.refresh_us;
  }
}

std::optional<std::int64_t> Announcer::next_timeout(const GarpGap& gap) const {
  if (!active_ || vips_.empty()) return std::nullopt;
  const std::int64_t gap_us = gap.next_us(vips_[next_vip_]);
  if (rounds_left_ > 0) return gap_us;
  std::optional<std::int64_t> first_us = refresh_us_;
  for (const std::optional<Later>* later : {&after_master_, &after_lower_, &confirmation_}) {
    if (*later) first_us = std::min(first_us.value_or((*later)->due_us), (*later)->due_us);
  }
  if (!first_us) return std::nullopt;
  return std::max(*first_us, gap_us);
}

std::optional<net::IpAddr> Announcer::poll(std::int64_t now_us, GarpGap& gap) {
  if (!active_ || vips_.empty() || gap.next_us(vips_[next_vip_]) > now_us) return std::nullopt;
  make_due(now_us);
  if (rounds_left_ == 0) return std::nullopt;
  const net::IpAddr vip = vips_[next_vip_];
  if (++next_vip_ == vips_.size()) {
    next_vip_ = 0;
    --rounds_left_;
  }
  gap.sent(vip, now_us);
  return vip;
}

}  // namespace keepline::vrrp
