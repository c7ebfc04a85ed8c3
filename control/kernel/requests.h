// Changing the kernel: addresses, neighbours, sysctls.
//
// Each call is one short netlink request or file write. They run on the kernel executor's thread,
// never on control, because the kernel's rtnl lock may be held by somebody else for long.
#pragma once

#include <string>

#include <tl/expected.hpp>

#include "dataplane/net/addr.h"

struct nl_sock;

namespace keepline::control {

class KernelRequests {
 public:
  using Result = tl::expected<void, std::string>;

  KernelRequests();  ///< Throws std::runtime_error.
  ~KernelRequests();
  KernelRequests(const KernelRequests&) = delete;
  KernelRequests& operator=(const KernelRequests&) = delete;

  /// Adds an address without duplicate detection; one that is there already is fine.
  /// `label` as `ip addr` shows it, at most 15 characters, IPv4 only; empty: none.
  Result add_address(unsigned ifindex, const net::Prefix& address, const std::string& label);
  /// Removes it; one that is gone already is fine.
  Result remove_address(unsigned ifindex, const net::Prefix& address);

  /// Lets the kernel resolve and keep resolving a neighbour without traffic (NTF_EXT_MANAGED).
  Result manage_neighbour(unsigned ifindex, const net::IpAddr& address);
  Result forget_neighbour(unsigned ifindex, const net::IpAddr& address);
  /// Tells the kernel what an ARP request that it did not see has told us.
  Result learn_neighbour(unsigned ifindex, const net::IpAddr& address, const net::Mac& mac,
                         bool managed);

 private:
  Result send_neighbour(int type, int flags, unsigned ifindex, const net::IpAddr& address,
                        bool managed, const net::Mac* mac);
  nl_sock* socket_;
};

/// `name` below /proc/sys with slashes, e.g. "net/ipv4/conf/eth0/arp_ignore".
tl::expected<std::string, std::string> read_sysctl(const std::string& name);
tl::expected<void, std::string> write_sysctl(const std::string& name, const std::string& value);

}  // namespace keepline::control
