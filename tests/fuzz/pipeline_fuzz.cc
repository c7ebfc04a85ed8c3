// Whole bursts of any frames through the parser and the pipeline.
//
// An input is a list of steps: a frame as it is, or a sound one of some kind or the answer of a
// connection's server with bytes changed and the IPv4 checksum made right again, or the end of a
// burst, or time that passes, or a server that leaves, or other rules. As in a worker, a burst is
// begun before the one in front of it is finished. Checked: no frame grows or shrinks unless its
// verdict says so, and then into its own room; what is transmitted leaves through a port that
// exists, with a right IPv4 checksum and a right transport checksum where it came with one, what
// the kernel gets is as it came, and the table keeps its bound.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "dataplane/lb/pipeline.h"
#include "tests/golden/stage.h"

namespace {

using namespace keepline;           // NOLINT(google-build-using-namespace)
using namespace keepline::testing;  // NOLINT(google-build-using-namespace)

constexpr std::size_t kCapacity = 20;
constexpr std::size_t kMaxFrame = 2000;

void require(bool condition) {
  if (!condition) std::abort();
}

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data, size) {}
  bool empty() const { return data_.empty(); }
  std::uint8_t byte() {
    if (data_.empty()) return 0;
    const std::uint8_t result = data_.front();
    data_ = data_.subspan(1);
    return result;
  }
  FrameBytes bytes(std::size_t count) {
    const auto taken = data_.first(std::min(count, data_.size()));
    data_ = data_.subspan(taken.size());
    return {taken.begin(), taken.end()};
  }

 private:
  net::Bytes data_;
};

const net::Ip4 kLocal = ip("10.0.0.200");
constexpr net::PortId kKernel = 2;

// The usual world, with a service of the further methods, rules and schedulers at port 81.
World fuzzed_world(std::uint8_t rules) {
  World world = usual_world();
  constexpr lb::Method kMethods[] = {lb::Method::kNat, lb::Method::kTunnel, lb::Method::kFullNat};
  const lb::Method method = kMethods[rules % 3];
  lb::Service more = service(3, {kNames.vip, 81}, net::Protocol::kTcp,
                             {real_server(5, {kNames.server1, 81}, method),
                              real_server(6, {kNames.server2, 81}, method, 2)});
  for (lb::RealServer& real : more.pool) {
    real.tunnel = {static_cast<lb::TunnelType>(rules / 3 % 3), 6080, (rules & 2) != 0};
    if (method == lb::Method::kFullNat) real.tell = static_cast<lb::Tell>(rules / 4 % 3);
    real.upper_threshold = (rules & 4) != 0 ? 3 : 0;
  }
  more.scheduler = static_cast<lb::Scheduler>(rules % lb::kSchedulers);
  world.vips.push_back({kLocal, kInside, kLease, kNames.inside_mac, true, true});
  more.locals = {kLocal};
  more.hash_fallback = (rules & 8) != 0;
  more.persistence_s = (rules & 16) != 0 ? 50 : 0;
  more.persistence_bits = (rules & 16) != 0 ? 30 : 0;
  if ((rules & 64) != 0) more.protocol = net::Protocol::kSctp;
  more.syn_proxy = (rules & 128) != 0 && (rules & 64) == 0 && lb::translates(method);
  world.services.push_back(more);
  world.services[1].one_packet = (rules & 32) != 0;
  if ((rules & 1) != 0) {
    // The outside port is a NIC of our own: what is not ours goes to the kernel as it came.
    world.ports.resize(3);
    world.ports[kOutside].kernel = kKernel;
    world.ports[kKernel].nic = kOutside;
    world.own = {ip("192.0.2.5"), kNames.inside};
  }
  return world;
}

// A packet to server1 as it is in a tunnel, but for what the checksums would be.
FrameBytes in_tunnel(Input& input, const Datagram& inside) {
  const std::uint8_t what = input.byte();
  FrameBytes headers;
  if (what % 3 == 1) {
    append16(headers, (what & 8) != 0 ? 0x8000 : 0);
    append16(headers, 0x0800);
    if ((what & 8) != 0) headers.insert(headers.end(), 4, 0);
  } else if (what % 3 == 2) {
    for (const unsigned word : {32768u, 6080u, 100u, 0u, 4u, 0u}) append16(headers, word);
  }
  constexpr std::uint8_t kProtocols[] = {4, 47, 17};
  Datagram outer;
  outer.source.address = kNames.inside;
  outer.destination.address = kNames.server1;
  outer.protocol = static_cast<net::Protocol>(kProtocols[what % 3]);
  FrameBytes frame;
  const FrameBytes packet = packet_of(bytes_of(inside));
  append_ip_header(frame, outer, headers.size() + packet.size());
  frame.insert(frame.end(), headers.begin(), headers.end());
  frame.insert(frame.end(), packet.begin(), packet.end());
  return frame;
}

