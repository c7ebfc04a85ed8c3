#include "control/kernel/pci.h"

#include <algorithm>
#include <array>
#include <filesystem>

namespace keepline::control {

namespace {

namespace fs = std::filesystem;

constexpr std::array kDpdkDrivers = {"vfio-pci", "uio_pci_generic", "igb_uio"};

// Empty: none.
std::string driver_of(const fs::path& device) {
  std::error_code error;
  const fs::path driver = fs::read_symlink(device / "driver", error);
  return error ? std::string() : driver.filename().string();
}

}  // namespace

void check_pci(const config::DataplanePort& port, config::Diagnostics& diagnostics) {
  const std::string& address = port.pci;
  const fs::path device = fs::path("/sys/bus/pci/devices") / address;
  std::error_code error;
  if (!fs::exists(device, error)) {
    diagnostics.fatal(port.position, "pci", "there is no PCI device " + address,
                      "`lspci -D` lists them");
    return;
  }
  const std::string driver = driver_of(device);
  if (std::ranges::find(kDpdkDrivers, driver) != kDpdkDrivers.end()) return;
  diagnostics.fatal(port.position, "pci",
                    address + (driver.empty() ? std::string(" has no driver")
                                              : " is the kernel's, by its driver " + driver),
                    "`scripts/bind-nic NETDEV` hands it to vfio-pci, and `scripts/bind-nic --undo "
                    "NETDEV` back");
}

}  // namespace keepline::control
