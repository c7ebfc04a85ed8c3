// The vocabulary of BFD: states, diagnostics, why a packet is discarded, what a session is told.
//
// PURE values. Times are monotonic microseconds (`_us`); intervals are what the packet carries:
// 32 bits of microseconds.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "dataplane/net/headers.h"

namespace keepline::bfd {

/// RFC 5881 §4: source ports are from here to 65535.
inline constexpr std::uint16_t kFirstSourcePort = 49152;
/// RFC 5880 §6.8.3: what is not Up sends no faster.
inline constexpr std::int64_t kSlowest_us = 1'000'000;
inline constexpr std::int64_t kMaxInterval_us = 0xffff'ffff;

/// RFC 5880 §4.1, Sta.
enum class State : std::uint8_t { kAdminDown = 0, kDown = 1, kInit = 2, kUp = 3 };
inline constexpr std::size_t kStateCount = 4;

/// RFC 5880 §4.1, Diag; others are carried as they are.
enum class Diagnostic : std::uint8_t {
  kNone = 0,
  kDetectionTimeExpired = 1,
  kEchoFailed = 2,
  kNeighbourSignaledDown = 3,
  kForwardingPlaneReset = 4,
  kPathDown = 5,
  kConcatenatedPathDown = 6,
  kAdministrativelyDown = 7,
  kReverseConcatenatedPathDown = 8,
};

/// Why a packet was discarded: RFC 5880 §6.8.6 in its order, after what lies around the packet.
enum class Discard : std::uint8_t {
  kUdp,              ///< No sound UDP header, or a length that does not fit.
  kChecksum,         ///< Of UDP.
  kTtl,              ///< Came from further away than allowed (RFC 5881 §5, RFC 5883 §5).
  kVersion,          ///< Not 1.
  kLength,           ///< Shorter than a packet, or longer than what carries it.
  kMultiplier,       ///< Zero.
  kMultipoint,       ///< The M bit.
  kDiscriminator,    ///< My Discriminator is zero.
  kUnknownSession,   ///< Your Discriminator, or the addresses, are of no session.
  kNotEstablishing,  ///< Your Discriminator is zero, but the state is not Down or AdminDown.
  kAuthentication,   ///< The A bit: no session here is authenticated.
  kAdminDown,        ///< The session is switched off here.
};
inline constexpr std::size_t kDiscardCount = 12;

/// What a session has to be told; control/config checks the ranges.
struct SessionConfig {
  net::IpAddr neighbour;
  net::IpAddr source;  ///< Zero: the address of the way out. Else of the neighbour's family.
  std::uint32_t min_tx_us = 10'000;
  std::uint32_t min_rx_us = 10'000;
  std::uint32_t idle_tx_us = 1'000'000;  ///< While not Up.
  std::uint8_t multiplier = 5;           ///< 1..255
  bool is_passive = false;               ///< Speaks only when it was spoken to.
  bool is_multihop = false;
  std::uint8_t ttl = 255;     ///< Of what is sent, and of what the neighbour sends.
  std::int16_t max_hops = 0;  ///< Routers that there may be in between; negative: any number.
  std::uint16_t source_port = kFirstSourcePort;

  /// Whether it is about the same two ends: what a reload keeps.
  bool has_ends_of(const SessionConfig& other) const {
    return neighbour == other.neighbour && source == other.source &&
           is_multihop == other.is_multihop;
  }
  std::uint16_t port() const { return is_multihop ? net::kBfdMultihopPort : net::kBfdPort; }
  friend bool operator==(const SessionConfig&, const SessionConfig&) = default;
};

struct StateChanged {
  State from = State::kDown;
  State to = State::kDown;
  Diagnostic diagnostic = Diagnostic::kNone;

  /// The neighbour, or the way to it, died without a word.
  bool is_loss() const {
    return from == State::kUp && diagnostic == Diagnostic::kDetectionTimeExpired;
  }
};

/// "AdminDown", "Down", "Init", "Up".
std::string_view to_string(State state);
/// RFC 5880's words, as keepalived writes them.
std::string_view to_string(Diagnostic diagnostic);
/// The counter's name, e.g. "unknown_session".
std::string_view to_string(Discard reason);

}  // namespace keepline::bfd
