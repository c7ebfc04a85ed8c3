// Any bytes as a frame through the whole of BFD; what parses must survive encode and parse, and no
// packet may take a session out of the bounds of its timers.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "dataplane/bfd/session_table.h"
#include "dataplane/net/checksum.h"

namespace {

using namespace keepline::bfd;  // NOLINT(google-build-using-namespace)
namespace net = keepline::net;

struct Sink final : Output {
  void send(SessionNumber, const Session&, const ControlPacket& packet) override {
    const auto again = parse_packet(encode_packet(packet));
    if (!again || !(*again == packet) || (packet.poll && packet.final)) std::abort();
  }
  void changed(SessionNumber, const Session&, const StateChanged&) override {}
  void ended(SessionNumber) override {}
};

void check_codec(net::Bytes payload) {
  const auto packet = parse_packet(payload);
  if (!packet || packet->has_authentication) return;
  const auto again = parse_packet(encode_packet(*packet));
  if (!again || !(*again == *packet)) std::abort();
}

// Each 24 bytes become a packet of the neighbour, or a frame as it is.
void check_table(net::Bytes data) {
  SessionTable table(data.size());
  Sink sink;
  SessionConfig config;
  config.neighbour = net::Ip4(0x0a000002);
  std::int64_t now_us = 1;
  table.set(0, config, now_us, sink);
  for (; data.size() >= kPacketBytes; data = data.subspan(kPacketBytes)) {
    std::array<std::uint8_t, kPacketBytes> bytes;
    std::copy_n(data.begin(), bytes.size(), bytes.begin());
    bytes[0] = static_cast<std::uint8_t>(0x20 | (bytes[0] & 0x1f));
    bytes[3] = kPacketBytes;
    auto packet = parse_packet(bytes);
    if (!packet) continue;
    packet->has_authentication = false;
    if (packet->your_discriminator % 2 != 0) {
      packet->your_discriminator = table.find(0)->discriminator();
    }
    SessionConfig sender;
    sender.neighbour = net::Ip4(0x0a000001);
    Frame frame = make_frame(*packet, sender, {{}, net::Ip4(0x0a000002)});
    net::Packet arrived;
    arrived.data = frame.bytes.data();
    arrived.length = static_cast<std::uint16_t>(frame.length);
    table.handle_frame(arrived, net::parse(arrived), now_us, sink);
    now_us += packet->desired_min_tx_us % 2'000'000;
    table.handle_timeout(now_us, sink);
    const auto next_us = table.next_timeout();
    if (next_us && *next_us <= now_us) std::abort();
    if (table.find(0)->tx_interval_us() < 10'000) std::abort();
  }
}

void check_frame(net::Bytes data) {
  std::vector<std::uint8_t> frame(data.begin(), data.end());
  if (frame.empty() || frame.size() > 2'000) return;
  net::Packet arrived;
  arrived.data = frame.data();
  arrived.length = static_cast<std::uint16_t>(frame.size());
  const net::Parsed parsed = net::parse(arrived);
  if (parsed.kind != net::Kind::kFlow || parsed.protocol != net::Protocol::kUdp) return;
  Datagram datagram;
  if (read_datagram(arrived, parsed, datagram)) check_codec(datagram.payload);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_codec(net::Bytes(data, size));
  check_table(net::Bytes(data, size));
  check_frame(net::Bytes(data, size));
  return 0;
}
