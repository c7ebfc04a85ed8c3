// The words behind one keyword, read as typed values. Whatever does not fit is reported and
// leaves the target as it was.
//
// PURE. Lives for one statement. No loop is longer than the statement's words.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "control/config/model.h"
#include "control/config/tree.h"

namespace keepline::config {

std::optional<std::uint64_t> parse_number(std::string_view text);
std::optional<std::int64_t> parse_signed(std::string_view text);
/// Decimal seconds with up to six decimals ("0.5") to microseconds.
std::optional<std::uint64_t> parse_seconds_us(std::string_view text);
std::optional<bool> parse_bool(std::string_view text);

class Args {
 public:
  static constexpr std::uint64_t kMaxSecondsUs = 4'294'967'295ULL * kSecondUs;
  static constexpr std::uint64_t kMaxU32 = std::numeric_limits<std::uint32_t>::max();

  Args(const Statement& statement, Diagnostics& diagnostics)
      : statement_(statement), diagnostics_(diagnostics) {}

  const Statement& statement() const { return statement_; }
  Diagnostics& diagnostics() const { return diagnostics_; }
  const std::string& keyword() const { return statement_.keyword(); }
  /// How many words follow the keyword.
  std::size_t count() const { return statement_.words.size() - 1; }
  /// The n-th word behind the keyword, from 1; empty when there is none.
  const std::string& word(std::size_t index = 1) const;
  Position position(std::size_t index = 0) const;

  void error(std::string message, std::string hint = {}, std::size_t index = 1) const;
  void warning(std::string message, std::string hint = {}, Effect effect = Effect::kNone) const;
  void fatal(std::string message, std::string hint) const;

  std::optional<std::uint64_t> number(std::uint64_t low, std::uint64_t high,
                                      std::size_t index = 1) const;
  std::optional<std::uint64_t> seconds_us(std::uint64_t low_us, std::uint64_t high_us,
                                          std::size_t index = 1) const;
  /// No word at all means true.
  std::optional<bool> flag() const;
  std::optional<net::IpAddr> address(std::size_t index = 1) const;
  std::optional<std::uint16_t> port(std::size_t index, std::uint16_t low = 0) const;
  /// NAT, DR, or TUN [type ipip|gre|gue port N] [nocsum|csum|remcsum].
  std::optional<Forwarding> forwarding() const;

  template <typename T>
  void number_to(Setting<T>& out, std::uint64_t low, std::uint64_t high) const {
    if (const auto value = number(low, high)) out.set(static_cast<T>(*value));
  }
  template <typename T>
  void number_to(T& out, std::uint64_t low, std::uint64_t high) const {
    if (const auto value = number(low, high)) out = static_cast<T>(*value);
  }
  void seconds_to(Setting<std::uint64_t>& out, std::uint64_t low_us,
                  std::uint64_t high_us = kMaxSecondsUs) const;
  void seconds_to(std::uint64_t& out, std::uint64_t low_us,
                  std::uint64_t high_us = kMaxSecondsUs) const;
  void flag_to(Setting<bool>& out) const;
  void flag_to(bool& out) const;
  /// `CMD [user [group]]` by the rules for script-like keywords. A second one is an error.
  void command_to(Command& out) const;

 private:
  bool tunnel_options(Forwarding& result) const;
  bool full_nat_options(Forwarding& result) const;
  const Statement& statement_;
  Diagnostics& diagnostics_;
};

}  // namespace keepline::config
