// A schedule as text: one line for the cluster, one per node, one per fault, `key=value` words.
// Values that are the default are left out, so that a minimised schedule is short.
#include <array>
#include <charconv>
#include <sstream>
#include <string_view>

#include "tests/sim/schedule.h"

namespace keepline::vrrp::sim {

namespace {

template <typename Record>
struct Field {
  const char* name;
  std::int64_t Record::*member;
};

constexpr std::array kClusterFields = {
    Field<Schedule>{"seed", &Schedule::seed},
    Field<Schedule>{"version", &Schedule::version},
    Field<Schedule>{"ipv6", &Schedule::ipv6},
    Field<Schedule>{"unicast", &Schedule::unicast},
    Field<Schedule>{"lans", &Schedule::lans},
    Field<Schedule>{"vips", &Schedule::vips},
    Field<Schedule>{"auth", &Schedule::auth},
    Field<Schedule>{"latency_us", &Schedule::latency_us},
    Field<Schedule>{"delay_us", &Schedule::delay_us},
    Field<Schedule>{"garp_gap_us", &Schedule::garp_gap_us},
    Field<Schedule>{"planned", &Schedule::planned},
    Field<Schedule>{"wire_us", &Schedule::wire_us},
    Field<Schedule>{"kernel_us", &Schedule::kernel_us},
};

constexpr std::array kNodeFields = {
    Field<NodePlan>{"priority", &NodePlan::priority},
    Field<NodePlan>{"interval_us", &NodePlan::interval_us},
    Field<NodePlan>{"drift_ppm", &NodePlan::drift_ppm},
    Field<NodePlan>{"offset_us", &NodePlan::offset_us},
    Field<NodePlan>{"wall_offset_us", &NodePlan::wall_offset_us},
    Field<NodePlan>{"start_us", &NodePlan::start_us},
    Field<NodePlan>{"down_adverts", &NodePlan::down_adverts},
    Field<NodePlan>{"owner_ignore_adverts", &NodePlan::owner_ignore_adverts},
    Field<NodePlan>{"initial_master", &NodePlan::initial_master},
    Field<NodePlan>{"nopreempt", &NodePlan::nopreempt},
    Field<NodePlan>{"preempt_delay_us", &NodePlan::preempt_delay_us},
    Field<NodePlan>{"lower_prio_no_advert", &NodePlan::lower_prio_no_advert},
    Field<NodePlan>{"higher_prio_send_advert", &NodePlan::higher_prio_send_advert},
    Field<NodePlan>{"skip_check_adv_addr", &NodePlan::skip_check_adv_addr},
    Field<NodePlan>{"garp_delay_us", &NodePlan::garp_delay_us},
    Field<NodePlan>{"garp_repeat", &NodePlan::garp_repeat},
    Field<NodePlan>{"garp_refresh_us", &NodePlan::garp_refresh_us},
    Field<NodePlan>{"garp_lower_delay_us", &NodePlan::garp_lower_delay_us},
    Field<NodePlan>{"garp_lower_repeat", &NodePlan::garp_lower_repeat},
};

constexpr std::array kFaultFields = {
    Field<Fault>{"at_us", &Fault::at_us},       Field<Fault>{"for_us", &Fault::for_us},
    Field<Fault>{"node", &Fault::node},         Field<Fault>{"lans", &Fault::lans},
    Field<Fault>{"stations", &Fault::stations}, Field<Fault>{"value", &Fault::value},
    Field<Fault>{"way", &Fault::way},
};

constexpr std::array<const char*, kFaultKindCount> kFaultNames = {
    "loss",           "delay",         "duplicate",       "partition",
    "forger",         "pause",         "crash",           "leave",
    "link-down",      "priority",      "tracker",         "unsent",
    "clock-speed",    "failover",      "reload-priority", "reload-interval",
    "reload-preempt", "reload-remove", "reload-groups",
};

template <typename Record, std::size_t N>
void print(std::ostream& out, const std::array<Field<Record>, N>& fields, const Record& record) {
  const Record usual;
  for (const Field<Record>& field : fields) {
    if (record.*field.member == usual.*field.member) continue;
    out << ' ' << field.name << '=' << record.*field.member;
  }
  out << '\n';
}

template <typename Record, std::size_t N>
bool read(std::istream& words, const std::array<Field<Record>, N>& fields, Record& record) {
  std::string word;
  while (words >> word) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) return false;
    const std::string_view name(word.data(), equals);
    bool known = false;
    for (const Field<Record>& field : fields) {
      if (name != field.name) continue;
      const char* end = word.data() + word.size();
      const auto result = std::from_chars(word.data() + equals + 1, end, record.*field.member);
      known = result.ec == std::errc() && result.ptr == end;
    }
    if (!known) return false;
  }
  return true;
}

bool within(std::int64_t value, std::int64_t low, std::int64_t high) {
  return value >= low && value <= high;
}

bool is_sound(const Schedule& schedule) {
  const auto count = static_cast<std::int64_t>(schedule.nodes.size());
  bool sound = within(count, 1, kNodeLimit) && within(schedule.lans, 1, kLanLimit) &&
               within(schedule.vips, 1, kVipLimit) && within(schedule.version, 2, 3) &&
               within(schedule.auth, 0, 2) && within(schedule.planned, 0, 1);
  for (const NodePlan& node : schedule.nodes) {
    sound = sound && within(node.priority, 1, 255) && within(node.down_adverts, 1, 100) &&
            within(node.interval_us, kCentisecond_us, 255 * kSecond_us);
  }
  for (const Fault& fault : schedule.faults) sound = sound && within(fault.node, 0, count - 1);
  return sound;
}

bool read_fault(std::istream& words, Schedule& schedule) {
  std::string kind;
  words >> kind;
  for (std::size_t i = 0; i < kFaultKindCount; ++i) {
    if (kind != kFaultNames[i]) continue;
    schedule.faults.push_back({static_cast<FaultKind>(i)});
    return read(words, kFaultFields, schedule.faults.back());
  }
  return false;
}

}  // namespace

const char* name_of(FaultKind kind) {
  return kFaultNames[static_cast<std::size_t>(kind)];
}

std::string to_text(const Schedule& schedule) {
  std::ostringstream out;
  out << "cluster";
  print(out, kClusterFields, schedule);
  for (const NodePlan& node : schedule.nodes) {
    out << "node";
    print(out, kNodeFields, node);
  }
  for (const Fault& fault : schedule.faults) {
    out << "fault " << name_of(fault.kind);
    print(out, kFaultFields, fault);
  }
  return out.str();
}

std::optional<Schedule> from_text(const std::string& text) {
  Schedule schedule;
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string first;
    if (!(words >> first) || first[0] == '#') continue;
    bool sound = false;
    if (first == "cluster") {
      sound = read(words, kClusterFields, schedule);
    } else if (first == "node") {
      schedule.nodes.emplace_back();
      sound = read(words, kNodeFields, schedule.nodes.back());
    } else if (first == "fault") {
      sound = read_fault(words, schedule);
    }
    if (!sound) return std::nullopt;
  }
  if (!is_sound(schedule)) return std::nullopt;
  return schedule;
}

}  // namespace keepline::vrrp::sim
