// What became of each numbered question of a probe, and what that says about outages.
//
// PURE. 16 bytes for each question, at most kMaxQuestions of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/cli/probe/wire.h"

namespace keepline::cli::probe {

inline constexpr std::uint64_t kMaxQuestions = 20'000'000;
inline constexpr std::size_t kMaxServers = 250;   ///< Further ones are counted with the last.
inline constexpr std::size_t kMaxOutages = 1000;  ///< That are listed; all of them are counted.
inline constexpr std::size_t kMaxChanges = 100;   ///< The first ones.

/// A question sent later than this after its time is counted as late: a stall of the probe.
inline constexpr std::int64_t kLateNs = 1'000'000;

/// Why a question got no answer, or none in time.
enum class Fate : std::uint8_t {
  kOpen,      ///< No answer (yet).
  kAnswered,  ///<
  kSlow,      ///< Answered, but only after a repeated SYN: the user has waited.
  kRefused,   ///< Nobody listens there, or no way leads there.
  kReset,     ///< The connection was made, then cut.
  kTimeout,   ///< The connection or its answer did not come.
  kNotSent,   ///< The probe itself did not get round to it: no loss.
};

struct Percentiles {
  double p50 = 0, p90 = 0, p99 = 0, p999 = 0, max = 0;
};

/// Sorts `values`; nullopt when there are none.
std::optional<Percentiles> percentiles(std::vector<double>& values);

/// Where the questions without an answer were lost.
struct Lost {
  std::uint64_t there = 0;    ///< No far end has seen them.
  std::uint64_t back = 0;     ///< A far end has seen them: the answer was lost.
  std::uint64_t unknown = 0;  ///< Not every far end could be asked.
  std::uint64_t all() const { return there + back + unknown; }
};

/// Questions in a row without an answer (or a slow one).
struct Outage {
  double start_s = 0;       ///< Since the first question.
  double duration_ms = 0;   ///< Between the answered neighbours, less the interval.
  std::uint64_t first = 0;  ///< Number of the first question in it.
  Lost lost;
  std::string before, after;  ///< Who answered before and afterwards; empty: nobody.
  bool stalled = false;       ///< The probe itself has stalled in it: the duration is inexact.
};

/// Another server answers than before.
struct Change {
  double at_s = 0;  ///< When the first question that it has answered was sent.
  std::string before, after;
};

struct Statistics {
  std::uint64_t sent = 0, answered = 0, duplicated = 0;
  std::uint64_t not_sent = 0, late = 0;
  std::uint64_t slow = 0, refused = 0, reset = 0, timeout = 0;
  Lost lost;  ///< Of those sent; slow ones are not among them.
  double seconds = 0;
  double worst_late_us = 0;
  double outage_ms = 0;       ///< The longest.
  double outages_sum_ms = 0;  ///< Of all.
  std::uint64_t outage_count = 0;
  std::vector<Outage> outages;                   ///< The first kMaxOutages, in order.
  std::vector<Change> changes;                   ///< The first kMaxChanges, in order.
  std::map<std::string, std::uint64_t> servers;  ///< Answers of each.
  std::optional<Percentiles> late_us, round_trip_us;
  /// One way each, when the clocks of both ends agree.
  std::optional<Percentiles> there_us, back_us;
};

/// What the far ends say they have seen.
struct Tallies {
  std::vector<Range> seen;
  bool complete = false;  ///< Each of them was asked and has answered.
};

class Log {
 public:
  /// `interval_ns`: between the times at which questions are due; at least 1.
  explicit Log(std::int64_t interval_ns) : interval_ns_(interval_ns) {}

  /// Question number `questions()` was sent so late after its time.
  void sent(std::int64_t late_ns);
  void not_sent();
  /// `there_ns`: by both ends' clocks.
  void answered(std::uint64_t number, std::int64_t round_trip_ns, std::int64_t there_ns,
                std::string_view server);
  void ended(std::uint64_t number, Fate fate);
  /// Becomes kSlow; the answer counts all the same.
  void slow(std::uint64_t number);

  std::uint64_t questions() const { return questions_.size(); }
  std::uint64_t answers() const { return answers_; }
  std::uint64_t late() const { return late_; }
  std::int64_t late_ns(std::uint64_t number) const { return questions_[number].late_100ns * 100ll; }

  Statistics statistics(const Tallies& tallies) const;

 private:
  // Times in steps of 100 ns.
  struct Question {
    std::uint32_t late_100ns = 0;
    std::uint32_t round_trip_100ns = 0;
    std::int32_t there_100ns = 0;
    Fate fate = Fate::kOpen;
    std::uint8_t server = 0;
    std::uint8_t answers = 0;
  };

  bool hurt(std::uint64_t number) const;
  double sent_at_s(std::uint64_t number) const;
  void count(Statistics& all) const;
  void find_outages(Statistics& all, const std::vector<bool>& seen, bool complete) const;
  Outage outage(std::uint64_t first, std::uint64_t end, std::optional<std::uint64_t> before) const;
  void find_changes(Statistics& all) const;
  void times(Statistics& all) const;

  std::int64_t interval_ns_;
  std::vector<Question> questions_;
  std::vector<std::string> servers_;
  std::uint64_t answers_ = 0;
  std::uint64_t late_ = 0;
};

}  // namespace keepline::cli::probe
