#include "dataplane/lb/pipeline.h"

#include <algorithm>
#include <span>

#include "dataplane/lb/icmp/echo.h"
#include "dataplane/lb/icmp/tunnelled.h"
#include "dataplane/neigh/arp.h"
#include "dataplane/neigh/claim.h"
#include "dataplane/neigh/nd.h"

namespace keepline::lb {

using net::Drop;
using net::Kind;
using net::Packet;
using net::Parsed;

namespace {

template <typename F>
typename ConnectionTable<F>::Config table_config(const PipelineConfig& config) {
  const std::size_t half_open = config.connections * config.half_open_percent / 100;
  return {config.connections, std::max<std::size_t>(half_open, 1), config.hash_key,
          config.full_nat};
}

// Of what is nothing else: whether it is IP, and not neighbour discovery, which no_accept leaves
// alone.
bool is_for_host(const Packet& packet, const Parsed& parsed) {
  const std::uint16_t type = packet.at<net::EthernetHeader>(0)->type.value();
  if (type == net::kEtherTypeIpv4) return true;
  if (type != net::kEtherTypeIpv6) return false;
  return parsed.protocol != net::Protocol::kIcmp6 || !neigh::is_discovery(packet.data[parsed.l4]);
}

}  // namespace

Pipeline::Pipeline(const PipelineConfig& config, std::uint32_t now_s)
    : v4_(table_config<net::V4>(config), config.timeouts, config.worker, accounts_, now_s),
      v6_(table_config<net::V6>(config), config.timeouts, config.worker, accounts_, now_s) {}

void Pipeline::begin(const Snapshot& snapshot, const LeaseView& leases, Burst& burst,
                     std::uint32_t now_s, StageProbe* probe) {
  const auto packets = std::span<const Packet>(burst.packets).first(burst.count);
  std::uint64_t bytes = 0;
  for (const Packet& packet : packets) bytes += packet.length;
  counters_.packets.add(packets.size());
  counters_.bytes.add(bytes);
  net::parse_burst(packets, burst.parsed.data(), burst.sorted);
  if (probe != nullptr) probe->done(Stage::kParse);

  Turn turn(snapshot, leases, burst, now_s, counters_);
  if (burst.sorted.flows4.count != 0) v4_.classify(turn, burst);
  if (burst.sorted.flows6.count != 0) v6_.classify(turn, burst);
  if (probe != nullptr) probe->done(Stage::kClassify);
  v4_.look_up(burst);
  v6_.look_up(burst);
  if (probe != nullptr) probe->done(Stage::kLookup);
}

void Pipeline::finish(const Snapshot& snapshot, const LeaseView& leases, Burst& burst,
                      std::uint32_t now_s, StageProbe* probe) {
  Turn turn(snapshot, leases, burst, now_s, counters_);
  burst.neighbour_count = 0;
  burst.made_count = 0;
  const net::Places& others = burst.sorted.others;
  for (std::size_t i = 0; i < others.count; ++i) {
    burst.verdicts[others.at[i]] = handle_other(turn, burst, others.at[i]);
  }
  if (burst.sorted.flows4.count != 0) v4_.forward(turn, burst);
  if (burst.sorted.flows6.count != 0) v6_.forward(turn, burst);
  update_gauges();
  if (probe != nullptr) probe->done(Stage::kForward);
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
  return destination.address.is_v6() ? v6_.owner_of(snapshot, source, destination, protocol)
                                     : v4_.owner_of(snapshot, source, destination, protocol);
}

Verdict Pipeline::handle_other(Turn& turn, Burst& burst, std::size_t at) {
  Packet& packet = burst.packets[at];
  const Parsed& parsed = burst.parsed[at];
  if (parsed.kind == Kind::kDropped) return turn.drop(parsed.drop);
  if (turn.is_others(packet)) return turn.drop(Drop::kNotForUs);
  switch (parsed.kind) {
    case Kind::kArp:
      return answer_arp(turn, burst, at);
    case Kind::kVrrp:
      if (!turn.snapshot.port(turn.port).takes_adverts) return turn.not_ours(Drop::kUnknown);
      counters_.adverts.add();
      return {Action::kToControl, turn.port};
    case Kind::kNeighbourSolicitation:
      return answer_solicitation(turn, burst, at);
    case Kind::kFragment:
    case Kind::kIcmpEcho:
    case Kind::kIcmpError:
      break;
    case Kind::kOther:
      return is_for_host(packet, parsed) ? turn.not_ours(packet, parsed, Drop::kUnknown)
                                         : turn.not_ours(Drop::kUnknown);
    case Kind::kDropped:
    case Kind::kFlow:
      return turn.not_ours(Drop::kUnknown);
  }
  if (const Drop drop = turn.check_destination(packet); drop != Drop::kNone) {
    return turn.misdirected(packet, parsed, drop);
  }
  if (parsed.kind == Kind::kFragment) {
    return parsed.family == net::Family::kV6
               ? v6_.pass_fragment(turn, packet, parsed, burst.handed)
               : v4_.pass_fragment(turn, packet, parsed, burst.handed);
  }
  if (parsed.kind == Kind::kIcmpError) {
    if (const auto inside = tunnelled_in(packet, parsed)) {
      const auto verdict = inside->family == net::Family::kV6
                               ? v6_.pass_on_tunnel_error(turn, packet, parsed, *inside)
                               : v4_.pass_on_tunnel_error(turn, packet, parsed, *inside);
      if (verdict) return *verdict;
    }
    return parsed.family == net::Family::kV6 ? v6_.pass_on_error(turn, packet, parsed)
                                             : v4_.pass_on_error(turn, packet, parsed);
  }
  return answer_echo(turn, packet, parsed);
}

Verdict Pipeline::answer_arp(Turn& turn, Burst& burst, std::size_t at) {
  const Packet& packet = burst.packets[at];
  const auto* arp = packet.at<net::ArpHeader>(burst.parsed[at].l3);
  if (arp->sender_mac.is_multicast()) return turn.drop(Drop::kBadArp);
  if (arp->operation.value() != net::kArpRequest) return turn.not_ours(Drop::kBadArp);
  // A gratuitous ARP is no question.
  if (arp->sender_ip == arp->target_ip) return turn.not_ours(Drop::kUnknown);
  const Vip* vip = turn.snapshot.find_vip(net::Ip4(arp->target_ip));
  if (vip == nullptr || !vip->answer || vip->port != turn.port) {
    return turn.not_ours(Drop::kUnknown);
  }
  if (!turn.answers(vip->lease)) return turn.drop(Drop::kNotMaster);
  if (neigh::is_claim(packet, *arp)) return hear_claim(turn, *vip);
  // A sender of 0.0.0.0 probes for conflicts (RFC 5227 §2.1.1): answered, but nobody to remember.
  if (const net::Ip4 sender(arp->sender_ip); !sender.is_zero()) {
    burst.neighbours[burst.neighbour_count++] = {sender, arp->sender_mac, turn.port};
  }
  neigh::make_arp_reply(packet, vip->mac);
  counters_.arp_replies.add();
  return {Action::kTransmit, turn.port};
}

Verdict Pipeline::answer_solicitation(Turn& turn, Burst& burst, std::size_t at) {
  Packet& packet = burst.packets[at];
  const Parsed& parsed = burst.parsed[at];
  const auto target = neigh::solicited_target(packet, parsed);
  if (!target) return turn.drop(Drop::kBadArp);
  const Vip* vip = turn.snapshot.find_vip(*target);
  if (vip == nullptr || !vip->answer || vip->port != turn.port) {
    return turn.not_ours(Drop::kUnknown);
  }
  if (!turn.answers(vip->lease)) return turn.drop(Drop::kNotMaster);
  const net::Ip6 asker = parsed.ip<net::V6>(packet)->source;
  if (neigh::is_claim(packet, asker)) return hear_claim(turn, *vip);
  const net::Mac from = packet.at<net::EthernetHeader>(0)->source;
  const auto role =
      turn.snapshot.ip_forward(net::Family::kV6) ? neigh::Role::kRouter : neigh::Role::kHost;
  if (!neigh::make_advertisement(packet, parsed, vip->mac, role)) {
    return turn.drop(Drop::kNoHeadroom);
  }
  // Nobody's address yet: it looks whether another has it (RFC 4862 §5.4).
  if (!asker.is_zero()) burst.neighbours[burst.neighbour_count++] = {asker, from, turn.port};
  counters_.arp_replies.add();
  return {Action::kTransmitResized, turn.port};
}

// Not answered: it is known that we have the address.
Verdict Pipeline::hear_claim(const Turn& turn, const Vip& vip) {
  turn.share(vip.lease);
  counters_.claims.add();
  return {};
}

Verdict Pipeline::answer_echo(Turn& turn, const Packet& packet, const Parsed& parsed) {
  const Vip* vip = turn.snapshot.find_vip(net::destination_of(packet, parsed));
  if (vip == nullptr || !vip->answer) return turn.not_ours(Drop::kUnknown);
  if (!turn.holds(vip->lease)) return turn.drop(Drop::kNotMaster);
  if (!vip->accept) return turn.drop(Drop::kNotAccepted);
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
