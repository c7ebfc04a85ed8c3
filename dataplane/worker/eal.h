// DPDK's environment: started once per process, with hugepages when there are some.
//
// The thread that constructs it becomes DPDK's main lcore (the control thread); workers run on
// lcores 1..workers. No NIC is probed: ports are created by name.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace keepline::worker {

struct EalConfig {
  std::string file_prefix;  ///< Unique per daemon on a machine.
  unsigned workers = 1;
  unsigned memory_mb = 256;      ///< Without hugepages: how much ordinary memory to reserve.
  std::vector<std::string> pci;  ///< Addresses of the NICs that are ours, and no others.
};

class Eal {
 public:
  /// Throws std::runtime_error that says what is missing and what to do.
  explicit Eal(const EalConfig& config);
  ~Eal();
  Eal(const Eal&) = delete;
  Eal& operator=(const Eal&) = delete;

  /// Removes the files that DPDK has left of a process with this prefix that is gone.
  static void remove_files(const std::string& file_prefix);

  bool hugepages() const { return hugepages_; }
  /// Runs `body` on worker lcore `worker` (0-based); returns the kernel's id of its thread.
  int launch(unsigned worker, std::function<void()> body);
  /// Waits until all launched bodies have returned.
  void wait();

 private:
  bool hugepages_;
};

}  // namespace keepline::worker
