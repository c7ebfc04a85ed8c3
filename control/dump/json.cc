#include "control/dump/json.h"

#include <cstdio>

#include "control/config/names.h"
#include "control/dump/json_writer.h"
#include "control/dump/words.h"

namespace keepline::control::dump {

void JsonWriter::quote(std::string_view value) {
  text_ += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
      text_ += escaped;
    } else {
      text_ += c;
    }
  }
  text_ += '"';
}

namespace {

using config::kSecondUs;
using config::seconds_text;
using config::VrrpInstance;

void add_timers(const VrrpInstance& v, const InstanceState& now, JsonWriter& out) {
  const config::GarpOptions& garp = v.garp;
  out.field("master_priority", now.master_priority);
  out.number("last_transition", decimal_seconds(now.last_transition_unix_us));
  out.number("garp_delay", seconds_text(*garp.master_delay_us));
  out.field("garp_refresh", *garp.master_refresh_us / kSecondUs);
  out.field("garp_rep", *garp.master_repeat);
  out.field("garp_refresh_rep", *garp.master_refresh_repeat);
  out.field("garp_lower_prio_delay", *garp.lower_prio_delay_us / kSecondUs);
  out.field("garp_lower_prio_rep", *garp.lower_prio_repeat);
  out.field("lower_prio_no_advert", int{*v.lower_prio_no_advert});
  out.field("higher_prio_send_advert", int{*v.higher_prio_send_advert});
}

void add_priorities(const VrrpInstance& v, const InstanceState& now, JsonWriter& out) {
  out.field("vrid", *v.virtual_router_id);
  out.field("base_priority", *v.priority);
  out.field("effective_priority", now.effective_priority);
  out.field("vipset", now.state == vrrp::State::kMaster);
  out.field("promote_secondaries", false);
  out.number("adver_int", seconds_text(*v.advert_interval_us));
  out.number("master_adver_int", seconds_text(static_cast<std::uint64_t>(now.master_interval_us)));
  out.field("accept", int{*v.accept});
  out.field("nopreempt", v.nopreempt);
  out.field("preempt_delay", v.preempt_delay_us / kSecondUs);
  out.field("state", static_cast<int>(now.state));
  out.field("wantstate", static_cast<int>(now.wanted));
  out.field("version", *v.version);
  out.field("smtp_alert", *v.smtp_alert);
  out.field("notify_deleted", v.notify.tells_deleted);
}

void add_scripts(const config::Notify& notify, JsonWriter& out) {
  const auto script = [&](std::string_view name, const config::Command& command) {
    if (!command.empty()) out.field(name, command_text(command));
  };
  script("script_backup", notify.backup);
  script("script_master", notify.master);
  script("script_fault", notify.fault);
  script("script_stop", notify.stop);
  script("script_deleted", notify.deleted);
  script("script", notify.any);
  script("script_master_rx_lower_pri", notify.master_rx_lower_pri);
}

template <typename Items, typename Text>
void add_list(std::string_view name, const Items& items, JsonWriter& out, const Text& text) {
  if (items.empty()) return;
  out.key(name);
  out.open_array();
  for (const auto& item : items) out.string(text(item));
  out.close_array();
}

std::string script_command(const State& state, const std::string& name) {
  for (const config::VrrpScript& script : state.config->vrrp_scripts) {
    if (script.name == name) return command_text(script.command);
  }
  return name;
}

void add_lists(const State& state, const VrrpInstance& v, bool is_held, JsonWriter& out) {
  const auto vip = [is_held](const config::VipAddress& each) { return vip_text(each, is_held); };
  const auto name = [](const config::Tracker& tracker) { return tracker.name; };
  add_list("vips", v.vips, out, vip);
  add_list("evips", v.excluded_vips, out, vip);
  add_list("track_ifp", v.track_interface, out, name);
  add_list("track_script", v.track_script, out,
           [&](const config::Tracker& tracker) { return script_command(state, tracker.name); });
  add_list("track_process", v.track_process, out, name);
}

void add_data(const State& state, std::size_t index, JsonWriter& out) {
  const VrrpInstance& v = state.config->vrrp_instances[index];
  const InstanceState& now = state.instances[index];
  out.key("data");
  out.open_object();
  out.field("iname", v.name);
  out.field("dont_track_primary", int{v.dont_track_primary});
  out.field("skip_check_adv_addr", int{*v.skip_check_adv_addr});
  out.field("strict_mode", int{*v.strict});
  out.field("vmac_ifname", vmac_name(v));
  out.field("ifp_ifname", *v.interface);
  add_timers(v, now, out);
  add_priorities(v, now, out);
  add_scripts(v.notify, out);
  add_lists(state, v, now.state == vrrp::State::kMaster, out);
  out.field("auth_type", static_cast<int>(v.auth.type));
  if (v.auth.type != config::AuthType::kNone) out.field("auth_data", "********");
  out.close_object();
}

void add_stats(const vrrp::Statistics& counted, JsonWriter& out) {
  out.key("stats");
  out.open_object();
  out.field("advert_rcvd", counted.advert_rcvd);
  out.field("advert_sent", counted.advert_sent);
  out.field("become_master", counted.become_master);
  out.field("release_master", counted.release_master);
  out.field("packet_len_err", counted.packet_len_err);
  out.field("advert_interval_err", counted.advert_interval_err);
  out.field("ip_ttl_err", counted.ip_ttl_err);
  out.field("invalid_type_rcvd", counted.invalid_type_rcvd);
  out.field("addr_list_err", counted.addr_list_err);
  out.field("invalid_authtype", counted.invalid_authtype);
  out.field("authtype_mismatch", counted.authtype_mismatch);
  out.field("auth_failure", counted.auth_failure);
  out.field("pri_zero_rcvd", counted.pri_zero_rcvd);
  out.field("pri_zero_sent", counted.pri_zero_sent);
  out.close_object();
}

void add_process(const config::TrackProcess& process, const ProcessStatus& now, JsonWriter& out) {
  using Wait = ProcessQuorum::Wait;
  out.open_object();
  out.field("process", process.name);
  if (!process.parameters.empty()) out.field("parameters", parameters_text(process));
  out.field("param_match", match_word(process.param_match));
  out.field("min_processes", process.quorum);
  if (process.quorum_max) out.field("max_processes", *process.quorum_max);
  out.field("current_processes", now.count);
  out.field("have_quorum", now.outcome == vrrp::Outcome::kGood);
  out.field("weight", process.is_reversed ? -process.weight : process.weight);
  out.number("terminate_delay", seconds_text(process.terminate_delay_us));
  out.number("fork_delay", seconds_text(process.fork_delay_us));
  out.field("fork_delay_timer_running", now.wait == Wait::kFork);
  out.field("terminate_delay_timer_running", now.wait == Wait::kTermination);
  out.field("full_command", process.full_command);
  out.close_object();
}

void add_processes(const State& state, JsonWriter& out) {
  if (state.processes.empty()) return;
  out.key("track_process");
  out.open_array();
  for (const config::TrackProcess& process : state.config->track_processes) {
    const auto found = state.processes.find(process.name);
    if (found != state.processes.end()) add_process(process, found->second, out);
  }
  out.close_array();
}

}  // namespace

std::string json_text(const State& state) {
  const bool is_v2 = state.config->global.dumps.json_version == 2;
  JsonWriter out;
  if (is_v2) {
    out.open_object();
    out.key("vrrp");
  }
  out.open_array();
  for (std::size_t i = 0; i < state.instances.size(); ++i) {
    out.open_object();
    add_data(state, i, out);
    add_stats(state.instances[i].statistics, out);
    out.close_object();
  }
  out.close_array();
  if (is_v2) {
    add_processes(state, out);
    out.close_object();
  }
  return out.take() + '\n';
}

}  // namespace keepline::control::dump
