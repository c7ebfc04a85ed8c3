// What the netdevs must let in: the VRRP group and virtual MACs.
//
// Control thread. Held by sockets, so that a crash leaves no filter behind. An IP membership sets
// the multicast filter and tells snooping switches; a packet socket adds a virtual MAC.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "dataplane/net/addr.h"

namespace keepline::control {

class Memberships {
 public:
  using Result = tl::expected<void, std::string>;

  Memberships() = default;
  ~Memberships();
  Memberships(const Memberships&) = delete;
  Memberships& operator=(const Memberships&) = delete;

  using Group = std::pair<unsigned, net::IpAddr>;  ///< By ifindex.
  using MacAddress = std::pair<unsigned, net::Mac>;

  /// One that is there already stays.
  Result join(const Group& group);
  Result add(const MacAddress& mac);
  void keep_only(const std::set<Group>& groups, const std::set<MacAddress>& macs);

 private:
  std::map<Group, int> groups_;  ///< The sockets that hold them.
  std::map<MacAddress, int> macs_;
};

}  // namespace keepline::control
