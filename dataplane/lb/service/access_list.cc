#include "dataplane/lb/service/access_list.h"

#include <algorithm>
#include <tuple>

namespace keepline::lb {

AccessList::Key AccessList::key_of(const net::IpAddr& address) {
  if (address.is_v4()) return address.v4().value();
  Key key = 0;
  for (const std::uint8_t byte : address.v6().bytes) key = key << 8 | byte;
  return key;
}

void AccessList::append(Key first, bool admitted) {
  if (!ranges_.empty() && ranges_.back().first == first) ranges_.pop_back();
  if (!ranges_.empty() && ranges_.back().admitted == admitted) return;
  ranges_.push_back({first, admitted});
}

// Networks are inside of one another or apart: in the order of their first addresses, the longer
// behind the shorter, those that the present one is inside of are a stack.
AccessList::AccessList(const std::vector<AccessRule>& rules, net::Family family) {
  struct Network {
    Key first;
    std::uint8_t length;
    bool allow;
    Key last;
  };
  const unsigned bits = family == net::Family::kV4 ? 32 : 128;
  std::vector<Network> networks;
  bool otherwise = true;
  for (const AccessRule& rule : rules) {
    if (net::family_of(rule.network.address) != family) continue;
    const unsigned host_bits = bits - rule.network.length;
    const Key size_less_one = host_bits == 128 ? ~Key{0} : (Key{1} << host_bits) - 1;
    const Key first = key_of(rule.network.address) & ~size_less_one;
    networks.push_back({first, rule.network.length, rule.allow, first + size_less_one});
    otherwise = otherwise && !rule.allow;
  }
  std::ranges::sort(networks, {},
                    [](const Network& n) { return std::tuple(n.first, n.length, !n.allow); });
  const Key end = bits == 128 ? ~Key{0} : (Key{1} << bits) - 1;
  std::vector<Network> around;
  const auto leave = [&] {
    const Key last = around.back().last;
    around.pop_back();
    if (last != end) append(last + 1, around.empty() ? otherwise : around.back().allow);
  };
  append(0, otherwise);
  for (const Network& network : networks) {
    while (!around.empty() && around.back().last < network.first) leave();
    append(network.first, network.allow);
    around.push_back(network);
  }
  while (!around.empty()) leave();
}

bool AccessList::admits(const net::IpAddr& client) const {
  const Key key = key_of(client);
  return std::prev(std::ranges::upper_bound(ranges_, key, {}, &Range::first))->admitted;
}

}  // namespace keepline::lb
