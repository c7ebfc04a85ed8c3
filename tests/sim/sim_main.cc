// sim: runs schedules of clusters until one breaks a rule, and then makes that one small.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/sim/minimise.h"
#include "tests/sim/world.h"

namespace {

using namespace std::chrono_literals;
using keepline::vrrp::kSecond_us;
namespace sim = keepline::vrrp::sim;

constexpr const char* kUsage =
    "sim [--schedules N] [--for SECONDS] [--seed S] [--workers N] [--replay FILE]\n"
    "    [--no-minimise] [--trace] [--rules]\n"
    "  --schedules N  how many (100000; with --for: until the time is over; with --trace: 1)\n"
    "  --seed S       the first one (1)\n"
    "  --replay FILE  runs the schedule of a file\n"
    "  --trace        prints what happens in the schedule of --seed or --replay\n"
    "  --rules        prints the invariants\n"
    "  --no-minimise  leaves a failing schedule as it is\n";

struct Options {
  std::uint64_t schedules = 0;
  double seconds = 0;
  std::uint64_t seed = 1;
  unsigned workers = std::max(1u, std::thread::hardware_concurrency());
  std::string replay;
  bool minimise = true;
  bool trace = false;
};

std::optional<Options> read_options(const std::vector<std::string>& words) {
  Options options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--no-minimise" || word == "--minimise") {
      options.minimise = word == "--minimise";
    } else if (word == "--trace") {
      options.trace = true;
    } else if (i + 1 == words.size()) {
      return std::nullopt;
    } else if (word == "--replay") {
      options.replay = words[++i];
    } else {
      char* end = nullptr;
      const double value = std::strtod(words[++i].c_str(), &end);
      if (*end != '\0' || value < 0) return std::nullopt;
      if (word == "--schedules") {
        options.schedules = static_cast<std::uint64_t>(value);
      } else if (word == "--for") {
        options.seconds = value;
      } else if (word == "--seed") {
        options.seed = std::strtoull(words[i].c_str(), nullptr, 10);
      } else if (word == "--workers") {
        options.workers = std::max(1u, static_cast<unsigned>(value));
      } else {
        return std::nullopt;
      }
    }
  }
  if (options.schedules == 0) options.schedules = options.seconds > 0 ? UINT64_MAX : 100'000;
  return options;
}

void print_failure(const sim::Failure& failure) {
  const sim::Rule& rule = sim::rule_of(failure.invariant);
  std::printf("broken: %s (%s)\n  at %.6f s, node %zu, lan %zu: %s\n", rule.name, rule.sentence,
              static_cast<double>(failure.at_us) / kSecond_us, failure.node, failure.lan,
              failure.detail.c_str());
}

void print_rules() {
  for (std::size_t i = 0; i < sim::kInvariantCount; ++i) {
    const sim::Rule& rule = sim::rule_of(static_cast<sim::Invariant>(i));
    std::printf("%-14s %s\n", rule.name, rule.sentence);
  }
}

int report(sim::Schedule schedule, const std::string& name, const Options& options) {
  const auto failure = sim::run(schedule).failure;
  print_failure(*failure);
  if (!options.minimise) return 1;
  schedule = sim::minimise(std::move(schedule), failure->invariant);
  const std::string path = "sim-" + name + ".txt";
  const std::string text = sim::to_text(schedule);
  std::printf("\nminimised:\n%s", text.c_str());
  print_failure(*sim::run(schedule).failure);
  if (std::ofstream(path) << text) {
    std::printf("\nreplay it with: scripts/sim --replay %s --trace\n", path.c_str());
  }
  return 1;
}

int run_one(const sim::Schedule& schedule, const std::string& name, const Options& options) {
  if (options.trace) std::printf("%s\n", sim::to_text(schedule).c_str());
  const sim::Outcome outcome = sim::run(schedule, options.trace);
  if (!outcome.failure) {
    std::printf("sim: %s is clean\n", name.c_str());
    return 0;
  }
  if (!options.trace) return report(schedule, name, options);
  print_failure(*outcome.failure);
  return 1;
}

