#include "dataplane/lb/pipeline.h"

#include <algorithm>

#include "dataplane/lb/icmp/echo.h"
#include "dataplane/neigh/arp.h"

namespace keepline::lb {

using net::Drop;
using net::Kind;
using net::Packet;
using net::Parsed;

namespace {

template <typename F>
typename ConnectionTable<F>::Config table_config(const PipelineConfig& config) {
  const std::size_t half_open = config.connections * config.half_open_percent / 100;
  return {config.connections, std::max<std::size_t>(half_open, 1), config.hash_key};
}

}  // namespace

Pipeline::Pipeline(const PipelineConfig& config, std::uint32_t now_s)
    : v4_(table_config<net::V4>(config), config.timeouts, config.worker, accounts_, now_s),
      v6_(table_config<net::V6>(config), config.timeouts, config.worker, accounts_, now_s) {}

void Pipeline::process(const Snapshot& snapshot, const LeaseView& leases, net::PortId port,
                       std::span<const Packet> packets, std::uint32_t now_s, BurstResult& result,
                       StageProbe* probe) {
  std::array<Parsed, net::kBurstSize> parsed;
  Turn turn(snapshot, leases, port, now_s, counters_);
  Lane<net::V4> lane4;
  Lane<net::V6> lane6;
  result.neighbour_count = 0;
  counters_.packets.add(packets.size());

  net::parse_burst(packets, parsed.data());
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    bytes += packets[i].length;
    if (parsed[i].kind != Kind::kFlow) [[unlikely]] {
      handle_other(turn, packets[i], parsed[i], result, result.verdicts[i]);
    } else if (parsed[i].family == net::Family::kV4) {
      lane4.add(i);
    } else {
      lane6.add(i);
    }
  }
  counters_.bytes.add(bytes);
  if (probe != nullptr) probe->done(Stage::kParse);
  if (lane4.count != 0) {
    carry(turn, v4_, {packets, parsed.data(), result.verdicts.data()}, lane4, probe);
  }
  if (lane6.count != 0) {
    carry(turn, v6_, {packets, parsed.data(), result.verdicts.data()}, lane6, probe);
  }
}

template <typename F>
void Pipeline::carry(Turn& turn, FlowPath<F>& path, const typename FlowPath<F>::Burst& burst,
                     Lane<F>& lane, StageProbe* probe) {
  path.classify(turn, burst, lane);
  if (probe != nullptr) probe->done(Stage::kClassify);
  path.look_up(lane);
  if (probe != nullptr) probe->done(Stage::kLookup);
  path.forward(turn, burst, lane);
  if (probe != nullptr) probe->done(Stage::kForward);
  update_gauges();
}

Explanation Pipeline::explain(const Snapshot& snapshot, const LeaseView& leases,
                              const net::Endpoint& source, const net::Endpoint& destination,
                              net::Protocol protocol, std::uint32_t now_s) const {
  return destination.address.is_v6()
             ? v6_.explain(snapshot, leases, source, destination, protocol, now_s)
             : v4_.explain(snapshot, leases, source, destination, protocol, now_s);
}

std::uint8_t Pipeline::owner_of(const Snapshot& snapshot, const net::Endpoint& source,
                                const net::Endpoint& destination, net::Protocol protocol) const {
  const std::uint64_t hash = destination.address.is_v6()
                                 ? v6_.hash_of(snapshot, source, destination, protocol)
                                 : v4_.hash_of(snapshot, source, destination, protocol);
  return snapshot.worker_of(net::shard_of(hash));
}

void Pipeline::handle_other(Turn& turn, const Packet& packet, const Parsed& parsed,
                            BurstResult& result, Verdict& verdict) {
  switch (parsed.kind) {
    case Kind::kDropped:
      verdict = turn.drop(parsed.drop);
      return;
    case Kind::kArp:
      verdict = answer_arp(turn, packet, parsed, result);
      return;
    case Kind::kVrrp:
      counters_.adverts.add();
      verdict = {Action::kToControl, turn.port};
      return;
    case Kind::kFragment:
    case Kind::kIcmpEcho:
      break;
    case Kind::kOther:
    case Kind::kFlow:
      verdict = turn.drop(Drop::kUnknown);
      return;
  }
  if (const Drop drop = turn.check_destination(packet); drop != Drop::kNone) {
    verdict = turn.drop(drop);
  } else if (parsed.kind == Kind::kFragment) {
    verdict = turn.drop(Drop::kFragment);
  } else {
    verdict = answer_echo(turn, packet, parsed);
  }
}

Verdict Pipeline::answer_arp(Turn& turn, const Packet& packet, const Parsed& parsed,
                             BurstResult& result) {
  const auto* arp = packet.at<net::ArpHeader>(parsed.l3);
  if (arp->operation.value() != net::kArpRequest || arp->sender_mac.is_multicast()) {
    return turn.drop(Drop::kBadArp);
  }
  // A gratuitous ARP is no question.
  if (arp->sender_ip == arp->target_ip) return turn.drop(Drop::kUnknown);
  const Vip* vip = turn.snapshot.find_vip(net::Ip4(arp->target_ip));
  if (vip == nullptr || !vip->answer || vip->port != turn.port) return turn.drop(Drop::kUnknown);
  if (!turn.answers(vip->lease)) return turn.drop(Drop::kNotMaster);
  // A sender of 0.0.0.0 probes for conflicts (RFC 5227 §2.1.1): answered, but nobody to remember.
  if (const net::Ip4 sender(arp->sender_ip); !sender.is_zero()) {
    result.neighbours[result.neighbour_count++] = {sender, arp->sender_mac, turn.port};
  }
  neigh::make_arp_reply(packet, vip->mac);
  counters_.arp_replies.add();
  return {Action::kTransmit, turn.port};
}

Verdict Pipeline::answer_echo(Turn& turn, const Packet& packet, const Parsed& parsed) {
  const Vip* vip = turn.snapshot.find_vip(net::Ip4(parsed.ip<net::V4>(packet)->destination));
  if (vip == nullptr || !vip->answer) return turn.drop(Drop::kUnknown);
  if (!turn.holds(vip->lease)) return turn.drop(Drop::kNotMaster);
  if (make_echo_reply(packet, parsed, source_mac(turn, *vip, turn.port)) == Echo::kBadChecksum) {
    return turn.drop(Drop::kBadIcmp);
  }
  counters_.echo_replies.add();
  return {Action::kTransmit, turn.port};
}

void Pipeline::expire(std::uint32_t now_s, std::size_t limit) {
  v4_.expire(now_s, limit, counters_);
  v6_.expire(now_s, limit, counters_);
  update_gauges();
}

void Pipeline::update_gauges() {
  counters_.connections.set(v4_.table().size() + v6_.table().size());
  counters_.half_open.set(v4_.table().half_open() + v6_.table().half_open());
}

}  // namespace keepline::lb
