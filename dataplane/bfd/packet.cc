#include "dataplane/bfd/packet.h"

#include <cstring>

namespace keepline::bfd {

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kPoll = 0x20;
constexpr std::uint8_t kFinal = 0x10;
constexpr std::uint8_t kAuthentication = 0x04;
constexpr std::uint8_t kDemand = 0x02;
constexpr std::uint8_t kMultipoint = 0x01;
constexpr std::size_t kLeastAuthenticated = 26;

struct Layout {
  std::uint8_t version_diagnostic;  // 3 and 5 bits
  std::uint8_t state_flags;         // 2 and 6 bits
  std::uint8_t multiplier;
  std::uint8_t length;
  net::be32 my_discriminator;
  net::be32 your_discriminator;
  net::be32 desired_min_tx_us;
  net::be32 required_min_rx_us;
  net::be32 required_min_echo_rx_us;
};
static_assert(sizeof(Layout) == kPacketBytes);

}  // namespace

tl::expected<ControlPacket, Discard> parse_packet(net::Bytes payload) {
  Layout wire;
  if (payload.size() < sizeof wire) return tl::unexpected(Discard::kLength);
  std::memcpy(&wire, payload.data(), sizeof wire);
  const std::uint8_t flags = wire.state_flags & 0x3f;
  if (wire.version_diagnostic >> 5 != kVersion) return tl::unexpected(Discard::kVersion);
  const std::size_t least = (flags & kAuthentication) != 0 ? kLeastAuthenticated : kPacketBytes;
  if (wire.length < least || wire.length > payload.size()) return tl::unexpected(Discard::kLength);
  if (wire.multiplier == 0) return tl::unexpected(Discard::kMultiplier);
  if ((flags & kMultipoint) != 0) return tl::unexpected(Discard::kMultipoint);
  if (wire.my_discriminator.value() == 0) return tl::unexpected(Discard::kDiscriminator);

  ControlPacket packet;
  packet.diagnostic = static_cast<Diagnostic>(wire.version_diagnostic & 0x1f);
  packet.state = static_cast<State>(wire.state_flags >> 6);
  packet.poll = (flags & kPoll) != 0;
  packet.final = (flags & kFinal) != 0;
  packet.demand = (flags & kDemand) != 0;
  packet.has_authentication = (flags & kAuthentication) != 0;
  packet.multiplier = wire.multiplier;
  packet.my_discriminator = wire.my_discriminator.value();
  packet.your_discriminator = wire.your_discriminator.value();
  packet.desired_min_tx_us = wire.desired_min_tx_us.value();
  packet.required_min_rx_us = wire.required_min_rx_us.value();
  packet.required_min_echo_rx_us = wire.required_min_echo_rx_us.value();
  return packet;
}

std::array<std::uint8_t, kPacketBytes> encode_packet(const ControlPacket& packet) {
  Layout wire;
  wire.version_diagnostic =
      static_cast<std::uint8_t>(kVersion << 5 | static_cast<unsigned>(packet.diagnostic));
  wire.state_flags = static_cast<std::uint8_t>(
      static_cast<unsigned>(packet.state) << 6 | (packet.poll ? kPoll : 0u) |
      (packet.final ? kFinal : 0u) | (packet.demand ? kDemand : 0u));
  wire.multiplier = packet.multiplier;
  wire.length = kPacketBytes;
  wire.my_discriminator.set(packet.my_discriminator);
  wire.your_discriminator.set(packet.your_discriminator);
  wire.desired_min_tx_us.set(packet.desired_min_tx_us);
  wire.required_min_rx_us.set(packet.required_min_rx_us);
  wire.required_min_echo_rx_us.set(packet.required_min_echo_rx_us);
  std::array<std::uint8_t, kPacketBytes> bytes;
  std::memcpy(bytes.data(), &wire, sizeof wire);
  return bytes;
}

}  // namespace keepline::bfd