int replay(const Options& options) {
  std::ifstream file(options.replay);
  std::stringstream text;
  text << file.rdbuf();
  const auto schedule = sim::from_text(text.str());
  if (!file || !schedule) {
    std::fprintf(stderr, "sim: %s is not a schedule\n", options.replay.c_str());
    return 2;
  }
  Options as_it_is = options;
  as_it_is.minimise = false;
  return run_one(*schedule, options.replay, as_it_is);
}

/// Runs schedules on all workers until the count, the time or the first failure.
class Campaign {
 public:
  explicit Campaign(const Options& options) : options_(options) {}

  int run() {
    std::vector<std::thread> workers;
    for (unsigned i = 0; i < options_.workers; ++i) workers.emplace_back([this] { work(); });
    show_progress();
    for (std::thread& worker : workers) worker.join();
    const int code = failed_ ? fail() : 0;
    std::printf(
        "sim: %llu schedules, %d failed, %llu adverts, %llu takeovers, %llu announcements, "
        "%llu stale clients, %llu packets answered, %.1f h simulated in %.1f s\n",
        number(done_), code, number(tally_.adverts), number(tally_.takeovers),
        number(tally_.announcements), number(tally_.stale), number(tally_.answered),
        static_cast<double>(tally_.simulated_us) / kSecond_us / 3600, elapsed_s());
    return code;
  }

 private:
  static unsigned long long number(std::uint64_t value) { return value; }
  double elapsed_s() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }
  bool is_over() const {
    return stop_ || (options_.seconds > 0 && elapsed_s() >= options_.seconds);
  }

  void work() {
    sim::Tally tally;
    while (!is_over()) {
      const std::uint64_t number = next_++;
      if (number >= options_.schedules) break;
      const sim::Outcome outcome = sim::run(sim::generate(options_.seed + number));
      tally += outcome.tally;
      ++done_;
      if (!outcome.failure) continue;
      const std::lock_guard lock(mutex_);
      failed_ = std::min(failed_.value_or(UINT64_MAX), options_.seed + number);
      stop_ = true;
    }
    const std::lock_guard lock(mutex_);
    tally_ += tally;
    ++finished_;
  }

  void show_progress() const {
    const bool visible = isatty(STDERR_FILENO) != 0;
    while (finished_ < options_.workers) {
      std::this_thread::sleep_for(50ms);
      if (!visible) continue;
      double share = static_cast<double>(done_) / static_cast<double>(options_.schedules);
      if (options_.seconds > 0) share = std::max(share, elapsed_s() / options_.seconds);
      const int filled = static_cast<int>(std::min(1.0, share) * 40);
      std::fprintf(stderr, "\r[%.*s%*s] %llu", filled, "########################################",
                   40 - filled, "", static_cast<unsigned long long>(done_));
    }
    if (visible) std::fprintf(stderr, "\r%70s\r", "");
  }

  int fail() const {
    std::printf("seed %llu, after %llu schedules\n", number(*failed_), number(done_));
    return report(sim::generate(*failed_), "seed-" + std::to_string(*failed_), options_);
  }

  const Options& options_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::atomic<std::uint64_t> next_ = 0;
  std::atomic<std::uint64_t> done_ = 0;
  std::atomic<unsigned> finished_ = 0;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::optional<std::uint64_t> failed_;
  sim::Tally tally_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words == std::vector<std::string>{"--rules"}) return print_rules(), 0;
  const auto options = read_options(words);
  if (!options) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  if (!options->replay.empty()) return replay(*options);
  const std::string name = "seed-" + std::to_string(options->seed);
  const bool single = options->trace || options->schedules == 1;
  if (single) return run_one(sim::generate(options->seed), name, *options);
  return Campaign(*options).run();
}
