// Logging: the only place that formats text for people.
//
// Any thread of control may log; the sinks (syslog, console) are written by a thread of their
// own, so that a slow console never delays an advert. When its queue is full the oldest lines are
// lost rather than anybody waiting.
#pragma once

#include <spdlog/spdlog.h>

namespace keepline::control::log {

struct Options {
  bool console = false;  ///< Also to standard error (-l).
  bool detail = false;   ///< -D: debug messages too.
  bool syslog = true;
  int facility = 3;  ///< LOG_DAEMON >> 3.
};

void start(const Options& options);
/// Writes out what is queued.
void stop();

using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::warn;

}  // namespace keepline::control::log
