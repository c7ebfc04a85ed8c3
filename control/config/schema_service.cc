// The keyword tables of virtual_server, virtual_server_group and real_server.
//
// PURE. One row a keyword; bounds: the tables, kMaxVirtualServers addresses of groups, and
// kMaxAccessRules networks of each.
#include <algorithm>
#include <bit>

#include "control/config/address_range.h"
#include "control/config/names.h"
#include "control/config/schema.h"

namespace keepline::config {

namespace {

using enum Class;
using enum Status;

constexpr std::uint64_t kMaxDelayUs = 31 * 86'400 * kSecondUs;
constexpr std::uint64_t kMaxWeight = 0x7fffffff;
constexpr std::size_t kMaxAccessRules = 1'000'000;
constexpr std::uint64_t kMaxClientRate = 1'000'000;

void read_scheduler(Args& a, ServiceDraft& d) {
  const auto scheduler = scheduler_from_name(a.word());
  if (!scheduler) {
    a.error("unknown scheduler '" + a.word() + "': wlc is used, as keepalived does",
            "rr, wrr, lc, wlc, sed, nq, sh, mh, dh, fo, ovf, twos, lblc or lblcr");
    return;
  }
  d.server.scheduler.set(*scheduler);
}

void read_method(Args& a, Setting<Forwarding>& out) {
  if (const auto forwarding = a.forwarding()) out.set(*forwarding);
}

void read_protocol(Args& a, ServiceDraft& d) {
  const auto protocol = protocol_from_name(a.word());
  if (!protocol) {
    a.error("unknown protocol '" + a.word() + "': ignored", "TCP, UDP or SCTP");
    return;
  }
  d.server.protocol.set(*protocol);
}

Persistence& persistence_of(ServiceDraft& d) {
  if (!d.server.persistence) {
    d.server.persistence.emplace();
    if (d.server.address.is_v6()) d.server.persistence->granularity = 128;
  }
  return *d.server.persistence;
}

void read_persistence_timeout(Args& a, ServiceDraft& d) {
  constexpr std::uint64_t kMaxSeconds = 2'678'400;
  std::uint64_t seconds = 360;
  if (a.count() > 0) {
    const auto number = a.number(1, kMaxSeconds);
    if (!number) return;
    seconds = *number;
  }
  persistence_of(d).timeout_us = seconds * kSecondUs;
}

// An IPv4 netmask, or a prefix length.
void read_granularity(Args& a, ServiceDraft& d) {
  if (const auto mask = net::parse_ip4(a.word())) {
    const std::uint32_t inverse = ~mask->value();
    if ((inverse & (inverse + 1)) == 0 && mask->value() != 0) {
      persistence_of(d).granularity = static_cast<std::uint8_t>(std::popcount(mask->value()));
      return;
    }
  } else if (const auto length = parse_number(a.word()); length && *length >= 1 && *length <= 128) {
    persistence_of(d).granularity = static_cast<std::uint8_t>(*length);
    return;
  }
  a.error("'" + a.word() + "' is neither a netmask nor a prefix length: ignored");
}

void read_sorry_server(Args& a, ServiceDraft& d) {
  if (d.server.sorry_server) {
    a.error("a second sorry_server is ignored");
    return;
  }
  const auto address = a.address();
  if (!address) return;
  SorryServer sorry;
  sorry.target.address = *address;
  sorry.position = a.position();
  if (a.count() > 1) {
    const auto port = a.port(2);
    if (!port) return;
    sorry.target.port = *port;
  }
  d.server.sorry_server = sorry;
}

void read_scheduler_flag(Args& a, ServiceDraft& d) {
  const std::string& flag = a.keyword();
  d.scheduler_flags.push_back(flag);
  if (flag.ends_with("-port") || flag == "flag-2") d.server.hash_port = true;
  if (flag.ends_with("-fallback") || flag == "flag-1") d.server.hash_fallback = true;
}

// `allow { NETWORKS }`, `deny { NETWORKS }`: many of them may come by `include`.
void read_access(Args& a, ServiceDraft& d) {
  const bool allow = a.keyword() == "allow";
  for_each_entry(a.statement(), a.diagnostics(), [&](Args& entry) {
    const auto network = parse_network(entry.keyword());
    if (!network) {
      entry.fatal("'" + entry.keyword() + "' is no address or network",
                  "ADDRESS or ADDRESS/LENGTH, without host bits");
    } else if (d.access.size() == kMaxAccessRules) {
      entry.fatal("more than " + std::to_string(kMaxAccessRules) + " networks", "");
    } else {
      d.access.push_back({*network, allow});
    }
  });
}

// `client_rate N [BURST]`.
void read_client_rate(Args& a, ServiceDraft& d) {
  const auto per_s = a.number(1, kMaxClientRate);
  const auto burst = a.count() > 1 ? a.number(1, kMaxClientRate, 2) : per_s;
  if (!per_s || !burst) return;
  d.server.client_rate = {static_cast<std::uint32_t>(*per_s), static_cast<std::uint32_t>(*burst)};
}

void read_real_server(Args& a, ServiceDraft& d);

#define KEEPLINE_INHERITED_ROWS(Target, path)                                                   \
  {"delay_loop", kOneWord, kA, kActive,                                                         \
   [](Args& a, Target& t) { a.seconds_to(t.path.delay_loop_us, 1, kMaxDelayUs); }},             \
      {"retry", kOneWord, kA, kActive,                                                          \
       [](Args& a, Target& t) { a.number_to(t.path.retry, 0, Args::kMaxU32); }},                \
      {"nb_get_retry",                                                                          \
       kOneWord,                                                                                \
       kA,                                                                                      \
       kDeprecated,                                                                             \
       [](Args& a, Target& t) { a.number_to(t.path.retry, 0, Args::kMaxU32); },                 \
       nullptr,                                                                                 \
       "deprecated, please use retry"},                                                         \
      {"delay_before_retry", kOneWord, kA, kActive,                                             \
       [](Args& a, Target& t) { a.seconds_to(t.path.delay_before_retry_us, 0, kMaxDelayUs); }}, \
      {"warmup", kOneWord, kB, kActive,                                                         \
       [](Args& a, Target& t) { a.seconds_to(t.path.warmup_us, 0, kMaxDelayUs); }},             \
      {"connect_timeout", kOneWord, kB, kActive,                                                \
       [](Args& a, Target& t) { a.seconds_to(t.path.connect_timeout_us, 1, kMaxDelayUs); }},    \
      {"alpha", kFlagShape, kA, kActive, [](Args& a, Target& t) { a.flag_to(t.path.alpha); }},  \
      {"inhibit_on_failure", kFlagShape, kB, kActive,                                           \
       [](Args& a, Target& t) { a.flag_to(t.path.inhibit_on_failure); }},                       \
  {                                                                                             \
    "virtualhost", kOneWord, kA, kActive,                                                       \
        [](Args& a, Target& t) { t.path.virtualhost.set(a.word()); }                            \
  }

constexpr Row<ServiceDraft> kServiceRows[] = {
    KEEPLINE_INHERITED_ROWS(ServiceDraft, server.options),
    {"weight", kOneWord, kC, kActive,
     [](Args& a, ServiceDraft& d) { a.number_to(d.server.options.weight, 1, kMaxWeight); }},
    {"lb_algo", kOneWord, kA, kActive, read_scheduler, "lvs_sched"},
    {"lb_kind", kCommandShape, kA, kActive,
     [](Args& a, ServiceDraft& d) { read_method(a, d.server.options.forwarding); }, "lvs_method"},
    {"protocol", kOneWord, kA, kActive, read_protocol},
    {"persistence_timeout", {0, 1}, kA, kActive, read_persistence_timeout},
    {"persistence_granularity", kOneWord, kB, kActive, read_granularity},
    {"persistence_engine", kOneWord, kC, kNotActedOn,
     [](Args& a, ServiceDraft& d) { persistence_of(d).engine = a.word(); }},
    {"ops", kBareShape, kB, kActive, [](Args&, ServiceDraft& d) { d.server.one_packet = true; }},
    {"syn_proxy", kBareShape, kA, kActive,
     [](Args&, ServiceDraft& d) { d.server.syn_proxy = true; }},
    {"allow", kBlockShape, kA, kActive, read_access},
    {"deny", kBlockShape, kA, kActive, read_access},
    {"client_rate", {1, 2}, kA, kActive, read_client_rate},
    {"flag-1", kBareShape, kC, kActive, read_scheduler_flag},
    {"flag-2", kBareShape, kC, kActive, read_scheduler_flag},
    {"flag-3", kBareShape, kC, kNotBuilt},
    {"sh-port", kBareShape, kB, kActive, read_scheduler_flag},
    {"sh-fallback", kBareShape, kB, kActive, read_scheduler_flag},
    {"mh-port", kBareShape, kB, kActive, read_scheduler_flag},
    {"mh-fallback", kBareShape, kB, kActive, read_scheduler_flag},
    {"hashed", kBareShape, kC, kDeprecated, nullptr, nullptr, "deprecated: has no effect"},
    {"nat_mask", kAnyWords, kC, kDeprecated, nullptr, nullptr, "deprecated: has no effect"},
    {"omega", kBareShape, kB, kNotActedOn, [](Args&, ServiceDraft& d) { d.server.omega = true; }},
    {"quorum", kOneWord, kA, kActive,
     [](Args& a, ServiceDraft& d) { a.number_to(d.server.quorum, 1, Args::kMaxU32); }},
    {"hysteresis", kOneWord, kB, kActive,
     [](Args& a, ServiceDraft& d) { a.number_to(d.server.hysteresis, 0, Args::kMaxU32); }},
    {"quorum_up", kCommandShape, kA, kNotActedOn,
     [](Args& a, ServiceDraft& d) { a.command_to(d.server.quorum_up); }},
    {"quorum_down", kCommandShape, kA, kNotActedOn,
     [](Args& a, ServiceDraft& d) { a.command_to(d.server.quorum_down); }},
    {"ha_suspend", kBareShape, kB, kNotActedOn,
     [](Args&, ServiceDraft& d) { d.server.ha_suspend = true; }},
    {"smtp_alert", kFlagShape, kB, kNotActedOn,
     [](Args& a, ServiceDraft& d) { a.flag_to(d.server.smtp_alert); }},
    {"sorry_server", {1, 2}, kA, kActive, read_sorry_server},
    {"sorry_server_inhibit", kBareShape, kC, kNotActedOn,
     [](Args&, ServiceDraft& d) { d.has_sorry_inhibit = true; }},
    {"sorry_server_lvs_method", kCommandShape, kC, kActive,
     [](Args& a, ServiceDraft& d) {
       if (const auto forwarding = a.forwarding()) d.sorry_forwarding = *forwarding;
       d.has_sorry_method = true;
     }},
    {"real_server", {1, 2, true}, kA, kActive, read_real_server},
    {"ip_family", kOneWord, kC, kKernelOnly},
    {"snmp_name", kOneWord, kC, kNotBuilt},
};

constexpr Row<RealServer> kRealRows[] = {
    KEEPLINE_INHERITED_ROWS(RealServer, options),
    {"weight", kOneWord, kA, kActive,
     [](Args& a, RealServer& r) { a.number_to(r.options.weight, 0, kMaxWeight); }},
    {"lvs_method", kCommandShape, kB, kActive,
     [](Args& a, RealServer& r) { read_method(a, r.options.forwarding); }},
    {"uthreshold", kOneWord, kB, kActive,
     [](Args& a, RealServer& r) { a.number_to(r.upper_threshold, 0, Args::kMaxU32); }},
    {"lthreshold", kOneWord, kB, kActive,
     [](Args& a, RealServer& r) { a.number_to(r.lower_threshold, 0, Args::kMaxU32); }},
    {"notify_up", kCommandShape, kA, kNotActedOn,
     [](Args& a, RealServer& r) { a.command_to(r.notify_up); }},
    {"notify_down", kCommandShape, kA, kNotActedOn,
     [](Args& a, RealServer& r) { a.command_to(r.notify_down); }},
    {"smtp_alert", kFlagShape, kB, kNotActedOn,
     [](Args& a, RealServer& r) { a.flag_to(r.smtp_alert); }},
    {"snmp_name", kOneWord, kC, kNotBuilt},
    {"TCP_CHECK", kBlockShape, kA, kActive, read_checker},
    {"HTTP_GET", kBlockShape, kA, kActive, read_checker},
    {"SSL_GET", kBlockShape, kA, kActive, read_checker},
    {"SMTP_CHECK", kBlockShape, kB, kActive, read_checker},
    {"DNS_CHECK", kBlockShape, kB, kActive, read_checker},
    {"MISC_CHECK", kBlockShape, kA, kActive, read_checker},
    {"UDP_CHECK", kBlockShape, kB, kActive, read_checker},
    {"PING_CHECK", kBlockShape, kB, kActive, read_checker},
    {"FILE_CHECK", kBlockShape, kC, kActive, read_checker},
    {"BFD_CHECK", kBlockShape, kB, kActive, read_checker},
};

#undef KEEPLINE_INHERITED_ROWS

void read_real_server(Args& a, ServiceDraft& d) {
  const auto address = a.address();
  if (!address) return;
  RealServer real;
  real.address = *address;
  real.position = a.position();
  if (a.count() > 1) {
    const auto port = a.port(2);
    if (!port) return;
    real.port = *port;
  }
  run_table(kRealRows, "real_server", a.statement().children, real, a.diagnostics());
  d.server.real_servers.push_back(std::move(real));
}

void read_group_entry(Args& a, GroupDraft& group, std::size_t room) {
  if (a.keyword() == "fwmark") {
    group.has_fwmark = true;
    a.fatal("services by fwmark cannot work here: packets do not pass netfilter",
            "list addresses and ports instead");
    return;
  }
  const auto range = parse_range(a.keyword());
  if (!range) {
    a.error("'" + a.keyword() + "' is no address or range: skipped",
            std::string(kRangeForms) + ", then the port", 0);
    return;
  }
  std::uint16_t port = 0;
  if (a.count() > 0) {
    const auto given = a.port(1);
    if (!given) return;
    port = *given;
  }
  if (range->count > room - group.targets.size()) {
    a.error("more than " + std::to_string(kMaxVirtualServers) + " addresses: skipped", "", 0);
    return;
  }
  for (std::uint32_t i = 0; i < range->count; ++i) {
    if (const auto address = range->at(i)) group.targets.push_back({*address, port});
  }
}

}  // namespace

void read_virtual_server_group(Args& args, Draft& draft) {
  GroupDraft group;
  group.name = args.word();
  group.position = args.position();
  std::size_t room = kMaxVirtualServers;
  bool is_known = false;
  for (const GroupDraft& other : draft.groups) {
    room -= other.targets.size();
    is_known = is_known || other.name == group.name;
  }
  for_each_entry(args.statement(), args.diagnostics(),
                 [&group, room](Args& a) { read_group_entry(a, group, room); });
  if (is_known) {
    args.error("a second virtual_server_group '" + group.name + "': skipped");
  } else if (group.targets.empty() && !group.has_fwmark) {
    args.error("virtual_server_group '" + group.name + "' is empty: skipped");
  } else if (draft.groups.size() >= kMaxNamedBlocks) {
    args.error("more than " + std::to_string(kMaxNamedBlocks) + " groups: skipped");
  } else {
    draft.groups.push_back(std::move(group));
  }
}

void read_virtual_server(Args& a, Draft& draft) {
  ServiceDraft next;
  next.block = &a.statement();
  next.server.position = a.position();
  bool is_valid = true;
  if (a.word() == "fwmark") {
    next.head = ServiceDraft::Head::kFwmark;
    a.fatal("services by fwmark cannot work here: packets do not pass netfilter",
            "match by address and port: virtual_server ADDRESS PORT");
  } else if (a.word() == "group") {
    next.head = ServiceDraft::Head::kGroup;
    next.group = a.word(2);
  } else if (const auto address = a.address()) {
    next.server.address = *address;
    const auto port = a.count() > 1 ? a.port(2) : std::optional<std::uint16_t>(0);
    is_valid = port.has_value();
    next.server.port = port.value_or(0);
  } else {
    is_valid = false;
  }
  // The block is read in any case, so that everything wrong in it is said at once.
  run_table(kServiceRows, "virtual_server", a.statement().children, next, a.diagnostics());
  if (!next.access.empty()) {
    std::stable_partition(next.access.begin(), next.access.end(),
                          [](const AccessRule& rule) { return rule.allow; });
    next.server.access.list =
        std::make_shared<const std::vector<AccessRule>>(std::move(next.access));
  }
  if (is_valid && draft.services.size() >= kMaxVirtualServers) {
    a.error("more than " + std::to_string(kMaxVirtualServers) + " virtual servers: skipped");
  } else if (is_valid) {
    draft.services.push_back(std::move(next));
  }
}

}  // namespace keepline::config
