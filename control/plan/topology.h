// Where everything is: which interfaces become ports, which VIP lives on which of them and under
// whose lease. Decided from the configuration and the kernel's state, at start and at a reload.
//
// PURE. Everything that cannot work is a diagnostic with file, line, reason and hint.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/config/diagnostic.h"
#include "control/config/model.h"
#include "control/plan/kernel_view.h"
#include "dataplane/lb/lease.h"
#include "dataplane/net/packet.h"

namespace keepline::control {

/// `-P` and `-C` run only one half, `-B` no BFD.
struct Mode {
  bool vrrp = true;
  bool services = true;
  bool bfd = true;
};

/// The longest IP packet that an AF_XDP frame of one 4 KiB page carries.
inline constexpr unsigned kMaxAfXdpMtu = 3400;

/// A netdev that is attached through AF_XDP.
struct PlacedNic {
  std::string netdev;
  unsigned ifindex = 0;
};

/// What frames go through: a netdev with its NIC, a bond, or a NIC that a DPDK driver owns.
struct PlacedDevice {
  std::string netdev;  ///< Of an owned one: the TAP.
  unsigned ifindex = 0;
  unsigned mtu = 1500;
  std::vector<PlacedNic> nics;  ///< The netdev itself, or those of a bond; of an owned one none.
  config::DataplanePort owned;  ///< Without a name: it is the kernel's.

  bool is_owned() const { return !owned.interface.empty(); }
};

/// An interface as the kernel has it: a device's own, or a VLAN of it.
struct PlacedPort {
  std::string netdev;
  unsigned ifindex = 0;
  net::Mac mac;
  unsigned mtu = 1500;
  std::vector<net::Mac> virtual_macs;
  std::size_t device = 0;
  std::uint16_t vlan = 0;  ///< Zero: frames without a tag.
  friend bool operator==(const PlacedPort&, const PlacedPort&) = default;
};

/// A VIP, on the port where it is answered.
struct PlacedVip {
  net::IpAddr address;
  std::uint8_t prefix_length = 32;
  std::string label;  ///< Of the kernel's address; empty: none.
  net::PortId port = net::kNoPort;
  lb::LeaseSlot lease = lb::kAlwaysOurs;
  net::Mac mac;
  /// False for an address that the node has of its own: the kernel answers for it, and keepline
  /// neither adds nor removes it.
  bool is_ours = true;
  /// An address that FULLNAT comes from. The kernel has only those of IPv6: so it joins the group
  /// that neighbours ask in.
  bool is_local = false;
  /// False with no_accept: of what comes for it the node itself takes nothing.
  bool is_accepted = true;

  /// Whether the dataplane answers for it: ARP, neighbour discovery, pings.
  bool is_answered() const { return is_ours; }
  /// Whether keepline gives it to the kernel while the lease is held.
  bool is_installed() const { return is_ours && !(is_local && address.is_v4()); }
};

struct PlacedInstance {
  net::PortId port = net::kNoPort;
  net::IpAddr source;            ///< What adverts come from; zero: none.
  std::optional<net::Mac> vmac;  ///< With use_vmac.
  std::uint8_t vrid = 0;
  net::IpAddr group;        ///< That adverts go to.
  bool is_unicast = false;  ///< They go to peers instead.
  /// Its lease, and its number wherever VRRP runs: the same as long as it is the same router.
  lb::LeaseSlot lease = 0;

  /// Whether a reload leaves it what it is, whatever else has changed (its name, too).
  bool is_same_router(const PlacedInstance& other) const {
    return port == other.port && vmac == other.vmac && vrid == other.vrid && group == other.group &&
           is_unicast == other.is_unicast;
  }
};

struct Topology {
  std::vector<PlacedDevice> devices;
  std::vector<PlacedPort> ports;
  std::vector<PlacedVip> vips;
  std::vector<PlacedInstance> instances;  ///< As config.vrrp_instances.

  std::optional<net::PortId> port_of(unsigned ifindex) const;
  /// All that are attached through AF_XDP.
  std::vector<PlacedNic> nics() const;
  bool is_owned(const PlacedPort& port) const { return devices[port.device].is_owned(); }
  /// The dataplane's own port for the TAP of an owned port; those come after all others.
  net::PortId tap_of(net::PortId port) const;
  const PlacedVip* find_vip(const net::IpAddr& address) const;
  /// The index of the instance that has the lease; nothing: none.
  std::optional<std::size_t> instance_of(lb::LeaseSlot lease) const;
};

/// Problems are added to `diagnostics`; the result may be run only if it still can_run().
/// `running`: at a reload, what is there already. Devices and ports stay as they are (one more
/// cannot be attached), and so do the leases of instances that stay the same router.
Topology make_topology(const config::Config& config, const KernelView& kernel, Mode mode,
                       config::Diagnostics& diagnostics, const Topology* running = nullptr);

/// The interface's address that adverts come from: the first of IPv4, the link-local one of IPv6,
/// that is no VIP of ours. Zero: none.
net::IpAddr primary_address(const KernelView& kernel, unsigned ifindex, bool is_v6,
                            const Topology& topology);

/// The same for an instance, which may have it in its configuration.
net::IpAddr source_of(const config::VrrpInstance& instance, const KernelView& kernel,
                      unsigned ifindex, const Topology& topology);

/// The same with the MACs that the interfaces have by now.
Topology with_macs_of(const KernelView& kernel, const Topology& topology);

/// Of a bond: bit n is its n-th NIC's. One that has left the bond carries nothing.
std::uint32_t nics_in_use(const PlacedDevice& bond, const KernelView& kernel);

}  // namespace keepline::control
