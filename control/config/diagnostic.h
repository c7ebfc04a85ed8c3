// Positions in the configuration text, and everything that is said about them.
//
// PURE. Owns the list of diagnostics of one load and their meaning for the exit code of a
// configuration test. Bound: kMaxDiagnostics are kept; more only count (and keep their effect).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace keepline::config {

/// Where something was written. Lines and columns count from 1; 0 = unknown. After an expansion
/// ($NAME, ~SEQ) the line is that of the use and the column counts in the expanded text.
struct Position {
  std::string file;
  unsigned line = 0;
  unsigned column = 0;

  /// A position says where, not what: two configurations are equal wherever they were written.
  friend bool operator==(const Position&, const Position&) { return true; }
};

enum class Severity : std::uint8_t { kError, kWarning, kNote };

/// What a diagnostic does to the exit code of a configuration test and to a start.
enum class Effect : std::uint8_t {
  kNone,              ///< Nothing: said for information.
  kProblem,           ///< 5: something is ignored or changed, but it would run.
  kCannotRun,         ///< 4: nothing may be started with this file.
  kCannotRunProblem,  ///< 5, as keepalived says it, but nothing may be started either.
  kMissingParameter,  ///< 2: a keyword lacks its parameter; nothing may be started.
  kScriptSecurity,    ///< 6: scripts without enable_script_security; would run.
  kIncludeFailed,     ///< 6: a demanded include is missing; nothing may be started.
};

struct Diagnostic {
  Severity severity = Severity::kError;
  Effect effect = Effect::kProblem;
  Position position;
  std::string keyword;  ///< May be empty.
  std::string message;
  std::string hint;  ///< What to do about it; may be empty.
};

class Diagnostics {
 public:
  static constexpr std::size_t kMaxDiagnostics = 1000;

  void add(Diagnostic diagnostic);
  /// Shorthands: an error is a problem (5), a fatal error cannot run (4), a warning has no
  /// effect unless one is given.
  void error(const Position& position, std::string keyword, std::string message,
             std::string hint = {});
  void fatal(const Position& position, std::string keyword, std::string message,
             std::string hint = {}, Effect effect = Effect::kCannotRun);
  void warning(const Position& position, std::string keyword, std::string message,
               std::string hint = {}, Effect effect = Effect::kNone);

  const std::vector<Diagnostic>& items() const { return items_; }
  /// More is only counted: callers may spare themselves costly hints.
  bool is_full() const { return items_.size() >= kMaxDiagnostics; }
  /// How many did not fit into the list.
  std::size_t dropped() const { return dropped_; }
  bool has_errors() const { return has_errors_; }
  /// False when any diagnostic, kept or dropped, forbids a start.
  bool can_run() const;
  /// 0, 2, 4, 5 or 6. As in keepalived the largest of 4 < 5 < 6 is reported, so that a 5 hides
  /// a 4; a missing parameter (2) goes before all of them. Ask can_run() before starting.
  int exit_code() const;

 private:
  bool has(Effect effect) const { return (effects_ & bit(effect)) != 0; }
  static unsigned bit(Effect effect) { return 1U << static_cast<unsigned>(effect); }

  std::vector<Diagnostic> items_;
  std::size_t dropped_ = 0;
  unsigned effects_ = 0;
  bool has_errors_ = false;
};

/// `file:line:column: error: text (hint: ...)`, without a line end.
std::string to_string(const Diagnostic& diagnostic);
/// `file:line:column`, leaving out what is unknown.
std::string to_string(const Position& position);

}  // namespace keepline::config