// A router's word about a tunnel's packet, cut somewhere.
FrameBytes sound_tunnel_error(Input& input, std::uint16_t client_port) {
  const FrameBytes about = in_tunnel(input, from_client(client_port, net::kTcpAck, 81));
  Datagram d;
  d.to = kNames.inside_mac;
  d.from = kNames.router_mac;
  d.source.address = ip("10.0.0.77");
  d.destination.address = kNames.inside;
  constexpr std::uint8_t kTypes[] = {3, 11, 12, 3};
  const std::uint8_t what = input.byte();
  return error_of(d, kTypes[what % 4], (what & 4) != 0 ? 4 : 1, what * 8u,
                  packet_of(about, 20 + input.byte() % 100));
}

// An ICMP error about what the client or server1 was sent, cut somewhere.
FrameBytes sound_error(Input& input, std::uint16_t client_port) {
  const std::uint8_t what = input.byte();
  const bool to_vip = (what & 1) != 0;
  Datagram about = to_vip ? to_client(from_server(client_port, net::kTcpAck))
                          : to_server(from_client(client_port, net::kTcpAck));
  if ((what & 2) != 0) about.protocol = net::Protocol::kUdp;
  Datagram d;
  d.to = to_vip ? kNames.virtual_mac : kNames.inside_mac;
  d.from = kNames.router_mac;
  d.source.address = ip("203.0.113.1");
  d.destination.address = to_vip ? kNames.vip : kNames.client;
  constexpr std::uint8_t kTypes[] = {3, 11, 12, 3};
  return error_of(d, kTypes[what >> 6], 4, 1400,
                  packet_of(bytes_of(about), 20 + input.byte() % 40));
}

// One fragment of a datagram of three.
FrameBytes sound_fragment(Input& input, Datagram d) {
  const std::uint8_t what = input.byte();
  d.options = 0;
  d.payload.assign(50, 'f');
  return fragments_of(bytes_of(d), 24, what >> 4).at(what % 3);
}

FrameBytes sound_frame(Input& input) {
  static constexpr std::uint16_t kPorts[] = {80, 53, 443, 81};
  const std::uint8_t kind = input.byte();
  const auto client_port = static_cast<std::uint16_t>(5000 + input.byte() % 32);
  const std::uint8_t flags = input.byte();
  Datagram d = (kind & 1) != 0 ? from_client(client_port, flags, kPorts[kind >> 6])
                               : from_server(client_port, flags);
  if ((kind & 2) != 0) d.protocol = net::Protocol::kUdp;
  if ((kind & 1) == 0 && (kind & 2) != 0) d.source.port = 5353;
  if (d.destination.port == 81 && (flags & 128) != 0) {
    d.protocol = net::Protocol::kSctp;
    d.flags = flags & 15;
  }
  d.options = (kind & 4) != 0 ? 8 : 0;
  d.udp_checksum = (kind & 8) == 0;
  d.payload.assign(flags % 8, 'p');
  if ((kind & 0x30) == 0x30) {
    Arp arp;
    arp.to = net::kBroadcastMac;
    arp.from = arp.sender_mac = kNames.client_mac;
    arp.sender = kNames.client;
    arp.target = kNames.vip;
    return bytes_of(arp);
  }
  if ((kind & 0x30) == 0x10) {
    if ((flags & 3) == 3) return sound_tunnel_error(input, client_port);
    return (flags & 1) != 0 ? sound_error(input, client_port) : sound_fragment(input, d);
  }
  return (kind & 0x30) == 0x20 ? echo_of(d, net::kIcmpEchoRequest) : bytes_of(d);
}

