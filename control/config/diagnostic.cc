// What a list of diagnostics means, and how one is shown. PURE; bound: kMaxDiagnostics.
#include "control/config/diagnostic.h"

#include <utility>

namespace keepline::config {

void Diagnostics::add(Diagnostic diagnostic) {
  effects_ |= bit(diagnostic.effect);
  has_errors_ = has_errors_ || diagnostic.severity == Severity::kError;
  if (is_full()) {
    ++dropped_;
    return;
  }
  items_.push_back(std::move(diagnostic));
}

void Diagnostics::error(const Position& position, std::string keyword, std::string message,
                        std::string hint) {
  add({Severity::kError, Effect::kProblem, position, std::move(keyword), std::move(message),
       std::move(hint)});
}

void Diagnostics::fatal(const Position& position, std::string keyword, std::string message,
                        std::string hint, Effect effect) {
  add({Severity::kError, effect, position, std::move(keyword), std::move(message),
       std::move(hint)});
}

void Diagnostics::warning(const Position& position, std::string keyword, std::string message,
                          std::string hint, Effect effect) {
  add({Severity::kWarning, effect, position, std::move(keyword), std::move(message),
       std::move(hint)});
}

bool Diagnostics::can_run() const {
  return !has(Effect::kCannotRun) && !has(Effect::kCannotRunProblem) &&
         !has(Effect::kMissingParameter) && !has(Effect::kIncludeFailed);
}

int Diagnostics::exit_code() const {
  if (has(Effect::kMissingParameter)) return 2;
  if (has(Effect::kScriptSecurity) || has(Effect::kIncludeFailed)) return 6;
  if (has(Effect::kProblem) || has(Effect::kCannotRunProblem)) return 5;
  if (has(Effect::kCannotRun)) return 4;
  return 0;
}

std::string to_string(const Position& position) {
  std::string text = position.file;
  for (unsigned number : {position.line, position.column}) {
    if (number == 0) break;
    if (!text.empty()) text += ':';
    text += std::to_string(number);
  }
  return text;
}

std::string to_string(const Diagnostic& diagnostic) {
  std::string text = to_string(diagnostic.position);
  if (!text.empty()) text += ": ";
  switch (diagnostic.severity) {
    case Severity::kError:
      text += "error: ";
      break;
    case Severity::kWarning:
      text += "warning: ";
      break;
    case Severity::kNote:
      text += "note: ";
      break;
  }
  // The keyword is shown in front unless the message says it itself.
  const std::string& keyword = diagnostic.keyword;
  if (!keyword.empty() && diagnostic.message.find(keyword) == std::string::npos) {
    text += keyword + ": ";
  }
  text += diagnostic.message;
  if (!diagnostic.hint.empty()) text += " (hint: " + diagnostic.hint + ")";
  return text;
}

}  // namespace keepline::config
