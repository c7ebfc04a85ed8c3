// Any frames, several to an input, through the parser and the whole pipeline.
//
// An input is a list of steps: a frame as it is, or a sound one of some kind with bytes changed and
// the IPv4 checksum made right again, or time that passes, or a server that leaves. Checked: no
// frame grows or shrinks, what is transmitted leaves through a port that exists, with a right IPv4
// checksum and a right transport checksum where it came with one, and the table keeps its bound.
#include <algorithm>
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

FrameBytes sound_frame(Input& input) {
  static constexpr std::uint16_t kPorts[] = {80, 53, 443, 81};
  const std::uint8_t kind = input.byte();
  const auto client_port = static_cast<std::uint16_t>(5000 + input.byte() % 32);
  const std::uint8_t flags = input.byte();
  Datagram d = (kind & 1) != 0 ? from_client(client_port, flags, kPorts[kind >> 6])
                               : from_server(client_port, flags);
  if ((kind & 2) != 0) d.protocol = net::Protocol::kUdp;
  if ((kind & 1) == 0 && (kind & 2) != 0) d.source.port = 5353;
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

class Fuzzed {
 public:
  Fuzzed() {
    lb::PipelineConfig config;
    config.connections = kCapacity;
    pipeline_ = std::make_unique<lb::Pipeline>(config, now_s_);
    leases_.grant(kLease, 0, 1000);
  }

  // The clock of seconds must not come near its end.
  bool is_old() const { return now_s_ > 1'000'000'000; }

  void begin() {
    now_s_ += 10'000;
    pipeline_->expire(now_s_, 100 * kCapacity);
    require(pipeline_->counters().connections.get() == 0);
    world_ = usual_world();
    snapshot_ = snapshot_of(world_);
    frame_number_ = 0;
  }

  void step(Input& input) {
    const std::uint8_t what = input.byte();
    switch (what % 8) {
      case 0:
        now_s_ += what < 128 ? input.byte() : input.byte() * 1000u;
        pipeline_->expire(now_s_, 1 + input.byte() % 8);
        break;
      case 1:
        world_.ip_forward = (what & 8) != 0;
        world_.services[0].pool[0].generation ^= (what & 16) != 0 ? 2 : 0;
        world_.services[0].pool[1].weight = (what & 32) != 0 ? 0 : 1;
        world_.neighbours[0].port = (what & 64) != 0 ? net::kNoPort : kOutside;
        snapshot_ = snapshot_of(world_);
        break;
      case 2:
        burst(input.bytes(1 + input.byte() * (kMaxFrame / 255)), what >> 7);
        break;
      default: {
        FrameBytes frame = sound_frame(input);
        change(frame, input);
        burst(std::move(frame), (frame_number_++ + what) % 2);
      }
    }
    require(pipeline_->counters().connections.get() <= kCapacity);
  }

 private:
  // In memory of exactly its size, so that a byte too far is seen.
  void burst(FrameBytes frame, unsigned port) {
    const auto copy = std::make_unique<std::uint8_t[]>(frame.size());
    std::copy(frame.begin(), frame.end(), copy.get());
    const net::Packet packet{copy.get(), nullptr, static_cast<std::uint16_t>(frame.size()), 0};
    const bool was_sound = is_sound(frame);
    const lb::LeaseView leases(leases_, 1, 0, 0);
    pipeline_->process(*snapshot_, leases, static_cast<net::PortId>(port), {&packet, 1}, now_s_,
                       result_);
    const lb::Verdict verdict = result_.verdicts[0];
    require(packet.data == copy.get() && packet.length == frame.size());
    if (verdict.action != lb::Action::kTransmit) return;
    require(verdict.port < snapshot_->port_count());
    const net::Bytes sent(copy.get(), frame.size());
    if (u16_at(sent, 12) != net::kEtherTypeIpv4) return;
    const std::size_t header = static_cast<std::size_t>(sent[kL3] & 15) * 4;
    require(reference_checksum(sent.subspan(kL3, header)) == 0);
    if (was_sound) require(checksums_ok(sent));
  }

  std::uint32_t now_s_ = 1000;
  World world_ = usual_world();
  std::unique_ptr<const lb::Snapshot> snapshot_ = snapshot_of(world_);
  lb::LeaseTable leases_;
  std::unique_ptr<lb::Pipeline> pipeline_;
  lb::BurstResult result_;
  unsigned frame_number_ = 0;
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
  return 0;
}
