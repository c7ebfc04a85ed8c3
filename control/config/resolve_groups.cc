// Names that refer to each other: trackers to scripts, sync groups to instances; and the rule
// that scripts need enable_script_security. PURE; look-ups go through sorted maps.
#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "control/config/resolve.h"

namespace keepline::config {

namespace {

// What trackers refer to: scripts, files, processes or sessions, by name.
template <typename Definition>
using Named = std::map<std::string, const Definition*, std::less<>>;

std::string definition_of(const std::string& keyword) {
  if (keyword == "track_bfd") return "bfd_instance that tells vrrp";
  if (keyword == "track_file") return keyword;
  return keyword == "track_script" ? "vrrp_script" : "vrrp_" + keyword;
}

template <typename Definition>
void settle_trackers(std::vector<Tracker>& trackers, const Named<Definition>& named,
                     const std::string& keyword, const std::string& owner,
                     Diagnostics& diagnostics) {
  std::erase_if(trackers, [&](Tracker& tracker) {
    const auto found = named.find(tracker.name);
    if (found == named.end()) {
      diagnostics.error(tracker.position, keyword,
                        "(" + owner + ") " + keyword + " '" + tracker.name + "' names no " +
                            definition_of(keyword) + ": ignored");
      return true;
    }
    // A line with a weight of its own is reversed like the definition all the same, unless it says.
    tracker.weight.set_default(found->second->weight);
    tracker.is_reversed.set_default(found->second->is_reversed);
    return false;
  });
}

void drop_weighted(VrrpInstance& instance, std::string_view reason, Diagnostics& diagnostics) {
  for (auto* trackers : {&instance.track_interface, &instance.track_script, &instance.track_file,
                         &instance.track_process, &instance.track_bfd}) {
    std::erase_if(*trackers, [&](const Tracker& tracker) {
      if (tracker.weight == 0) return false;
      diagnostics.warning(tracker.position, "weight",
                          "(" + instance.name + ") the weight of '" + tracker.name +
                              "' has no effect " + std::string(reason) + ": ignored",
                          "", Effect::kProblem);
      return true;
    });
  }
}

void warn_nopreempt(const VrrpInstance& instance, Diagnostics& diagnostics) {
  if (!instance.nopreempt) return;
  for (const auto* trackers : {&instance.track_interface, &instance.track_script,
                               &instance.track_file, &instance.track_process}) {
    for (const Tracker& tracker : *trackers) {
      if (tracker.weight == 0) continue;
      diagnostics.warning(tracker.position, "nopreempt",
                          "(" + instance.name + ") nopreempt: a lower priority after '" +
                              tracker.name + "' fails makes no other node take over",
                          "use weight 0, so that the failure is a FAULT");
    }
  }
}

// What the group tracks each member tracks, unless it does so itself.
void share_trackers(const SyncGroup& group, VrrpInstance& member) {
  const auto share = [](const std::vector<Tracker>& from, std::vector<Tracker>& to) {
    for (const Tracker& tracker : from) {
      const auto same = [&](const Tracker& own) { return own.name == tracker.name; };
      if (std::ranges::none_of(to, same)) to.push_back(tracker);
    }
  };
  share(group.track_interface, member.track_interface);
  share(group.track_script, member.track_script);
  share(group.track_file, member.track_file);
  share(group.track_process, member.track_process);
  share(group.track_bfd, member.track_bfd);
}

void settle_group(SyncGroup& group, std::map<std::string, VrrpInstance*>& instances,
                  std::set<std::string>& taken, Diagnostics& diagnostics) {
  std::erase_if(group.members, [&](const std::string& member) {
    const bool is_known = instances.contains(member);
    if (is_known && taken.insert(member).second) return false;
    diagnostics.error(group.position, "group",
                      "vrrp_sync_group '" + group.name + "': '" + member +
                          (is_known ? "' is a member of a group already: ignored"
                                    : "' is no vrrp_instance: ignored"));
    return true;
  });
  if (group.members.empty()) {
    diagnostics.error(group.position, "vrrp_sync_group",
                      "vrrp_sync_group '" + group.name + "' has no members: removed");
  } else if (group.members.size() == 1) {
    diagnostics.warning(group.position, "vrrp_sync_group",
                        "vrrp_sync_group '" + group.name + "' has only one member", "",
                        Effect::kProblem);
  }
  for (const std::string& member : group.members) {
    share_trackers(group, *instances[member]);
    instances[member]->notify_priority_changes.inherit(group.notify_priority_changes);
  }
  if (group.tracking_weight) return;
  for (const std::string& member : group.members) {
    drop_weighted(*instances[member], "in a sync group without sync_group_tracking_weight",
                  diagnostics);
  }
}

void collect(const Notify& notify, std::vector<const Command*>& commands) {
  for (const Command* command : {&notify.master, &notify.backup, &notify.fault, &notify.stop,
                                 &notify.deleted, &notify.any, &notify.master_rx_lower_pri}) {
    commands.push_back(command);
  }
}

}  // namespace

void resolve_groups(Config& config, Diagnostics& diagnostics) {
  Named<VrrpScript> scripts;
  for (const VrrpScript& script : config.vrrp_scripts) scripts[script.name] = &script;
  Named<TrackFile> files;
  for (const TrackFile& file : config.track_files) files[file.name] = &file;
  Named<TrackProcess> processes;
  for (const TrackProcess& each : config.track_processes) processes[each.name] = &each;
  Named<BfdInstance> sessions;
  for (const BfdInstance& each : config.bfd_instances) {
    if (each.tells_vrrp) sessions[each.name] = &each;
  }
  std::map<std::string, VrrpInstance*> instances;
  for (VrrpInstance& instance : config.vrrp_instances) {
    instances[instance.name] = &instance;
    settle_trackers(instance.track_script, scripts, "track_script", instance.name, diagnostics);
    settle_trackers(instance.track_file, files, "track_file", instance.name, diagnostics);
    settle_trackers(instance.track_process, processes, "track_process", instance.name, diagnostics);
    settle_trackers(instance.track_bfd, sessions, "track_bfd", instance.name, diagnostics);
    if (instance.priority == 255) drop_weighted(instance, "with priority 255", diagnostics);
  }
  std::set<std::string> taken;
  for (SyncGroup& group : config.sync_groups) {
    settle_trackers(group.track_script, scripts, "track_script", group.name, diagnostics);
    settle_trackers(group.track_file, files, "track_file", group.name, diagnostics);
    settle_trackers(group.track_process, processes, "track_process", group.name, diagnostics);
    settle_trackers(group.track_bfd, sessions, "track_bfd", group.name, diagnostics);
    group.notify_priority_changes.inherit(config.global.vrrp_notify_priority_changes);
    group.smtp_alert.inherit(config.global.smtp_alert_vrrp);
    group.smtp_alert.inherit(config.global.smtp_alert);
    settle_group(group, instances, taken, diagnostics);
  }
  std::erase_if(config.sync_groups, [](const SyncGroup& g) { return g.members.empty(); });
  for (VrrpInstance& instance : config.vrrp_instances) {
    instance.notify_priority_changes.inherit(config.global.vrrp_notify_priority_changes);
    warn_nopreempt(instance, diagnostics);
  }
}

void check_script_security(const Config& config, Diagnostics& diagnostics) {
  if (config.global.enable_script_security) return;
  std::vector<const Command*> commands{&config.global.startup.command,
                                       &config.global.shutdown.command};
  for (const VrrpScript& script : config.vrrp_scripts) commands.push_back(&script.command);
  for (const VrrpInstance& instance : config.vrrp_instances) collect(instance.notify, commands);
  for (const SyncGroup& group : config.sync_groups) collect(group.notify, commands);
  for (const NotifyFifo* fifo : {&config.global.fifo, &config.global.vrrp_fifo}) {
    commands.push_back(&fifo->script);
  }
  for (const VirtualServer& server : config.virtual_servers) {
    commands.push_back(&server.quorum_up);
    commands.push_back(&server.quorum_down);
    for (const RealServer& real : server.real_servers) {
      commands.push_back(&real.notify_up);
      commands.push_back(&real.notify_down);
      for (const Checker& checker : real.checkers) {
        if (const auto* other = std::get_if<OtherCheck>(&checker)) {
          commands.push_back(&other->misc_path);
        }
      }
    }
  }
  // Once: the remedy is the same for all of them.
  for (const Command* command : commands) {
    if (command->empty()) continue;
    diagnostics.warning(command->position, "enable_script_security",
                        "scripts are configured, but script security is not enabled",
                        "enable_script_security and script_user in global_defs",
                        Effect::kScriptSecurity);
    return;
  }
}

}  // namespace keepline::config
