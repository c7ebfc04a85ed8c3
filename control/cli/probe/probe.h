// `keepline bench-failover`: numbered questions to a VIP at a fixed rate, as datagrams or as new
// TCP connections, and the far end that answers them.
//
// The CLI's only thread. Bounds: kMaxQuestions for each run, kMaxOpen connections at a time.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "control/cli/probe/socket.h"
#include "control/cli/probe/statistics.h"

namespace keepline::cli::probe {

inline constexpr std::size_t kMaxOpen = 8192;

/// What a question over TCP is.
enum class TcpQuestion : std::uint8_t {
  kEcho,     ///< A line; the far end answers with its name.
  kHttp,     ///< GET; any answer counts.
  kConnect,  ///< The connection alone.
};

struct Task {
  Endpoint target;
  double rate = 1000;             ///< Questions per second, 1 to 200,000.
  double seconds = 10;            ///< How long they are asked.
  double wait_s = 1;              ///< For answers after the last one; of TCP: for each connection.
  std::vector<Endpoint> servers;  ///< The far ends' own addresses, asked at the end.
  TcpQuestion question = TcpQuestion::kEcho;

  std::int64_t interval_ns() const { return static_cast<std::int64_t>(1e9 / rate); }
  std::uint64_t questions() const { return static_cast<std::uint64_t>(rate * seconds); }
};

struct Outcome {
  Statistics statistics;
  std::int64_t started_unix_ns = 0;  ///< When the first question was due.
  std::uint64_t overflowed = 0;      ///< Answers that the probe's own socket had no room for.
  std::uint64_t unasked = 0;         ///< Far ends that did not say what they had seen.
  std::string last_error;            ///< Of sending or connecting, for people; mostly empty.
};

/// Asks until all is asked or a signal comes, waits for the last answers; the error: why it could
/// not even begin.
tl::expected<Outcome, std::string> ask_by_udp(const Task& task);
tl::expected<Outcome, std::string> ask_by_tcp(const Task& task);

/// Answers questions of either kind on `port` of every address until catch_signals() caught one;
/// then, or when it cannot, why.
tl::expected<void, std::string> echo(std::uint16_t port, const std::string& name);

/// Which of the run's numbers the far ends have seen.
Tallies ask_tallies(const std::vector<Endpoint>& servers, std::uint64_t run,
                    std::uint64_t& unasked);

}  // namespace keepline::cli::probe
