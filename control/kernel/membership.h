// What the netdevs must let in: the VRRP group and virtual MACs.
//
// Control thread. Held by sockets, so that a crash leaves no filter behind. An IP membership sets
// the multicast filter and tells snooping switches; a packet socket adds a virtual MAC.
#pragma once

#include <vector>

#include <tl/expected.hpp>

#include <string>

#include "dataplane/net/addr.h"

namespace keepline::control {

class Memberships {
 public:
  using Result = tl::expected<void, std::string>;

  Memberships() = default;
  ~Memberships();
  Memberships(const Memberships&) = delete;
  Memberships& operator=(const Memberships&) = delete;

  Result join_group(unsigned ifindex, const net::IpAddr& group);
  Result add_mac(unsigned ifindex, const net::Mac& mac);

 private:
  std::vector<int> sockets_;
};

}  // namespace keepline::control
