// Rules of interface_up_down_delays and garp_group. PURE; linear in lines times instances.
#include <algorithm>

#include "control/config/names.h"
#include "control/config/resolve.h"

namespace keepline::config {

namespace {

bool is_used(const std::string& interface, const std::vector<VrrpInstance>& instances) {
  return std::ranges::any_of(instances, [&](const VrrpInstance& instance) {
    return *instance.interface == interface ||
           std::ranges::find(instance.track_interface, interface, &Tracker::name) !=
               instance.track_interface.end();
  });
}

// A master that goes on for longer without its interface meets, when that comes back, the one that
// has followed it.
void settle_delay(LinkDelay& delay, const std::vector<VrrpInstance>& instances,
                  Diagnostics& diagnostics) {
  if (!is_used(delay.interface, instances)) {
    diagnostics.warning(delay.position, "interface_up_down_delays",
                        "no instance is on " + delay.interface + " or tracks it: no effect",
                        "names are those of `interface` and track_interface");
  }
  for (const VrrpInstance& instance : instances) {
    if (*instance.interface != delay.interface) continue;
    const std::uint64_t most_us =
        (*instance.down_timer_adverts - 1ULL) * *instance.advert_interval_us;
    if (delay.down_us <= most_us) continue;
    diagnostics.warning(delay.position, "interface_up_down_delays",
                        "(" + instance.name + ") a delay of " + seconds_text(delay.down_us) +
                            " s for " + delay.interface + " is longer than its backup waits: " +
                            seconds_text(most_us) + " s is used",
                        "at most (down_timer_adverts - 1) * advert_int", Effect::kProblem);
    delay.down_us = most_us;
  }
}

}  // namespace

void resolve_interfaces(Config& config, Diagnostics& diagnostics) {
  for (LinkDelay& delay : config.link_delays) {
    settle_delay(delay, config.vrrp_instances, diagnostics);
  }
  for (GarpGroup& group : config.garp_groups) {
    group.interval_us.set_default(*config.global.garp.interval_us);
    group.gna_interval_us.set_default(*config.global.garp.gna_interval_us);
    const bool has_user = std::ranges::any_of(group.interfaces, [&](const std::string& name) {
      return std::ranges::find(config.vrrp_instances, name, [](const VrrpInstance& instance) {
               return *instance.interface;
             }) != config.vrrp_instances.end();
    });
    if (has_user) continue;
    diagnostics.warning(group.position, "garp_group",
                        "no instance is on an interface of this garp_group: no effect",
                        "names are those of `interface` of an instance");
  }
}

}  // namespace keepline::config
