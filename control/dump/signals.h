// keepalived's signals, by their names in --signum.
//
// PURE but for the C library, which has the last word on the numbers of real-time signals.
#pragma once

#include <array>
#include <csignal>
#include <optional>
#include <string_view>

namespace keepline::control::dump {

inline constexpr int kDataSignal = SIGUSR1;
inline constexpr int kStatsSignal = SIGUSR2;
inline int json_signal() {
  return SIGRTMIN + 2;
}
inline int stats_clear_signal() {
  return SIGRTMAX - 1;
}

inline std::array<int, 4> dump_signals() {
  return {kDataSignal, kStatsSignal, json_signal(), stats_clear_signal()};
}

/// What --signum prints: STOP, RELOAD, DATA, STATS, STATS_CLEAR, JSON.
inline std::optional<int> signal_number(std::string_view name) {
  if (name == "STOP") return SIGTERM;
  if (name == "RELOAD") return SIGHUP;
  if (name == "DATA") return kDataSignal;
  if (name == "STATS") return kStatsSignal;
  if (name == "STATS_CLEAR") return stats_clear_signal();
  if (name == "JSON") return json_signal();
  return std::nullopt;
}

}  // namespace keepline::control::dump
