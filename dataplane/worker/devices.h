// What frames come in and go out by: the devices, and the ports on them that each worker has.
//
// Control thread only; the ports that it gives are the workers'. Devices live from open() to the
// end of the object, which nobody may outlive who has a port of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "dataplane/net/packet.h"
#include "dataplane/port/bond_port.h"
#include "dataplane/port/ethdev_port.h"
#include "dataplane/port/steering.h"
#include "dataplane/port/tap_port.h"
#include "dataplane/port/vlan_port.h"

namespace keepline::worker {

/// A netdev that is attached through AF_XDP.
struct NicConfig {
  std::string netdev;
  unsigned ifindex = 0;
};

/// A netdev with its NIC, a bond with its NICs, or the TAP of a NIC that a DPDK driver owns.
struct DeviceConfig {
  std::string netdev;
  std::vector<NicConfig> nics;  ///< Of an owned one: none.
  unsigned mtu = 1500;
  unsigned queues = 1;  ///< Combined channels of each; of an owned one, as many as may be.
  std::string pci;      ///< Address of an owned NIC; empty: none.
  std::string vdev;     ///< "NAME,ARGUMENTS" of an owned virtual device; empty: none.
  std::shared_ptr<port::TapDevice> tap;  ///< Of an owned one.

  bool is_owned() const { return tap != nullptr; }
};

struct PortConfig {
  std::size_t device = 0;
  std::uint16_t vlan = 0;  ///< Zero: the device's frames without a tag.
};

/// All NICs that are DPDK's alone.
std::vector<std::string> pci_addresses(const std::vector<DeviceConfig>& devices);
/// How many packet buffers all queues of the devices take.
unsigned buffer_count(const std::vector<DeviceConfig>& devices);
/// How much memory these take, in MiB, and DPDK with them.
unsigned memory_mb(const std::vector<DeviceConfig>& devices);

class Devices {
 public:
  /// DPDK runs. Throws std::runtime_error.
  Devices(const std::vector<DeviceConfig>& configs, unsigned workers);
  /// Gives the netdevs back.
  ~Devices();
  Devices(const Devices&) = delete;
  Devices& operator=(const Devices&) = delete;

  /// Opens them all, gives the TAPs the MACs of their NICs, and places the ports; those to the TAPs
  /// of owned devices follow, in the same order. The error names the device and what is wrong.
  tl::expected<void, std::string> open(const std::vector<DeviceConfig>& devices,
                                       const std::vector<PortConfig>& ports);

  std::size_t port_count() const { return places_.size(); }
  /// The worker that sends for those that have no queue of the port.
  unsigned owner_of(net::PortId port) const { return places_[port].owner; }
  /// By port, what the worker has of it; nullptr: nothing. Once for each worker.
  std::vector<port::Port*> ports_of(unsigned worker);
  /// To release any buffer through; nullptr: there is no port.
  port::Port* any_port() const { return ports_.empty() ? nullptr : ports_.front().get(); }

  std::uint64_t missed(net::PortId port) const;
  /// See Dataplane::follow_links.
  void follow_links();
  /// See Dataplane::use_nics.
  void use_nics(std::size_t device, std::uint32_t nics) { devices_[device].bond->use(nics); }

 private:
  struct Device {
    std::vector<std::unique_ptr<port::EthdevDevice>> ethdevs;  // of a bond: several
    std::vector<NicConfig> nics;
    std::shared_ptr<port::TapDevice> tap;  // of an owned one
    std::unique_ptr<port::BondState> bond;
  };
  /// Of each port. All of one device have the same owner, as have all of one TAP.
  struct Place {
    std::size_t device;
    std::uint16_t vlan;
    bool is_tap;
    unsigned owner;
  };
  using Ids = std::vector<std::size_t>;

  port::EthdevDevice::Opened open_owned(const DeviceConfig& config);
  port::EthdevDevice::Opened open_nic(const NicConfig& nic, const port::DeviceOptions& options);
  tl::expected<void, std::string> open(const DeviceConfig& config);
  void place(const std::vector<PortConfig>& configs);
  Ids ports_on(std::size_t device, bool is_tap) const;
  port::Port* keep(std::unique_ptr<port::Port> port);
  port::Port* queues_of(std::size_t device, unsigned worker);
  port::Port* tap_of(std::size_t device, unsigned worker);
  void share(port::Port& all, const Ids& ids, std::vector<port::Port*>& ports);

  unsigned workers_;
  port::SteerObject steer_object_;
  port::BufferPool pool_;
  unsigned opened_ = 0;  // for names
  std::vector<Device> devices_;
  std::vector<Place> places_;
  // Of all workers; what the ports of a trunk are built on is before them.
  std::vector<std::unique_ptr<port::Port>> ports_;
  std::vector<std::unique_ptr<port::VlanTrunk>> trunks_;
};

}  // namespace keepline::worker
