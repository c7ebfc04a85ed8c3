#include "tests/bench/traffic.h"

#include <cstring>

#include "dataplane/net/checksum.h"

namespace keepline::bench {

namespace {

constexpr std::size_t kL3 = sizeof(net::EthernetHeader);
constexpr std::uint16_t kClientPort = 5000;
constexpr std::uint32_t kClients = 0x14000000;  // 20.0.0.0 and on
constexpr std::uint32_t kServersFrom = 0x0a000001;
constexpr std::uint32_t kVip = 0xc0000201;
constexpr std::uint32_t kLocalsFrom = 0xf00000;

net::Ip6 ip6(std::uint16_t site, std::uint32_t number) {
  net::Ip6 address;
  address.bytes = {0x20,
                   0x01,
                   0x0d,
                   0xb8,
                   static_cast<std::uint8_t>(site >> 8),
                   static_cast<std::uint8_t>(site)};
  for (int i = 0; i < 4; ++i) {
    address.bytes[12 + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  }
  return address;
}

net::IpAddr address(int family, std::uint32_t v4, std::uint16_t site, std::uint32_t number) {
  if (family == 6) return ip6(site, number);
  return net::Ip4(v4 + number);
}

// Any byte string as the number it is in memory, for the little patches of a template.
template <typename T>
void put(std::uint8_t* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

std::uint32_t last_word(const net::Ip6& address) {
  std::uint32_t word;
  std::memcpy(&word, address.bytes.data() + 12, sizeof word);
  return __builtin_bswap32(word);
}

std::uint32_t random_below(std::uint64_t& state, std::uint32_t limit) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return static_cast<std::uint32_t>(((state >> 32) * limit) >> 32);
}

}  // namespace

Host client_of(int family, std::uint32_t flow) {
  return {address(family, kClients, 1, flow), kClientPort};
}
Host vip_of(int family) {
  return {address(family, kVip, 2, 0), 80};
}
Host server_of(int family, unsigned number) {
  return {address(family, kServersFrom, 3, number), 8080};
}
Host local_of(int family, unsigned number) {
  return client_of(family, kLocalsFrom + number);
}
net::Mac port_mac() {
  return {{2, 0, 0, 0, 0, 1}};
}
net::Mac peer_mac() {
  return {{2, 0, 0, 0, 0, 2}};
}

Template::Template(int family, const Host& from, const Host& to, std::uint8_t flags)
    : family_(family) {
  net::EthernetHeader ethernet{port_mac(), peer_mac(),
                               net::be16(family == 6 ? net::kEtherTypeIpv6 : net::kEtherTypeIpv4)};
  std::memcpy(bytes_, &ethernet, sizeof ethernet);
  net::TcpHeader tcp{};
  tcp.source_port.set(from.port);
  tcp.destination_port.set(to.port);
  tcp.data_offset = 0x50;
  tcp.flags = flags;
  if (family == 6) {
    net::Ipv6Header ip{};
    ip.version_class_label.set(0x60000000);
    ip.payload_length.set(sizeof tcp);
    ip.next_header = static_cast<std::uint8_t>(net::Protocol::kTcp);
    ip.hop_limit = 64;
    ip.source = from.address.v6();
    ip.destination = to.address.v6();
    std::memcpy(bytes_ + kL3, &ip, sizeof ip);
    std::memcpy(bytes_ + kL3 + sizeof ip, &tcp, sizeof tcp);
    return;
  }
  net::Ipv4Header ip{};
  ip.version_ihl = 0x45;
  ip.total_length.set(sizeof ip + sizeof tcp);
  ip.ttl = 64;
  ip.protocol = static_cast<std::uint8_t>(net::Protocol::kTcp);
  ip.source = from.address.v4().be();
  ip.destination = to.address.v4().be();
  std::memcpy(bytes_ + kL3, &ip, sizeof ip);
  std::memcpy(bytes_ + kL3 + sizeof ip, &tcp, sizeof tcp);
  for (std::size_t i = 0; i < sizeof ip; i += 2) {
    std::uint16_t word;
    std::memcpy(&word, bytes_ + kL3 + i, 2);
    sum_ += word;
  }
}

void Template::write(std::uint8_t* frame, std::uint32_t flow, bool client_is_source) const {
  if (family_ == 6) {
    std::memcpy(frame, bytes_, frame_size(6));
    const std::size_t at = kL3 +
                           (client_is_source ? offsetof(net::Ipv6Header, source)
                                             : offsetof(net::Ipv6Header, destination)) +
                           12;
    put(frame + at, __builtin_bswap32(flow));
    return;
  }
  std::memcpy(frame, bytes_, frame_size(4));
  // The template's client is flow 0: its address is in the sum already.
  const std::size_t at = kL3 + (client_is_source ? offsetof(net::Ipv4Header, source)
                                                 : offsetof(net::Ipv4Header, destination));
  const std::uint32_t raw = __builtin_bswap32(kClients + flow);
  constexpr std::uint32_t kFirst = __builtin_bswap32(kClients);
  put(frame + at, raw);
  std::uint32_t sum = sum_ + (raw & 0xffff) + (raw >> 16) + (0xffff - (kFirst & 0xffff)) +
                      (0xffff - (kFirst >> 16));
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  put(frame + kL3 + offsetof(net::Ipv4Header, checksum), static_cast<std::uint16_t>(~sum));
}

std::uint32_t flow_of(const net::IpAddr& client) {
  return client.is_v6() ? last_word(client.v6()) : client.v4().value() - kClients;
}
std::uint32_t number_of_server(const net::IpAddr& server) {
  return server.is_v6() ? last_word(server.v6()) : server.v4().value() - kServersFrom;
}

Answers::Answers(int family, std::vector<Answer> answers)
    : answers_(std::move(answers)),
      port_at_(kL3 + (family == 6 ? sizeof(net::Ipv6Header) : sizeof(net::Ipv4Header)) +
               offsetof(net::TcpHeader, destination_port)) {
  for (unsigned i = 0; i < kServers; ++i) {
    by_server_.emplace_back(family, server_of(family, i), client_of(family, 0),
                            net::kTcpSyn | net::kTcpAck);
  }
}

void Answers::fill(std::span<std::uint8_t* const> frames) {
  for (std::uint8_t* frame : frames) {
    const Answer& answer = answers_[next_];
    by_server_[answer.server].write(frame, answer.flow, false);
    put(frame + port_at_, answer.port);
    next_ += next_ + 1 < answers_.size();
  }
}

Uniform::Uniform(int family, std::uint32_t flows)
    : flows_(flows), frame_(family, client_of(family, 0), vip_of(family), net::kTcpAck) {}

void Uniform::fill(std::span<std::uint8_t* const> frames) {
  for (std::uint8_t* frame : frames) frame_.write(frame, random_below(state_, flows_), true);
}

const Lives::Step Lives::kSteps[kPackets] = {
    {net::kTcpSyn, true},
    {net::kTcpSyn | net::kTcpAck, false},
    {net::kTcpAck, true},
    {net::kTcpAck | 0x08, true},   // the request
    {net::kTcpAck | 0x08, false},  // the answer
    {net::kTcpFin | net::kTcpAck, true},
    {net::kTcpFin | net::kTcpAck, false},
    {net::kTcpAck, true},
};

Lives::Lives(int family) : lives_(kAtOnce) {
  for (const Step& step : kSteps) {
    from_client_.emplace_back(family, client_of(family, 0), vip_of(family), step.flags);
    auto& of_servers = from_server_.emplace_back();
    for (unsigned i = 0; i < kServers; ++i) {
      of_servers.emplace_back(family, server_of(family, i), client_of(family, 0), step.flags);
    }
  }
}

void Lives::fill(std::span<std::uint8_t* const> frames) {
  for (std::uint8_t* frame : frames) fill_one(frame);
}

void Lives::fill_one(std::uint8_t* frame) {
  Life& life = lives_[position_];
  position_ = (position_ + 1) % kAtOnce;
  if (life.step == 0) {
    life.server = next_flow_ % kServers;
    life.flow = next_flow_++;
  }
  const Step& step = kSteps[life.step];
  const Template& frame_template =
      step.from_client ? from_client_[life.step] : from_server_[life.step][life.server];
  frame_template.write(frame, life.flow & 0xffffff, step.from_client);
  if (++life.step == kPackets) {
    life.step = 0;
    ++completed_;
  }
}

}  // namespace keepline::bench
