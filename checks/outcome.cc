// Words for outcomes. PURE apart from strerror's table; any thread.
#include "checks/outcome.h"

#include <system_error>

namespace keepline::checks {

std::string_view name_of(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::kOk:
      return "ok";
    case OutcomeKind::kRefused:
      return "refused";
    case OutcomeKind::kTimeout:
      return "timeout";
    case OutcomeKind::kReset:
      return "reset";
    case OutcomeKind::kUnreachable:
      return "unreachable";
    case OutcomeKind::kNoData:
      return "no data";
    case OutcomeKind::kBadResponse:
      return "bad response";
    case OutcomeKind::kBadStatus:
      return "bad status";
    case OutcomeKind::kDigestMismatch:
      return "digest mismatch";
    case OutcomeKind::kTooLarge:
      return "too large";
    case OutcomeKind::kIoError:
      return "i/o error";
    case OutcomeKind::kNotRun:
      return "not run";
  }
  return "unknown";
}

std::string to_string(const Outcome& outcome) {
  std::string text(name_of(outcome.kind));
  if (outcome.detail == 0) return text;
  if (outcome.kind == OutcomeKind::kBadStatus) return text + ' ' + std::to_string(outcome.detail);
  return text + " (" + std::generic_category().message(outcome.detail) + ')';
}

}  // namespace keepline::checks
