#include "dataplane/worker/eal.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <sched.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <stdexcept>
#include <vector>

namespace keepline::worker {

namespace {

constexpr unsigned kHugepageMb = 2;

bool hugepages_available(unsigned memory_mb) {
  std::ifstream file("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
  unsigned long free = 0;
  return file >> free && free * kHugepageMb >= memory_mb;
}

// Every CPU that this process may use: lcores float over them, the kernel's scheduler decides.
std::string allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  std::string result;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) result += (result.empty() ? "" : ",") + std::to_string(cpu);
  }
  return result;
}

std::vector<std::string> arguments(const EalConfig& config, bool hugepages) {
  const std::string cpus = "@(" + allowed_cpus() + ")";
  std::string lcores;
  for (unsigned lcore = 0; lcore <= config.workers; ++lcore) {
    lcores += (lcore == 0 ? "" : ",") + std::to_string(lcore) + cpus;
  }
  std::vector<std::string> result = {"keeplined",      "--lcores",    lcores,
                                     "--no-telemetry", "--log-level", "*:error"};
  if (config.pci.empty()) {
    result.insert(result.end(), {"--no-pci", "--iova-mode", "va"});
  } else {
    // Which addresses the NIC sees follows from the kernel driver that it is bound to.
    for (const std::string& address : config.pci) result.insert(result.end(), {"-a", address});
  }
  if (hugepages) {
    result.emplace_back("--in-memory");
  } else {
    result.insert(result.end(), {"--no-huge", "-m", std::to_string(config.memory_mb)});
  }
  result.insert(result.end(), {"--file-prefix", config.file_prefix});
  return result;
}

void remove_folder(const std::string& folder) {
  std::error_code ignored;  // what is left behind is harmless
  std::filesystem::remove_all(folder, ignored);
}

struct Launch {
  std::function<void()> body;
  std::promise<int> thread;
};

int run_body(void* argument) {
  const std::unique_ptr<Launch> launch(static_cast<Launch*>(argument));
  launch->thread.set_value(gettid());
  launch->body();
  return 0;
}

}  // namespace

Eal::Eal(const EalConfig& config) : hugepages_(hugepages_available(config.memory_mb)) {
  if (!config.pci.empty() && !hugepages_) {
    const unsigned pages = config.memory_mb / kHugepageMb + 1;
    throw std::runtime_error("a NIC with a DPDK driver needs " + std::to_string(pages) +
                             " free hugepages of 2 MiB: `scripts/bind-nic --hugepages " +
                             std::to_string(pages) + "` reserves them");
  }
  std::vector<std::string> words = arguments(config, hugepages_);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) {
    throw std::runtime_error(std::string("DPDK does not start: ") + rte_strerror(rte_errno) +
                             " (needs root or CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_NET_RAW and "
                             "CAP_IPC_LOCK; is another daemon using the same instance name?)");
  }
}

Eal::~Eal() {
  const std::string folder = rte_eal_get_runtime_dir();
  rte_eal_cleanup();
  remove_folder(folder);
}

void Eal::remove_files(const std::string& file_prefix) {
  remove_folder("/var/run/dpdk/" + file_prefix);
}

int Eal::launch(unsigned worker, std::function<void()> body) {
  auto launch = std::make_unique<Launch>(Launch{std::move(body), {}});
  std::future<int> thread = launch->thread.get_future();
  if (rte_eal_remote_launch(run_body, launch.get(), worker + 1) != 0) {
    throw std::runtime_error("worker lcore " + std::to_string(worker + 1) + " is busy");
  }
  launch.release();
  return thread.get();
}

void Eal::wait() {
  rte_eal_mp_wait_lcore();
}

}  // namespace keepline::worker
