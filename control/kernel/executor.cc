#include "control/kernel/executor.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstdlib>
#include <future>
#include <utility>

#include "control/kernel/ethtool.h"

namespace keepline::control {

namespace {

bool is_v4(const HeldAddress& held) {
  return held.address.address.is_v4();
}

}  // namespace

KernelExecutor::KernelExecutor(std::string footprint_path,
                               std::function<void(const std::string&)> on_error)
    : on_error_(std::move(on_error)), footprint_(std::move(footprint_path)) {}

void KernelExecutor::report(const tl::expected<void, std::string>& result) {
  if (!result) on_error_(result.error());
}

void KernelExecutor::note_netdev(const std::string& netdev) {
  std::promise<void> written;
  boost::asio::post(pool_, [this, netdev, &written] {
    footprint_.add_netdev(netdev);
    written.set_value();
  });
  written.get_future().wait();
}

tl::expected<void, std::string> KernelExecutor::keep_tags(const std::string& netdev) {
  std::promise<tl::expected<void, std::string>> kept;
  boost::asio::post(pool_, [this, netdev, &kept] {
    if (!takes_tags_off(netdev)) return kept.set_value({});
    footprint_.add_tagged(netdev);
    tagged_.push_back(netdev);
    kept.set_value(take_tags_off(netdev, false));
  });
  return kept.get_future().get();
}

void KernelExecutor::acquire(std::vector<HeldAddress> addresses, std::vector<Netdev> quiet,
                             std::function<void()> then) {
  boost::asio::post(pool_, [this, addresses = std::move(addresses), quiet = std::move(quiet),
                            then = std::move(then)] {
    const bool needs_arp = std::any_of(addresses.begin(), addresses.end(), is_v4);
    if (needs_arp && !holds_v4()) quiet_arp(quiet);
    for (const HeldAddress& held : addresses) {
      footprint_.add_address(held.netdev.name, held.address);
      held_.emplace(std::pair(held.netdev.ifindex, held.address.address), held);
      report(requests_.add_address(held.netdev.ifindex, held.address, held.label));
    }
    if (then) then();
  });
}

void KernelExecutor::release(std::vector<HeldAddress> addresses) {
  boost::asio::post(pool_, [this, addresses = std::move(addresses)] {
    for (const HeldAddress& held : addresses) {
      report(requests_.remove_address(held.netdev.ifindex, held.address));
      held_.erase({held.netdev.ifindex, held.address.address});
    }
    if (!holds_v4()) restore_arp();
  });
}

bool KernelExecutor::holds_v4() const {
  return std::any_of(held_.begin(), held_.end(),
                     [](const auto& each) { return is_v4(each.second); });
}

// Without this the kernel would use a VIP with its own MAC as the sender of its ARP requests, and
// would answer for it on other interfaces of the same network.
void KernelExecutor::quiet_arp(const std::vector<Netdev>& netdevs) {
  for (const Netdev& netdev : netdevs) {
    const std::string folder = "net/ipv4/conf/" + netdev.name + '/';
    for (const auto& [name, wanted] :
         {std::pair(folder + "arp_ignore", "1"), std::pair(folder + "arp_announce", "2")}) {
      const auto original = read_sysctl(name);
      // A stricter value of the administrator's stays.
      if (!original || std::atoi(original->c_str()) >= std::atoi(wanted)) continue;
      footprint_.add_sysctl(name, *original);
      sysctls_.push_back({name, *original});
      report(write_sysctl(name, wanted));
    }
  }
}

void KernelExecutor::restore_arp() {
  for (const Sysctl& sysctl : sysctls_) report(write_sysctl(sysctl.name, sysctl.original));
  sysctls_.clear();
}

void KernelExecutor::manage_neighbour(Netdev netdev, net::IpAddr address) {
  boost::asio::post(pool_, [this, netdev = std::move(netdev), address] {
    footprint_.add_neighbour(netdev.name, address);
    managed_.insert({netdev.ifindex, address});
    report(requests_.manage_neighbour(netdev.ifindex, address));
  });
}

void KernelExecutor::forget_neighbour(Netdev netdev, net::IpAddr address) {
  boost::asio::post(pool_, [this, netdev = std::move(netdev), address] {
    managed_.erase({netdev.ifindex, address});
    report(requests_.forget_neighbour(netdev.ifindex, address));
  });
}

void KernelExecutor::learn_neighbour(Netdev netdev, net::IpAddr address, net::Mac mac) {
  if (learning_ >= kMaxLearning) return;
  ++learning_;
  boost::asio::post(pool_, [this, netdev = std::move(netdev), address, mac] {
    --learning_;
    // Learning must not end the kernel's care for a managed one.
    const bool managed = managed_.contains({netdev.ifindex, address});
    report(requests_.learn_neighbour(netdev.ifindex, address, mac, managed));
  });
}

KernelExecutor::~KernelExecutor() {
  drain();
}

void KernelExecutor::drain() {
  if (std::exchange(drained_, true)) return;
  bool undone = true;
  boost::asio::post(pool_, [this, &undone] {
    for (const auto& [key, held] : held_) {
      const auto removed = requests_.remove_address(key.first, held.address);
      report(removed);
      undone = undone && removed.has_value();
    }
    for (const auto& [ifindex, address] : managed_) requests_.forget_neighbour(ifindex, address);
    restore_arp();
    for (const std::string& netdev : tagged_) {
      const auto restored = take_tags_off(netdev, true);
      report(restored);
      undone = undone && restored.has_value();
    }
  });
  pool_.join();
  if (undone) footprint_.clear();
}

}  // namespace keepline::control