// Up to seven bytes of the frame become others.
void change(FrameBytes& frame, Input& input) {
  const std::uint8_t how = input.byte();
  for (int i = 0; i < how % 8 && !frame.empty(); ++i) {
    const std::size_t at = input.byte() % frame.size();
    frame[at] = input.byte();
  }
  const bool repair = (how & 8) != 0 && frame.size() > kL3 + 20;
  if (repair && kL3 + static_cast<std::size_t>(frame[kL3] & 15) * 4 <= frame.size() &&
      (frame[kL3] & 15) >= 5 && u16_at(frame, 12) == net::kEtherTypeIpv4) {
    fix_ip_checksum(frame);
  }
  if ((how & 16) != 0) frame.resize(std::min<std::size_t>(frame.size(), input.byte()));
}

// Whether the transport checksum of a frame that parse() takes for a flow is right.
bool is_sound(net::Bytes frame) {
  FrameBytes copy(frame.begin(), frame.end());
  const net::Parsed parsed =
      net::parse({copy.data(), nullptr, static_cast<std::uint16_t>(copy.size()), 0});
  return parsed.kind == net::Kind::kFlow && checksums_ok(frame);
}

constexpr std::uint16_t kHeadroom = 60;

class Fuzzed {
 public:
  Fuzzed() {
    lb::PipelineConfig config;
    config.connections = kCapacity;
    config.full_nat = true;
    pipeline_ = std::make_unique<lb::Pipeline>(config, now_s_);
    leases_.grant(kLease, 0, 1000);
  }

