// The one thread that changes the kernel, in the order in which it was asked.
//
// Every member but drain() is called by the control thread and returns at once. What is changed is
// written into the footprint first. Failures are reported through `on_error`, which is called on
// the executor's thread.
#pragma once

#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "control/kernel/footprint.h"
#include "control/kernel/requests.h"

namespace keepline::control {

/// A netdev by both of its names.
struct Netdev {
  std::string name;
  unsigned ifindex = 0;
};

struct HeldAddress {
  Netdev netdev;
  net::Prefix address;
  std::string label;
};

class KernelExecutor {
 public:
  static constexpr unsigned kMaxLearning = 256;

  KernelExecutor(std::string footprint_path, std::function<void(const std::string&)> on_error);
  ~KernelExecutor();
  KernelExecutor(const KernelExecutor&) = delete;
  KernelExecutor& operator=(const KernelExecutor&) = delete;

  /// Before the netdev is attached, and waits until it is written down.
  void note_netdev(const std::string& netdev);
  /// Lets the netdev leave VLAN tags in its frames, until drain(); waits for it.
  tl::expected<void, std::string> keep_tags(const std::string& netdev);
  /// Adds the addresses and, with the first IPv4 ones held, sets the ARP sysctls of `quiet`
  /// netdevs. `then` is called on the executor's thread.
  void acquire(std::vector<HeldAddress> addresses, std::vector<Netdev> quiet,
               std::function<void()> then = {});
  /// Removes the addresses; with the last ones, puts the sysctls back.
  void release(std::vector<HeldAddress> addresses);
  void manage_neighbour(Netdev netdev, net::IpAddr address);
  void forget_neighbour(Netdev netdev, net::IpAddr address);
  /// At most kMaxLearning wait at a time; a flood of ARP requests teaches us no more than that.
  void learn_neighbour(Netdev netdev, net::IpAddr address, net::Mac mac);

  /// Removes what is still held, waits for the end of all work, and removes the footprint unless
  /// something could not be undone. The last call; the destructor makes it if nobody has.
  void drain();

 private:
  struct Sysctl {
    std::string name;
    std::string original;
  };
  void report(const tl::expected<void, std::string>& result);
  bool holds_v4() const;
  void quiet_arp(const std::vector<Netdev>& netdevs);
  void restore_arp();

  boost::asio::thread_pool pool_{1};
  bool drained_ = false;
  std::atomic<unsigned> learning_{0};
  std::function<void(const std::string&)> on_error_;
  // Below: only on the pool's thread.
  KernelRequests requests_;
  Footprint footprint_;
  std::map<std::pair<unsigned, net::IpAddr>, HeldAddress> held_;
  std::vector<Sysctl> sysctls_;
  std::vector<std::string> tagged_;  // netdevs that usually take the tags off
  std::set<std::pair<unsigned, net::IpAddr>> managed_;
};

}  // namespace keepline::control
