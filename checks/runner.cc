// The runner's coroutines. Control thread only; see runner.h for the bounds.
#include "checks/runner.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <exception>
#include <map>
#include <random>
#include <unordered_map>
#include <utility>
#include <vector>

#include "checks/probes.h"

namespace keepline::checks {

namespace {

namespace asio = boost::asio;

/// One distinct check and whoever listens to it. Kept alive by its coroutine.
struct Entry {
  Entry(const CheckSpec& check, const asio::any_io_executor& executor)
      : spec(check), damping(check.key.damping, 1, TimePoint{}, 0), timer(executor) {}

  CheckSpec spec;
  Damping damping;  ///< Made anew when the check starts.
  asio::steady_timer timer;
  asio::cancellation_signal cancel;
  std::vector<CheckId> subscribers;
  Outcome last_outcome;
  bool stopped = false;
  bool has_slot = false;

  Health health() const { return damping.is_up() ? Health::kUp : Health::kDown; }
  bool differs_from_start() const { return damping.is_up() == spec.key.damping.alpha; }
};

using EntryPtr = std::shared_ptr<Entry>;

asio::awaitable<Outcome> probe(const Target& target, std::uint32_t step) {
  if (const auto* http = std::get_if<HttpTarget>(&target))
    co_return co_await probe_http(*http, step);
  co_return co_await probe_tcp(std::get<TcpTarget>(target));
}

}  // namespace

struct Runner::Core : std::enable_shared_from_this<Core> {
  Core(asio::any_io_executor an_executor, RunnerCallbacks some_callbacks, RunnerLimits limits)
      : executor(std::move(an_executor)),
        callbacks(std::move(some_callbacks)),
        free_slots(limits.concurrent_probes),
        random(
            static_cast<std::minstd_rand::result_type>(Clock::now().time_since_epoch().count())) {}

  void spawn(const EntryPtr& entry);
  static asio::awaitable<void> run_check(std::shared_ptr<Core> self, EntryPtr entry);
  asio::awaitable<void> acquire_slot(EntryPtr entry);
  void release_slot(Entry& entry);
  void report(const EntryPtr& entry, const Outcome& outcome, TimePoint now);
  void report_later(CheckId id);
  void end(const EntryPtr& entry);

  asio::any_io_executor executor;
  RunnerCallbacks callbacks;
  std::map<CheckKey, EntryPtr> by_key;
  std::unordered_map<CheckId, EntryPtr> by_id;
  std::deque<EntryPtr> waiting;  ///< For a slot; at most one element per running check.
  std::size_t free_slots;
  std::minstd_rand random;
  std::uint64_t last_id = 0;
  bool started = false;
  bool stopped = false;
};

void Runner::Core::spawn(const EntryPtr& entry) {
  const double fraction = std::uniform_real_distribution<double>(0, 1)(random);
  const CheckKey& key = entry->spec.key;
  // A library bug may round up to 1.0; the damping wants less.
  entry->damping =
      Damping(key.damping, steps_of(key.target), Clock::now(), std::min(fraction, 0.999999));
  // The handler holds the entry, because the slot points into it until the very end.
  asio::co_spawn(
      executor, run_check(shared_from_this(), entry),
      asio::bind_cancellation_slot(entry->cancel.slot(), [entry](std::exception_ptr) {}));
}

// The life of one check. `stopped` is looked at after every suspension: a stopped entry touches
// neither the callbacks nor the tables.
asio::awaitable<void> Runner::Core::run_check(std::shared_ptr<Core> self, EntryPtr entry) {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!entry->stopped) {
    entry->timer.expires_at(entry->damping.next_probe());
    co_await entry->timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!entry->stopped) co_await self->acquire_slot(entry);
    Outcome outcome;
    if (!entry->stopped) outcome = co_await probe(entry->spec.key.target, entry->damping.step());
    self->release_slot(*entry);
    if (!entry->stopped) self->report(entry, outcome, Clock::now());
  }
}

