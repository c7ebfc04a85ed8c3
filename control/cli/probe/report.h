// The outcome of a probe as text and as JSON.
//
// PURE.
#pragma once

#include <string>

#include "control/cli/probe/probe.h"

namespace keepline::cli::probe {

/// What was asked for, as the report repeats it.
struct Heading {
  std::string kind;  ///< "udp" or "tcp".
  std::string target;
  double rate = 0;  ///< Questions per second.
};

std::string text_report(const Heading& heading, const Outcome& outcome);
/// One JSON object with a newline behind it.
std::string json_report(const Heading& heading, const Outcome& outcome);

}  // namespace keepline::cli::probe
