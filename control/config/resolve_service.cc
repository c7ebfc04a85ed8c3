// Defaults and rules of virtual servers; groups become their addresses. PURE; the bounds are in
// resolve.h.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "control/config/names.h"
#include "control/config/resolve.h"

namespace keepline::config {

namespace {

// The rules that look at one virtual server. A group's addresses share their words, so what is
// wrong with the words is said for the first address only.
class ServiceRules {
 public:
  ServiceRules(const ServiceDraft& draft, VirtualServer& server, const GlobalDefs& global,
               Diagnostics& words, Diagnostics& addresses)
      : draft_(draft), s_(server), global_(global), words_(words), addresses_(addresses) {}

  void apply() {
    settle_protocol();
    settle_scheduler();
    settle_persistence();
    settle_real_servers();
    settle_sorry_server();
    settle_syn_proxy();
    settle_quorum();
  }

 private:
  void settle_protocol();
  void settle_scheduler();
  void settle_persistence();
  void settle_real_servers();
  bool keep_real_server(RealServer& real);
  void settle_client_address(RealServer& real);
  void demand_connect_ports(const RealServer& real);
  void settle_syn_proxy();
  void settle_sorry_server();
  void settle_quorum();
  void refuse_own_address(const net::IpAddr& address, const Position& position,
                          std::string_view keyword);

  Position at(std::string_view keyword, std::string_view synonym = {}) const {
    return position_of(*draft_.block, keyword, synonym);
  }
  void problem(const Position& position, std::string_view keyword, std::string message,
               std::string hint = {}) {
    words_.warning(position, std::string(keyword), std::move(message), std::move(hint),
                   Effect::kProblem);
  }

