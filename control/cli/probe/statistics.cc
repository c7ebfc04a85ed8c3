#include "control/cli/probe/statistics.h"

#include <algorithm>
#include <limits>

namespace keepline::cli::probe {

namespace {

constexpr std::int64_t kStepNs = 100;

template <typename Number>
Number steps(std::int64_t ns) {
  using Limits = std::numeric_limits<Number>;
  return static_cast<Number>(std::clamp<std::int64_t>(ns / kStepNs, Limits::min(), Limits::max()));
}

double us(std::int64_t number_of_steps) {
  return static_cast<double>(number_of_steps * kStepNs) / 1e3;
}

std::vector<bool> seen_numbers(const Tallies& tallies, std::uint64_t count) {
  std::vector<bool> seen(count);
  for (const Range& range : tallies.seen) {
    for (std::uint64_t i = range.first; i <= range.last && i < count; ++i) seen[i] = true;
  }
  return seen;
}

}  // namespace

std::optional<Percentiles> percentiles(std::vector<double>& values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  const auto at = [&](double part) {
    const auto rank = static_cast<std::size_t>(part * static_cast<double>(values.size()));
    return values[std::min(rank, values.size() - 1)];
  };
  return Percentiles{at(0.5), at(0.9), at(0.99), at(0.999), values.back()};
}

void Log::sent(std::int64_t late_ns) {
  Question& question = questions_.emplace_back();
  question.late_100ns = steps<std::uint32_t>(std::max<std::int64_t>(late_ns, 0));
  late_ += late_ns > kLateNs;
}

void Log::not_sent() {
  questions_.emplace_back().fate = Fate::kNotSent;
}

void Log::answered(std::uint64_t number, std::int64_t round_trip_ns, std::int64_t there_ns,
                   std::string_view server) {
  if (number >= questions_.size()) return;
  Question& question = questions_[number];
  if (question.answers < std::numeric_limits<std::uint8_t>::max()) ++question.answers;
  if (question.answers > 1) return;
  auto known = std::ranges::find(servers_, server);
  if (known == servers_.end() && servers_.size() < kMaxServers) {
    known = servers_.insert(known, std::string(server));
  } else if (known == servers_.end()) {
    --known;
  }
  question.server = static_cast<std::uint8_t>(known - servers_.begin());
  question.round_trip_100ns = steps<std::uint32_t>(std::max<std::int64_t>(round_trip_ns, kStepNs));
  question.there_100ns = steps<std::int32_t>(there_ns);
  if (question.fate != Fate::kSlow) question.fate = Fate::kAnswered;
  ++answers_;
}

void Log::ended(std::uint64_t number, Fate fate) {
  questions_[number].fate = fate;
}

void Log::slow(std::uint64_t number) {
  questions_[number].fate = Fate::kSlow;
}

bool Log::hurt(std::uint64_t number) const {
  const Fate fate = questions_[number].fate;
  return fate != Fate::kAnswered && fate != Fate::kNotSent;
}

double Log::sent_at_s(std::uint64_t number) const {
  const auto due_ns = static_cast<std::int64_t>(number) * interval_ns_;
  return static_cast<double>(due_ns + late_ns(number)) / 1e9;
}

void Log::count(Statistics& all) const {
  for (const Question& question : questions_) {
    all.not_sent += question.fate == Fate::kNotSent;
    all.slow += question.fate == Fate::kSlow;
    all.refused += question.fate == Fate::kRefused;
    all.reset += question.fate == Fate::kReset;
    all.timeout += question.fate == Fate::kTimeout;
    if (question.answers == 0) continue;
    all.duplicated += question.answers - 1u;
    ++all.servers[servers_[question.server]];
  }
  all.sent = questions_.size() - all.not_sent;
  all.answered = answers_;
  all.late = late_;
  all.seconds = static_cast<double>(questions_.size()) * static_cast<double>(interval_ns_) / 1e9;
}

Outage Log::outage(std::uint64_t first, std::uint64_t end,
                   std::optional<std::uint64_t> before) const {
  Outage found;
  const double interval_s = static_cast<double>(interval_ns_) / 1e9;
  const double began_s = before ? sent_at_s(*before) + interval_s : sent_at_s(first);
  const bool ended = end < questions_.size();
  const double ended_s = ended ? sent_at_s(end) : sent_at_s(end - 1) + interval_s;
  found.first = first;
  found.start_s = sent_at_s(first);
  found.duration_ms = std::max(0.0, ended_s - began_s) * 1e3;
  if (before) found.before = servers_[questions_[*before].server];
  if (ended) found.after = servers_[questions_[end].server];
  for (std::uint64_t i = before.value_or(first); i < end + ended; ++i) {
    found.stalled |= questions_[i].fate == Fate::kNotSent || late_ns(i) > kLateNs;
  }
  return found;
}

void Log::find_outages(Statistics& all, const std::vector<bool>& seen, bool complete) const {
  std::optional<std::uint64_t> before;
  for (std::uint64_t i = 0; i < questions_.size();) {
    if (questions_[i].fate == Fate::kAnswered) before = i;
    if (!hurt(i)) {
      ++i;
      continue;
    }
    // Its end is the next answer: questions that were not sent say nothing.
    std::uint64_t end = i;
    Lost lost;
    for (; end < questions_.size() && questions_[end].fate != Fate::kAnswered; ++end) {
      if (!hurt(end) || questions_[end].fate == Fate::kSlow) continue;
      (seen[end] ? lost.back : complete ? lost.there : lost.unknown) += 1;
    }
    Outage found = outage(i, end, before);
    found.lost = lost;
    all.lost.there += lost.there;
    all.lost.back += lost.back;
    all.lost.unknown += lost.unknown;
    all.outage_ms = std::max(all.outage_ms, found.duration_ms);
    all.outages_sum_ms += found.duration_ms;
    ++all.outage_count;
    if (all.outages.size() < kMaxOutages) all.outages.push_back(std::move(found));
    i = end;
  }
}

void Log::find_changes(Statistics& all) const {
  std::optional<std::uint8_t> server;
  for (std::uint64_t i = 0; i < questions_.size(); ++i) {
    if (questions_[i].answers == 0 || server == questions_[i].server) continue;
    if (server && all.changes.size() < kMaxChanges) {
      all.changes.push_back({sent_at_s(i), servers_[*server], servers_[questions_[i].server]});
    }
    server = questions_[i].server;
  }
}

void Log::times(Statistics& all) const {
  std::vector<double> late, round_trip, there, back;
  bool in_step = true;
  for (const Question& question : questions_) {
    if (question.fate != Fate::kNotSent) late.push_back(us(question.late_100ns));
    if (question.answers == 0) continue;
    const std::int64_t back_100ns =
        static_cast<std::int64_t>(question.round_trip_100ns) - question.there_100ns;
    in_step &= question.there_100ns > 0 && back_100ns > 0;
    round_trip.push_back(us(question.round_trip_100ns));
    there.push_back(us(question.there_100ns));
    back.push_back(us(back_100ns));
  }
  all.late_us = percentiles(late);
  if (all.late_us) all.worst_late_us = all.late_us->max;
  all.round_trip_us = percentiles(round_trip);
  // Clocks that are not in step sooner or later show a way that took less than nothing.
  if (!in_step) return;
  all.there_us = percentiles(there);
  all.back_us = percentiles(back);
}

Statistics Log::statistics(const Tallies& tallies) const {
  Statistics all;
  count(all);
  find_outages(all, seen_numbers(tallies, questions_.size()), tallies.complete);
  find_changes(all);
  times(all);
  return all;
}

}  // namespace keepline::cli::probe
