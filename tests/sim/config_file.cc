#include "tests/sim/config_file.h"

#include <algorithm>

namespace keepline::vrrp::sim {

void ConfigFile::undo(const Fault& fault) {
  const auto found = std::find(changes_.begin(), changes_.end(), fault);
  if (found != changes_.end()) changes_.erase(found);
}

bool ConfigFile::has(std::size_t lan) const {
  return std::none_of(changes_.begin(), changes_.end(), [lan](const Fault& change) {
    return change.kind == FaultKind::kReloadRemove && change.on_lan(lan);
  });
}

bool ConfigFile::grouped() const {
  return schedule_->grouped() &&
         std::none_of(changes_.begin(), changes_.end(),
                      [](const Fault& change) { return change.kind == FaultKind::kReloadGroups; });
}

// RFC 9568 section 5.2.4: an owner's priority is always 255. An interval of version 2 that is not
// that of all others is a mistake of the configuration (RFC 3768 section 7.1).
InstanceConfig ConfigFile::config(std::size_t lan) const {
  InstanceConfig config = config_of(*schedule_, node_, lan);
  config.sync_grouped = grouped();
  for (const Fault& change : changes_) {
    if (change.kind == FaultKind::kReloadPriority && !config.is_owner()) {
      config.priority = static_cast<std::uint8_t>(change.value);
    }
    if (change.kind == FaultKind::kReloadInterval && config.version == Version::k3) {
      config.advert_interval_us = change.value;
    }
    if (change.kind == FaultKind::kReloadPreempt) config.nopreempt = !config.nopreempt;
  }
  return config;
}

}  // namespace keepline::vrrp::sim
