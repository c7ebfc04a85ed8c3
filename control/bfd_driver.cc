#include "control/bfd_driver.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "control/clock.h"
#include "control/log.h"

namespace keepline::control {

namespace {

bfd::SessionConfig session_of(const config::BfdInstance& instance) {
  bfd::SessionConfig config;
  config.neighbour = instance.neighbour;
  config.source = instance.source.value_or(instance.neighbour.is_v6() ? net::IpAddr(net::Ip6())
                                                                      : net::IpAddr(net::Ip4()));
  config.min_tx_us = instance.min_tx_ms * 1000;
  config.min_rx_us = instance.min_rx_ms * 1000;
  config.idle_tx_us = instance.idle_tx_ms * 1000;
  config.multiplier = instance.multiplier;
  config.is_passive = instance.is_passive;
  config.is_multihop = instance.is_multihop;
  config.ttl = instance.ttl;
  config.max_hops = *instance.max_hops;
  return config;
}

}  // namespace

BfdDriver::BfdDriver(const Running& running, Mode mode, worker::Dataplane& dataplane,
                     Handlers handlers)
    : running_(running),
      mode_(mode),
      dataplane_(dataplane),
      handlers_(std::move(handlers)),
      slots_(bfd::kMaxSessions) {}

void BfdDriver::follow() {
  if (stopped_) return;
  outcomes_.clear();
  const auto& wanted = running_.config->bfd_instances;
  for (Slot& slot : slots_) {
    if (slot.use != Slot::Use::kRuns) continue;
    const bool stays = mode_.bfd && std::ranges::any_of(wanted, [&](const auto& instance) {
                         return session_of(instance).has_ends_of(slot.config);
                       });
    if (!stays) end(slot);
  }
  for (const config::BfdInstance& instance : wanted) {
    if (mode_.bfd) set(instance);
  }
}

void BfdDriver::set(const config::BfdInstance& instance) {
  bfd::SessionConfig config = session_of(instance);
  outcomes_[instance.name] = vrrp::Outcome::kBad;
  Slot* slot = place_for(config);
  if (slot == nullptr) return;  // the next goodbye makes room, see handle()
  const std::size_t number = number_of(*slot);
  config.source_port = static_cast<std::uint16_t>(bfd::kFirstSourcePort + number);
  if (slot->use == Slot::Use::kFree) *slot = Slot();
  slot->name = instance.name;
  if (slot->state == bfd::State::kUp) outcomes_[instance.name] = vrrp::Outcome::kGood;
  if (slot->use == Slot::Use::kRuns && slot->config == config) return;
  slot->use = Slot::Use::kRuns;
  slot->config = config;
  order(number, config);
}

// Its own, or else a free one.
BfdDriver::Slot* BfdDriver::place_for(const bfd::SessionConfig& config) {
  const auto own = std::ranges::find_if(slots_, [&](const Slot& slot) {
    return slot.use == Slot::Use::kRuns && slot.config.has_ends_of(config);
  });
  if (own != slots_.end()) return &*own;
  const auto free = std::ranges::find(slots_, Slot::Use::kFree, &Slot::use);
  return free == slots_.end() ? nullptr : &*free;
}

void BfdDriver::end(Slot& slot) {
  slot.use = Slot::Use::kEnds;
  order(number_of(slot), std::nullopt);
}

void BfdDriver::stop() {
  stopped_ = true;
  for (Slot& slot : slots_) {
    if (slot.use == Slot::Use::kRuns) end(slot);
  }
}

bool BfdDriver::is_quiet() const {
  return waiting_.empty() && std::ranges::none_of(slots_, [](const Slot& slot) {
           return slot.use == Slot::Use::kEnds;
         });
}

void BfdDriver::order(std::size_t number, std::optional<bfd::SessionConfig> config) {
  waiting_.push_back({static_cast<bfd::SessionNumber>(number), config});
  flush();
}

void BfdDriver::flush() {
  while (!waiting_.empty()) {
    if (dataplane_.order_bfd(waiting_.front()) == worker::Dataplane::Send::kFull) return;
    waiting_.pop_front();
  }
}

void BfdDriver::handle(const worker::BfdEvent& event) {
  Slot& slot = slots_[event.number];
  if (event.is_end) {
    slot = Slot();
    return follow();
  }
  const bool is_change = note(slot, event.change.to);
  log::info("BFD {} ({}): {} -> {}: {}", slot.name, net::to_string(slot.config.neighbour),
            bfd::to_string(event.change.from), bfd::to_string(event.change.to),
            bfd::to_string(event.change.diagnostic));
  if (is_change && !stopped_) handlers_.on_change();
  if (!event.change.is_loss() || stopped_) return;
  if (const config::BfdInstance* instance = instance_of(slot)) {
    handlers_.on_loss(*instance, event.rx_interval_us);
  }
}

void BfdDriver::refresh() {
  flush();
  bool is_change = false;
  for (Slot& slot : slots_) {
    if (slot.use != Slot::Use::kRuns || !waiting_.empty()) continue;
    const auto& figures = dataplane_.bfd_board().sessions[number_of(slot)];
    // Not seen yet: the worker has not taken the order that made it.
    if (figures.discriminator.get() == 0) continue;
    is_change |= note(slot, static_cast<bfd::State>(figures.state.get()));
  }
  if (is_change && !stopped_) handlers_.on_change();
}

// Whether it went up, or has ceased to be.
bool BfdDriver::note(Slot& slot, bfd::State state) {
  const bfd::State before = std::exchange(slot.state, state);
  if (before == state) return false;
  slot.since_unix_s = ::time(nullptr);
  slot.since_us = now_us();
  const auto outcome = outcomes_.find(slot.name);
  if (slot.use != Slot::Use::kRuns || outcome == outcomes_.end()) return false;
  outcome->second = state == bfd::State::kUp ? vrrp::Outcome::kGood : vrrp::Outcome::kBad;
  return before == bfd::State::kUp || state == bfd::State::kUp;
}

const config::BfdInstance* BfdDriver::instance_of(const Slot& slot) const {
  const auto& all = running_.config->bfd_instances;
  const auto found = std::ranges::find(all, slot.name, &config::BfdInstance::name);
  return found == all.end() ? nullptr : &*found;
}

std::vector<BfdDriver::Status> BfdDriver::statuses() const {
  std::vector<Status> result;
  for (const config::BfdInstance& instance : running_.config->bfd_instances) {
    for (const Slot& slot : slots_) {
      if (slot.use != Slot::Use::kRuns || slot.name != instance.name) continue;
      const auto age_s = static_cast<std::uint64_t>(now_us() - slot.since_us) / 1'000'000;
      result.push_back(
          {&instance, &dataplane_.bfd_board().sessions[number_of(slot)], slot.since_unix_s, age_s});
    }
  }
  return result;
}

}  // namespace keepline::control
