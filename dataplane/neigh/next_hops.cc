#include "dataplane/neigh/next_hops.h"

#include <algorithm>
#include <bit>
#include <map>

namespace keepline::neigh {

namespace {

constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;

template <typename F>
bool is_zero(const typename F::Address& address) {
  return address == typename F::Address{};
}

}  // namespace

template <>
net::be32 HopTable<net::V4>::masked(const net::be32& address, unsigned length) {
  return net::be32(address.value() & net::Prefix4{{}, static_cast<std::uint8_t>(length)}.mask());
}

template <>
net::Ip6 HopTable<net::V6>::masked(const net::Ip6& address, unsigned length) {
  net::Ip6 result;
  const unsigned whole = length / 8;
  std::copy_n(address.bytes.begin(), whole, result.bytes.begin());
  if (length % 8 != 0) {
    result.bytes[whole] =
        static_cast<std::uint8_t>(address.bytes[whole] & (0xff00u >> (length % 8)));
  }
  return result;
}

template <>
std::size_t HopTable<net::V4>::hash_of(const net::be32& address) {
  return static_cast<std::size_t>((address.value() * kOdd) >> 32);
}

template <>
std::size_t HopTable<net::V6>::hash_of(const net::Ip6& address) {
  const std::uint64_t mixed = (address.raw_high() ^ (address.raw_low() * kOdd)) * kOdd;
  return static_cast<std::size_t>((mixed ^ (mixed >> 29)) * kOdd >> 32);
}

template <typename F>
HopTable<F>::HopTable(const std::vector<Route>& routes, const std::vector<Neighbour>& neighbours) {
  std::map<unsigned, std::vector<const Route*>, std::greater<>> by_length;
  for (const Route& route : routes) {
    if (net::family_of(route.prefix.address) != F::kFamily) continue;
    by_length[route.prefix.length].push_back(&route);
  }
  // Of too many the shortest prefixes are left out: a packet with no route is dropped and counted,
  // one on a less specific route would go astray.
  std::size_t room = kMaxRoutes;
  for (auto& [length, of_length] : by_length) {
    truncated_ = truncated_ || of_length.size() > room;
    of_length.resize(std::min(of_length.size(), room));
    room -= of_length.size();
    if (of_length.empty()) break;
    Level& level = levels_.emplace_back();
    level.length = static_cast<std::uint8_t>(length);
    level.entries.resize(std::bit_ceil(2 * of_length.size()));
    for (const Route* route : of_length) add(level, *route);
  }
  const auto count = static_cast<std::size_t>(std::count_if(
      neighbours.begin(), neighbours.end(),
      [](const Neighbour& neighbour) { return net::family_of(neighbour.address) == F::kFamily; }));
  truncated_ = truncated_ || count > kMaxNeighbours;
  neighbours_.resize(std::bit_ceil(2 * std::min(count, kMaxNeighbours) + 2));
  std::size_t left = kMaxNeighbours;
  for (const Neighbour& neighbour : neighbours) {
    if (net::family_of(neighbour.address) != F::kFamily) continue;
    if (left-- == 0) break;
    add(neighbour);
  }
}

template <typename F>
void HopTable<F>::add(Level& level, const Route& route) {
  const Address network = masked(F::address_of(route.prefix.address), level.length);
  const std::size_t mask = level.entries.size() - 1;
  std::size_t at = hash_of(network) & mask;
  for (; level.entries[at].used; at = (at + 1) & mask) {
    if (!(level.entries[at].network == network)) continue;
    // Of several routes to one network the first with the lowest metric counts.
    if (level.entries[at].metric <= route.metric) return;
    break;
  }
  const Address gateway = F::address_of(route.gateway);
  level.entries[at] = {network, gateway, route.metric, route.port, !is_zero<F>(gateway), true};
}

template <typename F>
void HopTable<F>::add(const Neighbour& neighbour) {
  const Address address = F::address_of(neighbour.address);
  const std::size_t mask = neighbours_.size() - 1;
  std::size_t at = (hash_of(address) + neighbour.port) & mask;
  while (neighbours_[at].port != net::kNoPort) at = (at + 1) & mask;
  neighbours_[at] = {address, neighbour.mac, neighbour.port};
}

template <typename F>
auto HopTable<F>::find_route(const Address& destination) const -> const RouteEntry* {
  for (const Level& level : levels_) {
    const Address network = masked(destination, level.length);
    const std::size_t mask = level.entries.size() - 1;
    for (std::size_t at = hash_of(network) & mask; level.entries[at].used; at = (at + 1) & mask) {
      if (level.entries[at].network == network) return &level.entries[at];
    }
  }
  return nullptr;
}

template <typename F>
auto HopTable<F>::find_neighbour(const Address& address, net::PortId port) const
    -> const NeighbourEntry* {
  if (neighbours_.empty()) return nullptr;
  const std::size_t mask = neighbours_.size() - 1;
  for (std::size_t at = (hash_of(address) + port) & mask; neighbours_[at].port != net::kNoPort;
       at = (at + 1) & mask) {
    if (neighbours_[at].address == address && neighbours_[at].port == port) {
      return &neighbours_[at];
    }
  }
  return nullptr;
}

template <typename F>
NextHop HopTable<F>::resolve(const Address& destination) const {
  NextHop hop;
  const RouteEntry* route = find_route(destination);
  if (route == nullptr || route->port == net::kNoPort) return hop;
  hop.port = route->port;
  const Address& next = route->via_gateway ? route->gateway : destination;
  hop.address = F::generic(next);
  const NeighbourEntry* neighbour = find_neighbour(next, hop.port);
  hop.reach = neighbour == nullptr ? Reach::kNoNeighbour : Reach::kFound;
  if (neighbour != nullptr) hop.mac = neighbour->mac;
  return hop;
}

template class HopTable<net::V4>;
template class HopTable<net::V6>;

}  // namespace keepline::neigh
