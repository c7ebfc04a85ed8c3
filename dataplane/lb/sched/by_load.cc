#include "dataplane/lb/sched/by_load.h"

#include <algorithm>
#include <span>

#include "dataplane/net/flow.h"

namespace keepline::lb {

namespace {

__extension__ using Wide = unsigned __int128;

// A cost per weight, compared without dividing.
struct Price {
  std::uint64_t cost = 0;
  std::uint32_t weight = 1;
  friend bool operator<(const Price& a, const Price& b) {
    return static_cast<Wide>(a.cost) * b.weight < static_cast<Wide>(b.cost) * a.weight;
  }
};

/// The first of the cheapest servers that take connections; nullptr when none does.
template <typename PriceOf>
const RealServer* cheapest(const Service& service, Loads& loads, PriceOf&& price_of) {
  const RealServer* best = nullptr;
  Price least;
  for (const RealServer& real : service.pool) {
    if (!loads.takes(real)) continue;
    const Price price = price_of(real);
    if (best != nullptr && !(price < least)) continue;
    best = &real;
    least = price;
  }
  return best;
}

Price by_weight(const RealServer& real, Loads& loads) {
  return {loads.of(real).overhead(), real.weight};
}

// Busier than its weight, while another has less than half of its own.
bool is_busy(const Service& service, const RealServer& real, Loads& loads) {
  if (loads.of(real).active <= real.weight) return false;
  return std::ranges::any_of(service.pool, [&](const RealServer& other) {
    return loads.of(other).active * 2 < other.weight;
  });
}

const RealServer* with_slot(const Service& service, RealSlot slot) {
  const auto found = std::ranges::find(service.pool, slot, &RealServer::slot);
  return found == service.pool.end() ? nullptr : &*found;
}

}  // namespace

const RealServer* least_connections(const Service& service, Loads& loads) {
  return cheapest(service, loads, [&](const RealServer& real) {
    return Price{loads.of(real).overhead(), 1};
  });
}

const RealServer* weighted_least_connections(const Service& service, Loads& loads) {
  return cheapest(service, loads, [&](const RealServer& real) { return by_weight(real, loads); });
}

const RealServer* shortest_expected_delay(const Service& service, Loads& loads) {
  return cheapest(service, loads, [&](const RealServer& real) {
    return Price{loads.of(real).active + 1, real.weight};
  });
}

const RealServer* never_queue(const Service& service, Loads& loads) {
  for (const RealServer& real : service.pool) {
    if (loads.takes(real) && loads.of(real).active == 0) return &real;
  }
  return shortest_expected_delay(service, loads);
}

const RealServer* failover(const Service& service, Loads& loads) {
  return cheapest(service, loads, [](const RealServer& real) { return Price{1, real.weight}; });
}

const RealServer* overflow(const Service& service, Loads& loads) {
  const RealServer* best = nullptr;
  for (const RealServer& real : service.pool) {
    if (!loads.takes(real) || loads.of(real).active > real.weight) continue;
    if (best == nullptr || real.weight > best->weight) best = &real;
  }
  return best;
}

// Both by weight; the flow's hash is new with each flow, the last number with each choice.
const RealServer* two_choices(const Service& service, const NewFlow& flow, Loads& loads,
                              SchedulerState& state) {
  std::uint64_t sum = 0;
  for (const RealServer& real : service.pool) sum += loads.takes(real) ? real.weight : 0;
  if (sum == 0) return nullptr;
  const auto draw = [&]() -> const RealServer* {
    state.random =
        net::detail::fold(state.random + net::detail::kFirst, flow.hash ^ net::detail::kSecond);
    auto rest = static_cast<std::uint64_t>((static_cast<Wide>(state.random) * sum) >> 64);
    const RealServer* last = nullptr;
    for (const RealServer& real : service.pool) {
      if (!loads.takes(real)) continue;
      last = &real;
      if (rest < real.weight) break;
      rest -= real.weight;
    }
    return last;
  };
  const RealServer* first = draw();
  const RealServer* second = draw();
  return by_weight(*second, loads) < by_weight(*first, loads) ? second : first;
}

const RealServer* locality(const Service& service, Loads& loads, SchedulerState& state) {
  const RealServer* last = state.set_size == 0 ? nullptr : with_slot(service, state.set[0]);
  if (last != nullptr && loads.takes(*last) && !is_busy(service, *last, loads)) return last;
  const RealServer* next = weighted_least_connections(service, loads);
  state.set_size = next == nullptr ? 0 : 1;
  if (next != nullptr) state.set[0] = next->slot;
  return next;
}

const RealServer* locality_replicated(const Service& service, const NewFlow& flow, Loads& loads,
                                      SchedulerState& state) {
  const auto set = [&state] { return std::span(state.set).first(state.set_size); };
  const auto remove = [&state, &set](RealSlot slot) {
    const auto end = std::remove(set().begin(), set().end(), slot);
    state.set_size = static_cast<std::uint32_t>(end - set().begin());
  };
  // The least and the most loaded of the set.
  const RealServer* least = nullptr;
  const RealServer* most = nullptr;
  for (const RealServer& real : service.pool) {
    if (std::ranges::find(set(), real.slot) == set().end()) continue;
    if (most == nullptr || !(by_weight(real, loads) < by_weight(*most, loads))) most = &real;
    if (!loads.takes(real)) continue;
    if (least == nullptr || by_weight(real, loads) < by_weight(*least, loads)) least = &real;
  }
  if (state.set_size > 1 && most != nullptr && most != least &&
      flow.now_s - state.grown_s > SchedulerState::kSetLife_s) {
    remove(most->slot);
    state.grown_s = flow.now_s;
  }
  if (least != nullptr && !is_busy(service, *least, loads)) return least;
  const RealServer* next = weighted_least_connections(service, loads);
  if (next == nullptr || std::ranges::find(set(), next->slot) != set().end()) return next;
  if (state.set_size == state.set.size()) remove(most != nullptr ? most->slot : state.set[0]);
  if (state.set_size == state.set.size()) --state.set_size;
  state.set[state.set_size++] = next->slot;
  state.grown_s = flow.now_s;
  return next;
}

}  // namespace keepline::lb
