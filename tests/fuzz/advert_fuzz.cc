// Any bytes through the advert parser; what parses must survive encode and parse unchanged.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "dataplane/net/checksum.h"
#include "vrrp/advert.h"

namespace {

using namespace keepline::vrrp;  // NOLINT(google-build-using-namespace)
using keepline::net::Bytes;

// An instance that would have sent this advert.
InstanceConfig sender_of(const Advert& advert) {
  InstanceConfig config;
  config.vrid = advert.vrid;
  config.version = advert.version;
  config.advert_interval_us = advert.interval_us;
  config.vips = advert.vips;
  config.source = advert.source;
  config.group = advert.destination;
  config.auth_type = static_cast<AuthType>(advert.auth_type);
  config.auth_data = advert.auth_data;
  config.v3_checksum_as_v2 = !advert.checksum_pseudo && advert.source.is_v4();
  return config;
}

// Makes the length and both checksums right, so that mutations reach what lies behind them.
std::vector<std::uint8_t> repaired6(Bytes data) {
  std::vector<std::uint8_t> packet(data.begin(), data.end());
  if (packet.size() < 48 || packet.size() > 0xffff) return {};
  packet[0] = 0x60;
  const keepline::net::be16 length(static_cast<std::uint16_t>(packet.size() - 40));
  std::memcpy(&packet[4], &length, sizeof length);
  packet[6] = 112;
  packet[46] = packet[47] = 0;
  std::uint64_t sum = keepline::net::checksum_add(0, Bytes(packet).subspan(8));
  sum += std::uint64_t{length.raw()} + keepline::net::be16(112).raw();
  const keepline::net::be16 checksum = keepline::net::checksum_finish(sum);
  std::memcpy(&packet[46], &checksum, sizeof checksum);
  return packet;
}

enum class Behind { kIp, kAuthHeader };

std::vector<std::uint8_t> repaired(Bytes data, Behind behind) {
  std::vector<std::uint8_t> packet(data.begin(), data.end());
  const std::size_t message = behind == Behind::kIp ? 20 : 44;
  if (packet.size() < message + 8 || packet.size() > 0xffff) return {};
  const auto put = [&packet](std::size_t at, keepline::net::be16 value) {
    std::memcpy(&packet[at], &value, sizeof value);
  };
  packet[0] = 0x45;
  put(2, keepline::net::be16(static_cast<std::uint16_t>(packet.size())));
  put(6, keepline::net::be16(0));
  packet[8] = 255;
  packet[9] = behind == Behind::kIp ? 112 : 51;
  if (behind == Behind::kAuthHeader) {
    packet[20] = 112;
    packet[21] = 4;
    std::memcpy(&packet[24], &packet[12], 4);
  }
  put(16, keepline::net::be16(0xe000));
  put(18, keepline::net::be16(0x0012));
  put(10, keepline::net::be16(0));
  put(10, keepline::net::checksum(Bytes(packet).first(20)));
  put(message + 6, keepline::net::be16(0));
  put(message + 6, keepline::net::checksum(Bytes(packet).subspan(message)));
  return packet;
}

// The same with the last 28 bytes as a trailer of auth_hmac, which no checksum of IPv4 covers, and
// with as many addresses as there is room for.
std::vector<std::uint8_t> repaired_signed(Bytes data) {
  if (data.size() < 20 + 8 + kHmacTrailerBytes) return {};
  const Bytes trailer = data.last(kHmacTrailerBytes);
  std::vector<std::uint8_t> message(data.begin(), data.end() - kHmacTrailerBytes);
  const std::size_t authentication = message[20] >> 4 == 2 ? 8 : 0;
  const std::size_t rest = message.size() - 28;
  if (rest < authentication || (rest - authentication) % 4 != 0) return {};
  message[23] = static_cast<std::uint8_t>((rest - authentication) / 4);
  std::vector<std::uint8_t> packet = repaired(message, Behind::kIp);
  if (packet.empty()) return {};
  packet.insert(packet.end(), trailer.begin(), trailer.end());
  const keepline::net::be16 length(static_cast<std::uint16_t>(packet.size()));
  std::memcpy(&packet[2], &length, sizeof length);
  packet[10] = packet[11] = 0;
  const keepline::net::be16 checksum = keepline::net::checksum(Bytes(packet).first(20));
  std::memcpy(&packet[10], &checksum, sizeof checksum);
  return packet;
}

HmacKey key_of(std::uint8_t id) {
  return {id, std::vector<std::uint8_t>(kLeastHmacKeyBytes, id)};
}

// What is signed is accepted, by who has the key, and is not with any bit of it changed.
void check_signing(const Advert& advert, InstanceConfig sender, std::size_t changed) {
  sender.auth_type = AuthType::kNone;
  sender.hmac.keys = {key_of(1), key_of(2)};
  sender.hmac.active_key = 2;
  sender.v3_checksum_as_v2 = false;
  InstanceConfig receiver = sender;
  receiver.source = {};
  std::array<std::uint8_t, kMaxAdvertBytes> packet;
  const auto length = encode_advert(sender, advert.priority, sender.group, packet, 4711);
  if (!length && sender.vips.size() > kMaxSignedVips6 && sender.source.is_v6()) return;
  if (!length) std::abort();
  const auto whole = parse_advert(Bytes(packet).first(*length));
  if (!whole || !whole->trailer || whole->trailer->number != 4711) std::abort();
  if (!is_authentic(*whole->trailer, key_of(2)) || is_authentic(*whole->trailer, key_of(1))) {
    std::abort();
  }
  const std::size_t at = changed % (8 * *length);
  packet[at / 8] ^= static_cast<std::uint8_t>(1 << at % 8);
  const auto other = parse_advert(Bytes(packet).first(*length));
  // The TTL of an IPv6 header is under no checksum; neither is its flow label.
  const bool is_uncovered = sender.source.is_v6() && at / 8 < 40;
  if (other && !is_uncovered && !check_advert(*other, receiver)) std::abort();
}

void check(Bytes data) {
  const auto parsed = parse_advert(data);
  if (!parsed) return;
  const InstanceConfig config = sender_of(*parsed);
  InstanceConfig receiver = config;
  receiver.source = {};
  (void)check_advert(*parsed, receiver);
  receiver.hmac.keys = {key_of(1)};
  // Nobody guesses a digest.
  if (!check_advert(*parsed, receiver)) std::abort();
  check_signing(*parsed, config, data.size() * 7 + data.back());
  (void)compare_vips(*parsed, config);
  // Of authentication only a password, or none, is carried as it was received.
  if (parsed->header || parsed->auth_type > 1) return;

  std::array<std::uint8_t, kMaxAdvertBytes> packet;
  const auto length = encode_advert(config, parsed->priority, config.group, packet);
  if (!length && parsed->vips.size() > kMaxVips6 && parsed->source.is_v6()) return;
  if (!length) std::abort();
  const auto again = parse_advert(Bytes(packet).first(*length));
  if (!again) std::abort();
  // Without authentication the eight bytes are sent as zeros, whatever was received.
  Advert expected = *parsed;
  expected.ttl = 255;
  expected.trailer.reset();
  if (expected.auth_type == 0) expected.auth_data = {};
  // Zeroing them, the checksum was computed anew and still is a plain one; in version 3 the
  // reserved bits and the trailing padding are gone, and both forms may now agree or not.
  expected.checksum_plain = again->checksum_plain;
  expected.checksum_pseudo = again->checksum_pseudo;
  if (!(*again == expected)) std::abort();
  if (config.v3_checksum_as_v2 ? !again->checksum_plain : !again->checksum_pseudo) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check(Bytes(data, size));
  check(repaired(Bytes(data, size), Behind::kIp));
  check(repaired(Bytes(data, size), Behind::kAuthHeader));
  check(repaired_signed(Bytes(data, size)));
  check(repaired6(Bytes(data, size)));
  return 0;
}
