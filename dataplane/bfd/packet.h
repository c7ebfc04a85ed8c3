// The BFD control packet: bytes to values and back (RFC 5880 §4.1), without authentication.
//
// PURE; no allocation. Whatever the bytes are, the result is a packet or the reason to discard it.
#pragma once

#include <array>
#include <cstdint>

#include <tl/expected.hpp>

#include "dataplane/bfd/types.h"
#include "dataplane/net/bytes.h"

namespace keepline::bfd {

inline constexpr std::size_t kPacketBytes = 24;  ///< Of one without authentication.

struct ControlPacket {
  Diagnostic diagnostic = Diagnostic::kNone;
  State state = State::kDown;
  bool poll = false;
  bool final = false;
  bool demand = false;
  bool has_authentication = false;  ///< Never sent; Session::handle_packet() discards it.
  std::uint8_t multiplier = 0;
  std::uint32_t my_discriminator = 0;
  std::uint32_t your_discriminator = 0;
  std::uint32_t desired_min_tx_us = 0;
  std::uint32_t required_min_rx_us = 0;
  std::uint32_t required_min_echo_rx_us = 0;  ///< Ours is zero: nothing is looped back here.

  friend bool operator==(const ControlPacket&, const ControlPacket&) = default;
};

/// The payload of UDP. Checks what needs no session: §6.8.6, up to My Discriminator.
tl::expected<ControlPacket, Discard> parse_packet(net::Bytes payload);

std::array<std::uint8_t, kPacketBytes> encode_packet(const ControlPacket& packet);

}  // namespace keepline::bfd