  const ServiceDraft& draft_;
  VirtualServer& s_;
  const GlobalDefs& global_;
  Diagnostics& words_;
  Diagnostics& addresses_;
};

void ServiceRules::settle_protocol() {
  s_.smtp_alert.inherit(global_.smtp_alert_checker);
  s_.smtp_alert.inherit(global_.smtp_alert);
  if (!s_.protocol.is_set()) {
    words_.error(s_.position, "protocol",
                 "virtual_server without protocol: UDP is used, as keepalived does, and TCP "
                 "connections will NOT be forwarded",
                 "protocol TCP");
  }
  if (s_.one_packet && s_.protocol != net::Protocol::kUdp) {
    problem(at("ops"), "ops", "ops is for UDP only: ignored");
    s_.one_packet = false;
  }
}

void ServiceRules::settle_scheduler() {
  const std::string name(name_of(s_.scheduler.value()));
  if (!s_.scheduler.is_set()) {
    problem(s_.position, "lb_algo", "virtual_server without lb_algo: wlc is used", "lb_algo wlc");
  }
  if (!s_.options.forwarding.is_set()) {
    problem(s_.position, "lb_kind", "virtual_server without lb_kind: NAT is used", "lb_kind NAT");
  }
  for (const std::string& flag : draft_.scheduler_flags) {
    const std::size_t dash = flag.find('-');
    const std::string owner = flag.substr(0, dash);
    if (owner == "flag" || owner == name) continue;
    problem(at(flag), flag, flag + " is for lb_algo " + owner + " only: ignored");
    if (flag.ends_with("-port")) s_.hash_port = false;
    if (flag.ends_with("-fallback")) s_.hash_fallback = false;
  }
}

void ServiceRules::settle_persistence() {
  if (s_.port == 0 && !s_.persistence) {
    problem(s_.position, "virtual_server",
            "virtual_server " + net::to_string(s_.address) +
                " of all ports without persistence_timeout: 360 s are used",
            "persistence_timeout 360");
    s_.persistence.emplace();
    s_.persistence->granularity = static_cast<std::uint8_t>(s_.address.max_prefix_length());
  }
  if (!s_.persistence) return;
  const auto most = static_cast<std::uint8_t>(s_.address.max_prefix_length());
  if (s_.persistence->granularity <= most) return;
  problem(
      at("persistence_granularity"), "persistence_granularity",
      "persistence_granularity is longer than an address: " + std::to_string(most) + " is used");
  s_.persistence->granularity = most;
}

void ServiceRules::refuse_own_address(const net::IpAddr& address, const Position& position,
                                      std::string_view keyword) {
  if (address != s_.address) return;
  addresses_.fatal(
      position, std::string(keyword),
      std::string(keyword) + " " + net::to_string(address) + " is the virtual address itself",
      "a server needs an address of its own");
}

void ServiceRules::settle_client_address(RealServer& real) {
  Forwarding forwarding = real.options.forwarding.value();
  const bool toa = forwarding.client_address == ClientAddress::kToa;
  const bool proxy = forwarding.client_address == ClientAddress::kProxyProtocol;
  const bool fits = (!toa || s_.protocol == net::Protocol::kTcp) &&
                    (!proxy || s_.protocol != net::Protocol::kSctp);
  if (fits) return;
  problem(real.position, "lb_kind",
          std::string(name_of(forwarding.client_address)) + " is not for " +
              std::string(name_of(s_.protocol.value())) + ": ignored",
          "toa is for TCP, proxy_protocol for TCP and UDP");
  forwarding.client_address = ClientAddress::kUntold;
  real.options.forwarding.set(forwarding);
}

// False: reported and to be removed.
bool ServiceRules::keep_real_server(RealServer& real) {
  const std::string name = "real_server " + net::to_string(real.address);
  real.options.forwarding.inherit(s_.options.forwarding);
  if (real.address.is_v6() != s_.address.is_v6() && real.method() != Method::kTun) {
    addresses_.error(
        real.position, "real_server",
        name + " is of another family than its virtual server: skipped",
        "NAT, FULLNAT and DR do not translate between IPv4 and IPv6; TUN can lead there");
    return false;
  }
  refuse_own_address(real.address, real.position, "real_server");
  settle_client_address(real);
  if (real.upper_threshold != 0 && real.lower_threshold > real.upper_threshold) {
    problem(real.position, "real_server", name + ": lthreshold is above uthreshold: ignored");
    real.lower_threshold = 0;
  }
  if (real.port == 0) {
    real.port = s_.port;
  } else if (s_.port == 0) {
    problem(real.position, "real_server",
            name + " of a virtual server of all ports: its port is ignored");
    real.port = 0;
  } else if (!translates(real.method()) && real.port != s_.port) {
    problem(real.position, "real_server",
            name + ": " + std::string(name_of(real.method())) +
                " cannot change the port; the virtual server's port " + std::to_string(s_.port) +
                " is used");
    real.port = s_.port;
  }
  return true;
}

// Who speaks for a server has to hear what it says.
void ServiceRules::settle_syn_proxy() {
  if (!s_.syn_proxy) return;
  const auto passes_us = [](const RealServer& real) { return translates(real.method()); };
  const bool tcp = s_.protocol == net::Protocol::kTcp;
  const bool sorry = !s_.sorry_server || translates(s_.sorry_server->forwarding.method);
  if (tcp && sorry && std::ranges::all_of(s_.real_servers, passes_us)) return;
  problem(at("syn_proxy"), "syn_proxy",
          tcp ? "syn_proxy needs answers that come back through here: ignored"
              : "syn_proxy is for TCP only: ignored",
          tcp ? "lb_kind NAT or FULLNAT for every server" : "");
  s_.syn_proxy = false;
}

// A real server of all ports has none of its own that a check could try.
void ServiceRules::demand_connect_ports(const RealServer& real) {
  for (const Checker& checker : real.checkers) {
    const CheckOptions& options = options_of(checker);
    if (std::holds_alternative<OtherCheck>(checker) || options.connect_port.value() != 0) continue;
    words_.fatal(options.position, "connect_port",
                 "a check without connect_port: real_server " + net::to_string(real.address) +
                     " has all ports",
                 "connect_port PORT");
  }
}

void ServiceRules::settle_real_servers() {
  std::set<std::pair<net::IpAddr, std::uint16_t>> seen;
  std::erase_if(s_.real_servers, [&](RealServer& real) {
    if (!keep_real_server(real)) return true;
    if (seen.emplace(real.address, real.port).second) return false;
    words_.error(real.position, "real_server",
                 "a second real_server " + net::to_string(real.address) + " " +
                     std::to_string(real.port) + ": removed");
    return true;
  });
  const bool full_nat = std::ranges::any_of(
      s_.real_servers, [](const RealServer& real) { return real.method() == Method::kFullNat; });
  if (full_nat && s_.one_packet) {
    problem(at("ops"), "ops", "FULLNAT cannot do without connections: ops is ignored");
    s_.one_packet = false;
  }
  s_.options.warmup_us.set_default(s_.options.delay_loop_us);
  for (RealServer& real : s_.real_servers) {
    inherit_real_server(s_, global_, real);
    demand_connect_ports(real);
  }
  if (s_.real_servers.empty()) {
    words_.error(s_.position, "virtual_server", "virtual_server without real_server: ignored",
                 "real_server ADDRESS PORT { }");
  }
}

void ServiceRules::settle_sorry_server() {
  if (!s_.sorry_server) {
    if (draft_.has_sorry_method || draft_.has_sorry_inhibit) {
      words_.error(s_.position, "sorry_server", "sorry_server options without sorry_server");
    }
    return;
  }
  SorryServer& sorry = *s_.sorry_server;
  sorry.forwarding = draft_.has_sorry_method ? draft_.sorry_forwarding : s_.forwarding();
  if (sorry.target.address.is_v6() != s_.address.is_v6() &&
      sorry.forwarding.method != Method::kTun) {
    addresses_.error(sorry.position, "sorry_server",
                     "sorry_server is of another family than its virtual server: skipped",
                     "only TUN can lead to the other family");
    s_.sorry_server.reset();
    return;
  }
  refuse_own_address(sorry.target.address, sorry.position, "sorry_server");
  sorry.is_inhibited = draft_.has_sorry_inhibit;
  if (sorry.target.port == 0 || s_.port == 0) {
    sorry.target.port = s_.port;
  } else if (!translates(sorry.forwarding.method) && sorry.target.port != s_.port) {
    problem(sorry.position, "sorry_server",
            "sorry_server: " + std::string(name_of(sorry.forwarding.method)) +
                " cannot change the port; the virtual server's port is used");
    sorry.target.port = s_.port;
  }
}

void ServiceRules::settle_quorum() {
  if (s_.real_servers.empty()) return;
  std::uint64_t sum = 0;
  for (const RealServer& real : s_.real_servers) sum += real.weight();
  // A sum of 0 (all drained) can never be reached, whatever the quorum is.
  if (sum > 0 && s_.quorum > sum) {
    problem(at("quorum"), "quorum",
            "quorum " + std::to_string(s_.quorum) +
                " is above the sum of all weights: " + std::to_string(sum) + " is used");
    s_.quorum = static_cast<std::uint32_t>(sum);
  }
  if (s_.hysteresis != 0 && s_.hysteresis >= s_.quorum) {
    problem(at("hysteresis"), "hysteresis",
            "hysteresis must be below the quorum: " + std::to_string(s_.quorum - 1) + " is used");
    s_.hysteresis = s_.quorum - 1;
  }
}

// The addresses a draft stands for; reports groups that cannot be used.
std::vector<Target> targets_of(const ServiceDraft& draft,
                               const std::map<std::string, const GroupDraft*>& groups,
                               Diagnostics& diagnostics) {
  if (draft.head == ServiceDraft::Head::kFwmark) return {};
  if (draft.head == ServiceDraft::Head::kAddress) {
    return {{draft.server.address, draft.server.port}};
  }
  const auto found = groups.find(draft.group);
  if (found == groups.end()) {
    diagnostics.error(
        draft.server.position, "virtual_server",
        "virtual_server_group '" + draft.group + "' does not exist: the virtual server is ignored");
    return {};
  }
  const std::vector<Target>& targets = found->second->targets;
  const bool is_mixed = std::ranges::any_of(targets, [&targets](const Target& target) {
    return target.address.is_v6() != targets.front().address.is_v6();
  });
  if (is_mixed) {
    diagnostics.error(found->second->position, "virtual_server_group",
                      "virtual_server_group '" + draft.group +
                          "' mixes IPv4 and IPv6: the virtual server is ignored",
                      "one group for each family");
    return {};
  }
  return targets;
}

using Key = std::tuple<net::IpAddr, std::uint16_t, net::Protocol>;

void add_service(ServiceDraft& draft, const std::vector<Target>& targets, Config& config,
                 std::set<Key>& seen, std::size_t& real_servers_left, Diagnostics& diagnostics) {
  Diagnostics repeated;  // What was said for the first address already.
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (config.virtual_servers.size() >= kMaxVirtualServers ||
        draft.server.real_servers.size() > real_servers_left) {
      diagnostics.error(draft.server.position, "virtual_server",
                        "too many virtual or real servers: the rest is ignored");
      return;
    }
    VirtualServer server = draft.server;
    server.address = targets[i].address;
    server.port = targets[i].port;
    ServiceRules(draft, server, config.global, i == 0 ? diagnostics : repeated, diagnostics)
        .apply();
    if (!seen.emplace(server.address, server.port, server.protocol.value()).second) {
      diagnostics.error(server.position, "virtual_server",
                        "a second virtual_server " + net::to_string(server.address) + " " +
                            std::to_string(server.port) + ": ignored");
      continue;
    }
    real_servers_left -= std::min(real_servers_left, server.real_servers.size());
    if (!server.real_servers.empty()) config.virtual_servers.push_back(std::move(server));
  }
}

}  // namespace

void resolve_services(Draft& draft, Diagnostics& diagnostics) {
  std::map<std::string, const GroupDraft*> groups;
  for (const GroupDraft& group : draft.groups) groups[group.name] = &group;
  std::set<Key> seen;
  std::size_t real_servers_left = kMaxRealServers;
  for (ServiceDraft& service : draft.services) {
    const auto targets = targets_of(service, groups, diagnostics);
    add_service(service, targets, draft.config, seen, real_servers_left, diagnostics);
  }
}

}  // namespace keepline::config
