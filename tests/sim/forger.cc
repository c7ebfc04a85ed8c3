#include "tests/sim/forger.h"

#include <algorithm>
#include <cstring>

#include "vrrp/advert.h"
#include "vrrp/hmac_sequence.h"

namespace keepline::vrrp::sim {

namespace {

constexpr std::size_t kPriorityAt = 2;
constexpr std::size_t kChecksumAt = 6;
constexpr std::size_t kCounterFromEnd = 18;

std::uint16_t word_at(const Packet& packet, std::size_t at) {
  return static_cast<std::uint16_t>(packet.data[at] << 8 | packet.data[at + 1]);
}

void put_word(Packet& packet, std::size_t at, std::uint16_t value) {
  packet.data[at] = static_cast<std::uint8_t>(value >> 8);
  packet.data[at + 1] = static_cast<std::uint8_t>(value);
}

// RFC 1624 section 3.
void change_word(Packet& packet, std::size_t at, std::uint16_t value, std::size_t checksum_at) {
  const std::uint32_t before = static_cast<std::uint16_t>(~word_at(packet, at));
  std::uint32_t sum = static_cast<std::uint16_t>(~word_at(packet, checksum_at));
  sum += before + value;
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  put_word(packet, at, value);
  put_word(packet, checksum_at, static_cast<std::uint16_t>(~sum));
}

// `renumber`: else it is of use only with who has not heard the true one.
Packet changed(Packet packet, const Schedule& schedule, std::uint8_t priority, bool renumber) {
  const std::size_t message = schedule.ipv6 != 0 ? 40 : 20;
  const std::size_t at = message + kPriorityAt;
  const bool is_same = packet.data[at] == priority;
  const auto word = static_cast<std::uint16_t>(priority << 8 | packet.data[at + 1]);
  change_word(packet, at, word, message + kChecksumAt);
  if (!renumber && !is_same) return packet;
  const std::size_t counter = packet.size - kCounterFromEnd;
  const auto next = static_cast<std::uint16_t>(word_at(packet, counter) + 1);
  if (schedule.ipv6 != 0) {
    change_word(packet, counter, next, message + kChecksumAt);
  } else {
    put_word(packet, counter, next);
  }
  return packet;
}

void spoil(AuthHmac& hmac, std::int64_t style) {
  if (style == 0) hmac = {};
  for (HmacKey& key : hmac.keys) {
    if (style == 1) key.bytes.front() ^= 0x80;
    if (style == 2) key.id = static_cast<std::uint8_t>(key.id + 70);
  }
  if (style == 2) hmac.active_key = static_cast<std::uint8_t>(hmac.active_key + 70);
}

}  // namespace

Packet make_forgery(const Schedule& schedule, std::size_t lan, const std::vector<Packet>& kept,
                    Random& random, std::int64_t now_us) {
  const auto priority = static_cast<std::uint8_t>(random.pick({255, 255, 254, 1, 0, 0}));
  const std::int64_t style = random.between(0, 3);
  Packet packet;
  if (style == 3 && !kept.empty()) {
    packet = changed(kept[random.next() % kept.size()], schedule, priority, random.chance(50));
  } else {
    const auto claimed = static_cast<std::size_t>(random.next() % schedule.nodes.size());
    InstanceConfig config = config_of(schedule, claimed, lan);
    spoil(config.hmac, style % 3);
    const std::uint64_t number = HmacSequence().next(config.hmac, kWallStart_us + now_us);
    std::array<std::uint8_t, kMaxAdvertBytes> bytes;
    const auto length = encode_advert(config, priority, config.group, bytes, number);
    packet.from = static_cast<std::uint8_t>(claimed);
    packet.size = static_cast<std::uint8_t>(length.value_or(0));
    std::copy_n(bytes.begin(), packet.size, packet.data.begin());
  }
  packet.lan = static_cast<std::uint8_t>(lan);
  packet.origin = Origin::kForged;
  return packet;
}

}  // namespace keepline::vrrp::sim
