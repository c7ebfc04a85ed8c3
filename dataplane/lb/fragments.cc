// FlowPath's fragments: the first goes its flow's way, the others follow it.
//
// With several workers the datagram's hash says whose table knows the owner of its flow. A fragment
// goes there first, and from there to the owner: a worker that is handed a fragment of a datagram
// that is not its own to know is the owner.
#include <cstddef>
#include <cstring>

#include "dataplane/lb/flow_path_inline.h"

namespace keepline::lb {

using net::Drop;
using net::Packet;
using net::Parsed;

namespace {

/// RFC 8200 §4.5.
struct FragmentHeader6 {
  std::uint8_t next_header;
  std::uint8_t reserved;
  net::be16 offset;  // in units of 8 bytes: the high 13 bits
  net::be32 id;
};
static_assert(sizeof(FragmentHeader6) == 8);

template <typename F>
struct Fragment {
  DatagramKey<F> key;
  bool is_first = false;
  std::uint16_t l4 = 0;  ///< Of what the fragment carries.
};

std::optional<Fragment<net::V4>> read(const Packet& packet, const Parsed& parsed, net::V4) {
  const auto* ip = packet.at<net::Ipv4Header>(parsed.l3);
  return Fragment<net::V4>{{ip->source, ip->destination, ip->id.value(), parsed.protocol},
                           (ip->fragment.value() & net::kIpv4OffsetMask) == 0,
                           parsed.l4};
}

std::optional<Fragment<net::V6>> read(const Packet& packet, const Parsed& parsed, net::V6) {
  if (parsed.l4 + sizeof(FragmentHeader6) >
      static_cast<std::size_t>(parsed.l3 + parsed.l3_length)) {
    return std::nullopt;
  }
  const auto* ip = packet.at<net::Ipv6Header>(parsed.l3);
  const auto* header = packet.at<FragmentHeader6>(parsed.l4);
  return Fragment<net::V6>{{ip->source, ip->destination, header->id.value(),
                            static_cast<net::Protocol>(header->next_header)},
                           header->offset.value() >> 3 == 0,
                           static_cast<std::uint16_t>(parsed.l4 + sizeof(FragmentHeader6))};
}

// The first fragment as the packet of a flow that it begins with, but for its kind; nullopt: its
// header is cut.
template <typename F>
std::optional<Parsed> flow_of(const Packet& packet, const Parsed& parsed,
                              const Fragment<F>& fragment) {
  const bool tcp = fragment.key.protocol == net::Protocol::kTcp;
  const std::size_t needed = tcp ? sizeof(net::TcpHeader) : sizeof(net::UdpHeader);
  if (fragment.l4 + needed > static_cast<std::size_t>(parsed.l3 + parsed.l3_length)) {
    return std::nullopt;
  }
  Parsed flow = parsed;
  flow.protocol = fragment.key.protocol;
  flow.l4 = fragment.l4;
  std::memcpy(&flow.ports, packet.data + flow.l4, sizeof flow.ports);
  flow.flags = tcp ? packet.at<net::TcpHeader>(flow.l4)->flags : std::uint8_t{0};
  return flow;
}

}  // namespace

template <typename F>
Verdict FlowPath<F>::pass_fragment(Turn& turn, Packet& packet, const Parsed& parsed,
                                   Handed handed) {
  const auto fragment = read(packet, parsed, F{});
  if (!fragment) return turn.drop(Drop::kTruncated);
  const std::uint8_t home = turn.snapshot.worker_of(net::shard_of(fragment->key.hash()));
  if (home != worker_ && handed == Handed::kNo) return {Action::kHandOff, turn.port, home};
  if (!fragment->is_first) return later_fragment(turn, packet, parsed, fragment->key);
  if (fragment->key.protocol != net::Protocol::kTcp &&
      fragment->key.protocol != net::Protocol::kUdp) {
    return stray_fragment(turn, packet, parsed, fragment->key);
  }
  const auto flow = flow_of(packet, parsed, *fragment);
  if (!flow) return turn.drop(Drop::kTruncated);
  return first_fragment(turn, packet, *flow, fragment->key, home == worker_);
}

template <typename F>
Verdict FlowPath<F>::first_fragment(Turn& turn, Packet& packet, const Parsed& flow,
                                    const DatagramKey<F>& datagram, bool is_home) {
  const FlowKey<F> key{datagram.source, datagram.destination, flow.ports.source,
                       flow.ports.destination, flow.protocol};
  const ServiceEntry* service =
      turn.snapshot.template find_service<F>(key.destination, key.destination_port, key.protocol);
  const Direction direction = service != nullptr ? Direction::kForward : Direction::kReverse;
  const auto [hash, owner] = home_of(turn.snapshot, key, direction);
  if (is_home && owner != worker_) {
    fragments_.note(datagram, owner, turn.now_s);
    return {Action::kHandOff, turn.port, owner};
  }
  const Arrival arrival{packet, flow, hash};
  const Verdict verdict =
      service != nullptr ? to_service(turn, arrival, *service) : from_server(turn, arrival);
  if (const Entry* connection = table_.find(hash, key, direction)) {
    fragments_.note(datagram, worker_, turn.now_s).connection = table_.number_of(*connection);
  }
  return verdict;
}

template <typename F>
Verdict FlowPath<F>::later_fragment(Turn& turn, Packet& packet, const Parsed& parsed,
                                    const DatagramKey<F>& datagram) {
  const auto* entry = fragments_.find(datagram, turn.now_s);
  if (entry == nullptr) return stray_fragment(turn, packet, parsed, datagram);
  if (entry->owner != worker_) return {Action::kHandOff, turn.port, entry->owner};
  if (entry->connection == FragmentTable<F>::kNoConnection) return turn.drop(Drop::kFragment);
  // The connection may have ended, and its entry may serve another one.
  Entry& connection = table_[entry->connection];
  if (connection.protocol != datagram.protocol) return turn.drop(Drop::kFragment);
  if (connection.client == datagram.source && connection.vip == datagram.destination) {
    return fragment_to_real(turn, packet, parsed, connection);
  }
  if (connection.real == datagram.source && connection.local == datagram.destination &&
      translates(connection.method)) {
    return fragment_to_client(turn, packet, parsed, connection);
  }
  return turn.drop(Drop::kFragment);
}

// Of a datagram that is no service's business, or whose first fragment is late or lost.
template <typename F>
Verdict FlowPath<F>::stray_fragment(Turn& turn, const Packet& packet, const Parsed& parsed,
                                    const DatagramKey<F>& datagram) {
  if (turn.is_refused(packet, parsed)) return turn.drop(Drop::kNotAccepted);
  if (turn.snapshot.find_vip(F::generic(datagram.destination)) != nullptr) {
    return turn.drop(Drop::kFragment);
  }
  return turn.has_kernel() ? turn.not_ours(Drop::kFragment) : route(turn, packet, parsed);
}

template <typename F>
Verdict FlowPath<F>::fragment_to_real(Turn& turn, Packet& packet, const Parsed& parsed,
                                      Entry& connection) {
  const RealEntry* real = turn.snapshot.real(connection.real_slot, connection.real_generation);
  if (real == nullptr || real->until_s <= turn.now_s) return turn.drop(Drop::kServerGone);
  if (real->vip == kNoVip || !turn.holds(turn.snapshot.vip(real->vip).lease)) {
    return turn.drop(Drop::kNotMaster);
  }
  accounts_.of(connection).packet_in(parsed.l3_length);
  if (parsed.l3_length > real->mtu) return turn.drop(why_not(real->reach));
  if (hops_left<F>(packet, parsed) <= 1) return turn.drop(Drop::kTtlExpired);
  if (translates(connection.method)) {
    nat_fragment_to_real<F>(packet, parsed, connection);
  } else {
    pass_on<F>(packet, parsed);
  }
  if (connection.method == Method::kTunnel) {
    if (!put_into_tunnel(turn, packet, parsed, connection, *real)) return {};
    return {Action::kTransmitResized, real->port};
  }
  set_link_header(packet, real->link);
  return {Action::kTransmit, real->port};
}

template <typename F>
Verdict FlowPath<F>::fragment_to_client(Turn& turn, Packet& packet, const Parsed& parsed,
                                        Entry& connection) {
  const Vip* vip = turn.snapshot.find_vip(F::generic(connection.vip));
  if (vip == nullptr || !turn.holds(vip->lease)) return turn.drop(Drop::kNotMaster);
  accounts_.of(connection).packet_out(parsed.l3_length);
  if (connection.hop_epoch != turn.snapshot.hop_epoch()) resolve_client(turn, connection);
  const net::PortId port = connection.client_hop_port;
  const Drop drop = check_way_out<F>(turn, packet, parsed, port);
  if (drop != Drop::kNone) return turn.drop(drop);
  nat_fragment_to_client<F>(packet, parsed, connection);
  set_link_header(packet, {connection.client_hop_mac, source_mac(turn, *vip, port)});
  return {Action::kTransmit, port};
}

// The members of this file only; the rest of the class is instantiated where it is defined.
template Verdict FlowPath<net::V4>::pass_fragment(Turn&, Packet&, const Parsed&, Handed);
template Verdict FlowPath<net::V6>::pass_fragment(Turn&, Packet&, const Parsed&, Handed);

}  // namespace keepline::lb
