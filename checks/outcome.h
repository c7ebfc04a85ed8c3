// What one probe found: a small value with a name for every way in which a server can fail us.
//
// PURE. Made by the probes on the control thread, read by damping, the planner and the log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace keepline::checks {

/// Every end that a probe can have. kNotRun is the only one that says nothing about the server.
enum class OutcomeKind : std::uint8_t {
  kOk,
  kRefused,         ///< The port answered with a reset to our SYN.
  kTimeout,         ///< No answer within connect_timeout.
  kReset,           ///< The connection was reset after it had been established.
  kUnreachable,     ///< ICMP unreachable, or no route.
  kNoData,          ///< The server closed without sending a byte.
  kBadResponse,     ///< What came is not HTTP, or ended inside its headers.
  kBadStatus,       ///< detail = the HTTP status code.
  kDigestMismatch,  ///< The MD5 of the body is not the configured one.
  kTooLarge,        ///< More body than a health check should ever read.
  kIoError,         ///< Any other error of the connection; detail = errno.
  kNotRun,          ///< No fd, no local port, bind failed, cancelled: detail = errno. Run again.
};

/// The result of one probe.
struct Outcome {
  OutcomeKind kind = OutcomeKind::kNotRun;
  int detail = 0;  ///< HTTP status for kBadStatus, errno for kIoError and kNotRun, else 0.

  bool is_ok() const { return kind == OutcomeKind::kOk; }
  /// True when the server failed; false for success and for a probe that could not be made.
  bool is_failure() const { return kind != OutcomeKind::kOk && kind != OutcomeKind::kNotRun; }
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// A word for logs, JSON and FIFO lines: "refused", "bad status".
std::string_view name_of(OutcomeKind kind);

/// The word and its detail: "bad status 503", "not run (Too many open files)".
std::string to_string(const Outcome& outcome);

}  // namespace keepline::checks