  // The clock of seconds must not come near its end.
  bool is_old() const { return now_s_ > 1'000'000'000; }

  void begin() {
    // First the connections, then the templates that had some.
    for (int i = 0; i < 2; ++i) {
      now_s_ += 10'000;
      pipeline_->expire(now_s_, 100 * kCapacity);
    }
    require(pipeline_->counters().connections.get() == 0);
    world_ = fuzzed_world(0);
    snapshot_ = snapshot_of(world_);
  }

  void step(Input& input) {
    const std::uint8_t what = input.byte();
    switch (what % 9) {
      case 8: {
        FrameBytes frame = cookie_;
        if (frame.empty()) break;
        change(frame, input);
        add(frame);
        break;
      }
      case 0:
        finish_all();
        now_s_ += what < 128 ? input.byte() : input.byte() * 1000u;
        pipeline_->expire(now_s_, 1 + input.byte() % 8);
        break;
      case 1:
        finish_all();
        world_ = fuzzed_world(input.byte());
        world_.ip_forward = (what & 8) != 0;
        world_.services[0].pool[0].generation ^= (what & 16) != 0 ? 2 : 0;
        world_.services[0].pool[1].weight = (what & 32) != 0 ? 0 : 1;
        world_.neighbours[0].port = (what & 64) != 0 ? net::kNoPort : kOutside;
        snapshot_ = snapshot_of(world_);
        break;
      case 2:
        add(input.bytes(1 + input.byte() * (kMaxFrame / 255)));
        break;
      case 3:
        begin_burst((what >> 3) % 2);
        break;
      case 4: {
        FrameBytes frame = answer(input);
        change(frame, input);
        add(frame);
        break;
      }
      default: {
        FrameBytes frame = sound_frame(input);
        change(frame, input);
        add(frame);
      }
    }
    require(pipeline_->counters().connections.get() <= kCapacity);
  }

  // What the real server of one of the connections may send.
  FrameBytes answer(Input& input) const {
    const auto& table = pipeline_->connections4();
    const std::size_t count = table.high_water();
    const auto* connection = count == 0 ? nullptr : table.at(input.byte() % count);
    if (connection == nullptr) return sound_frame(input);
    Datagram d = from_server(0, input.byte());
    d.protocol = connection->flow_protocol();
    d.source = {net::Ip4(connection->real), connection->real_port.value()};
    d.destination = {net::Ip4(connection->local), connection->local_port.value()};
    return input.byte() % 4 == 0 ? sound_fragment(input, d) : bytes_of(d);
  }

  void finish_all() {
    begin_burst(0);
    begin_burst(0);  // the empty one behind it
  }

 private:
  // A burst, the memory of its frames, and whether they came with right checksums.
  struct Flight {
    lb::Burst burst;
    std::array<std::unique_ptr<std::uint8_t[]>, net::kBurstSize> memory;
    std::array<bool, net::kBurstSize> was_sound{};
    std::array<std::uint16_t, net::kBurstSize> length{};
    std::array<FrameBytes, net::kBurstSize> arrived;
  };

  // In memory of exactly its size, so that a byte too far is seen.
  void add(const FrameBytes& frame) {
    Flight& flight = flights_[filling_];
    const std::size_t at = flight.burst.count++;
    flight.memory[at] = std::make_unique<std::uint8_t[]>(kHeadroom + frame.size());
    std::copy(frame.begin(), frame.end(), flight.memory[at].get() + kHeadroom);
    flight.length[at] = static_cast<std::uint16_t>(frame.size());
    flight.was_sound[at] = is_sound(frame);
    flight.arrived[at] = frame;
    flight.burst.packets[at] = {flight.memory[at].get() + kHeadroom, nullptr, flight.length[at],
                                kHeadroom};
    if (flight.burst.count == net::kBurstSize) begin_burst(flight.length[at] % 2);
  }

  // Begins the burst that was filled and finishes the one that was begun before it.
  void begin_burst(unsigned port) {
    Flight& flight = flights_[filling_];
    flight.burst.port = static_cast<net::PortId>(port);
    pipeline_->begin(*snapshot_, leases(), flight.burst, now_s_);
    filling_ = 1 - filling_;
    Flight& before = flights_[filling_];
    if (before.burst.count != 0) pipeline_->finish(*snapshot_, leases(), before.burst, now_s_);
    for (std::size_t i = 0; i < before.burst.count; ++i) check(before, i);
    before.burst.count = 0;
  }

  void check(const Flight& flight, std::size_t i) {
    const net::Packet& packet = flight.burst.packets[i];
    const lb::Verdict verdict = flight.burst.verdicts[i];
    if (verdict.action == lb::Action::kTransmitResized) {
      require(packet.data >= flight.memory[i].get() &&
              packet.data + packet.length <=
                  flight.memory[i].get() + kHeadroom + flight.length[i] &&
              packet.data == flight.memory[i].get() + packet.headroom);
    } else {
      require(packet.data == flight.memory[i].get() + kHeadroom &&
              packet.length == flight.length[i]);
      if (verdict.action != lb::Action::kTransmit) return;
    }
    require(verdict.port < snapshot_->port_count());
    const net::Bytes sent(packet.data, packet.length);
    if (verdict.port == kKernel) {
      require(std::ranges::equal(sent, flight.arrived[i]));
      return;
    }
    note_cookie(sent);
    if (u16_at(sent, 12) != net::kEtherTypeIpv4) return;
    const std::size_t header = static_cast<std::size_t>(sent[kL3] & 15) * 4;
    require(reference_checksum(sent.subspan(kL3, header)) == 0);
    const bool resized = verdict.action == lb::Action::kTransmitResized;
    if (flight.was_sound[i] && !resized) require(checksums_ok(sent));
  }

  // The ACK of a client that our SYN-ACK went to.
  void note_cookie(net::Bytes sent) {
    constexpr std::size_t kL4 = kL3 + 20;
    if (sent.size() < kL4 + 20 || u16_at(sent, 12) != net::kEtherTypeIpv4 ||
        u16_at(sent, kL4) != 81 || sent[kL4 + 13] != (net::kTcpSyn | net::kTcpAck)) {
      return;
    }
    cookie_ = bytes_of(from_client(u16_at(sent, kL4 + 2), net::kTcpAck, 81));
    std::copy_n(sent.begin() + kL4 + 8, 4, cookie_.begin() + kL4 + 4);
    std::copy_n(sent.begin() + kL4 + 4, 4, cookie_.begin() + kL4 + 8);
    for (std::size_t at = kL4 + 12; at-- > kL4 + 8 && ++cookie_[at] == 0;) {
    }
  }

  lb::LeaseView leases() { return {leases_, 1, 0, 0}; }

  std::uint32_t now_s_ = 1000;
  World world_ = usual_world();
  std::unique_ptr<const lb::Snapshot> snapshot_ = snapshot_of(world_);
  lb::LeaseTable leases_{1};
  std::unique_ptr<lb::Pipeline> pipeline_;
  std::array<Flight, 2> flights_;
  std::size_t filling_ = 0;
  FrameBytes cookie_;
};

}  // namespace

// Making a pipeline costs more than an input does, so that one serves many: each begins with an
// empty table and the first world; only cursors and figures stay.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static auto fuzzed = std::make_unique<Fuzzed>();
  if (fuzzed->is_old()) fuzzed = std::make_unique<Fuzzed>();
  Input input(data, size);
  fuzzed->begin();
  while (!input.empty()) fuzzed->step(input);
  fuzzed->finish_all();
  return 0;
}