// First come, first served. Who is stopped while waiting is skipped by release_slot.
asio::awaitable<void> Runner::Core::acquire_slot(EntryPtr entry) {
  if (free_slots > 0) {
    --free_slots;
    entry->has_slot = true;
    co_return;
  }
  waiting.push_back(entry);
  while (!entry->has_slot && !entry->stopped) {
    entry->timer.expires_at(TimePoint::max());
    co_await entry->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

void Runner::Core::release_slot(Entry& entry) {
  if (!std::exchange(entry.has_slot, false)) return;
  while (!waiting.empty()) {
    const EntryPtr next = std::move(waiting.front());
    waiting.pop_front();
    if (next->stopped) continue;
    next->has_slot = true;
    next->timer.cancel();
    return;
  }
  ++free_slots;
}

void Runner::Core::report(const EntryPtr& entry, const Outcome& outcome, TimePoint now) {
  entry->last_outcome = outcome;
  const Verdict verdict = entry->damping.handle_outcome(outcome, now);
  if (!outcome.is_ok() && callbacks.on_failure) {
    callbacks.on_failure({entry->spec, outcome, entry->damping.failures_in_row(), now});
  }
  if (verdict == Verdict::kNoChange) return;
  const Health health = verdict == Verdict::kWentUp ? Health::kUp : Health::kDown;
  // A callback may add and remove subscribers, and may stop the runner.
  const std::vector<CheckId> ids = entry->subscribers;
  for (const CheckId id : ids) {
    if (by_id.contains(id)) callbacks.on_verdict({id, health, outcome, now});
  }
}

// Tells a late subscriber that the check it shares is not in its initial state.
void Runner::Core::report_later(CheckId id) {
  asio::post(executor, [weak = weak_from_this(), id] {
    const auto self = weak.lock();
    if (!self) return;
    const auto found = self->by_id.find(id);
    if (found == self->by_id.end() || !found->second->differs_from_start()) return;
    const Entry& entry = *found->second;
    self->callbacks.on_verdict({id, entry.health(), entry.last_outcome, Clock::now()});
  });
}

void Runner::Core::end(const EntryPtr& entry) {
  entry->stopped = true;
  entry->cancel.emit(asio::cancellation_type::terminal);
  // co_spawn only posts the cancellation, to an object inside the entry's signal; a coroutine that
  // ends by itself in between must not be the last to hold the entry.
  asio::post(executor, [entry] {});
}

Runner::Runner(asio::any_io_executor executor, RunnerCallbacks callbacks, RunnerLimits limits)
    : core_(std::make_shared<Core>(std::move(executor), std::move(callbacks), limits)) {}

Runner::~Runner() {
  stop();
}

std::optional<CheckId> Runner::add(const CheckSpec& spec) {
  if (core_->stopped || steps_of(spec.key.target) == 0) return std::nullopt;
  EntryPtr entry;
  if (const auto found = core_->by_key.find(spec.key); found != core_->by_key.end()) {
    entry = found->second;
  } else {
    if (core_->by_key.size() >= kMaxChecks) return std::nullopt;
    entry = std::make_shared<Entry>(spec, core_->executor);
    core_->by_key.emplace(spec.key, entry);
    if (core_->started) core_->spawn(entry);
  }
  const CheckId id{++core_->last_id};
  entry->subscribers.push_back(id);
  core_->by_id.emplace(id, entry);
  if (core_->started && entry->differs_from_start()) core_->report_later(id);
  return id;
}

void Runner::remove(CheckId id) {
  const auto found = core_->by_id.find(id);
  if (found == core_->by_id.end()) return;
  const EntryPtr entry = found->second;
  core_->by_id.erase(found);
  std::erase(entry->subscribers, id);
  if (!entry->subscribers.empty()) return;
  core_->by_key.erase(entry->spec.key);
  core_->end(entry);
}

void Runner::start() {
  if (core_->started || core_->stopped) return;
  core_->started = true;
  for (const auto& [key, entry] : core_->by_key) core_->spawn(entry);
}

void Runner::stop() {
  if (std::exchange(core_->stopped, true)) return;
  for (const auto& [key, entry] : core_->by_key) core_->end(entry);
  core_->by_key.clear();
  core_->by_id.clear();
  core_->waiting.clear();
}

std::optional<Health> Runner::health(CheckId id) const {
  const auto found = core_->by_id.find(id);
  if (found == core_->by_id.end()) return std::nullopt;
  return found->second->health();
}

std::size_t Runner::check_count() const {
  return core_->by_key.size();
}

}  // namespace keepline::checks
