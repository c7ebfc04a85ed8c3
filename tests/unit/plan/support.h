// Shared by the tests of control/plan: configurations by their text, and a node with two networks.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "control/plan/planner.h"
#include "tests/golden/frames.h"
#include "tests/unit/config/helpers.h"

namespace keepline::control {

using testing::ip;
using testing::mac;

inline constexpr unsigned kLo = 1, kEth0 = 2, kEth1 = 3, kVlan = 4, kBond = 5, kJumbo = 6, kTun = 7;

/// eth0 192.0.2.5/24 with the default route, eth1 10.0.0.5/24, and some that are of no use.
inline KernelView usual_kernel() {
  KernelView kernel;
  kernel.links = {{kLo, "lo", {}, 65536, true, false, ""},
                  {kEth0, "eth0", mac("02:00:00:00:00:01"), 1500, true, true, ""},
                  {kEth1, "eth1", mac("02:00:00:00:00:02"), 1400, true, true, "veth"},
                  {kVlan, "eth0.10", mac("02:00:00:00:00:01"), 1500, true, true, "vlan", kEth0, 10},
                  {kBond, "bond0", mac("02:00:00:00:00:03"), 1500, true, true, "bond"},
                  {kJumbo, "eth2", mac("02:00:00:00:00:04"), 9000, true, true, ""},
                  {kTun, "tun0", {}, 1500, true, false, "tun"}};
  kernel.addresses = {{kLo, {ip("127.0.0.1"), 8}, false},
                      {kEth0, {ip("192.0.2.5"), 24}, false},
                      {kEth1, {ip("10.0.0.5"), 24}, false}};
  kernel.routes = {{{ip("192.0.2.0"), 24}, kEth0, {}, 0},
                   {{ip("10.0.0.0"), 24}, kEth1, {}, 0},
                   {{ip("0.0.0.0"), 0}, kEth0, ip("192.0.2.1"), 100}};
  kernel.neighbours = {{kEth0, ip("192.0.2.1"), mac("02:00:00:00:0c:01")},
                       {kEth1, ip("10.0.0.2"), mac("02:00:00:00:0a:02")},
                       {kTun, ip("10.8.0.1"), mac("02:00:00:00:0d:01")}};
  return kernel;
}

inline std::string instance(const std::string& more = "", const std::string& interface = "eth0",
                            const std::string& vips = "192.0.2.100") {
  return "vrrp_instance VI_1 {\n interface " + interface + "\n virtual_router_id 51\n" + more +
         "\n virtual_ipaddress {\n" + vips + "\n }\n}\n";
}

/// Real servers are lines such as "10.0.0.2 8080" or "10.0.0.2 8080 { weight 3 }".
inline std::string server(const std::string& head, const std::vector<std::string>& reals,
                          const std::string& more = "", const std::string& kind = "NAT") {
  std::string text = "virtual_server " + head + " {\n lb_algo rr\n lb_kind " + kind +
                     "\n protocol TCP\n" + more + '\n';
  for (const std::string& real : reals) {
    const std::size_t brace = real.find('{');
    text +=
        " real_server " + real.substr(0, brace) + " {\n" +
        (brace == std::string::npos ? "" : real.substr(brace + 1, real.rfind('}') - brace - 1)) +
        "\n }\n";
  }
  return text + "}\n";
}

/// The configuration; a text that is not clean is a mistake of the test.
inline config::Config config_of(const std::string& text) {
  const config::LoadResult loaded = config::load_text(text);
  EXPECT_TRUE(loaded.diagnostics.can_run()) << config::all(loaded);
  return loaded.config;
}

inline std::string text(const config::Diagnostics& diagnostics) {
  std::string all;
  for (const config::Diagnostic& d : diagnostics.items()) {
    all += (d.severity == config::Severity::kWarning ? "warning: " : "error: ") + d.message + '\n';
  }
  return all;
}

inline constexpr auto kUp = Health::kUp;

/// Two services of two servers each, and everything up.
inline std::string usual_config() {
  return instance() +
         server("192.0.2.100 80", {"10.0.0.2 8080", "10.0.0.3 8080 { weight 3 }"},
                "sorry_server 10.0.0.9 80") +
         server("192.0.2.100 443", {"10.0.0.2 443", "10.0.0.3 443"}, "", "DR");
}

/// A planner and what it is asked for.
struct Node {
  explicit Node(const std::string& text = usual_config(), KernelView view = usual_kernel(),
                Mode mode = Mode()) {
    auto config = std::make_shared<const config::Config>(config_of(text));
    config::Diagnostics diagnostics;
    input.config = config;
    input.kernel = std::make_shared<const KernelView>(view);
    input.topology =
        std::make_shared<const Topology>(make_topology(*config, view, mode, diagnostics));
    EXPECT_EQ(control::text(diagnostics), "");
    input.mode = mode;
    everything_up();
  }
  /// Another configuration; returns what was said about it.
  std::string reload(const std::string& text) {
    input.config = std::make_shared<const config::Config>(config_of(text));
    config::Diagnostics diagnostics;
    input.topology = std::make_shared<const Topology>(
        make_topology(*input.config, *input.kernel, input.mode, diagnostics, input.topology.get()));
    everything_up();
    return control::text(diagnostics);
  }
  void everything_up() {
    input.health.clear();
    for (const auto& server : input.config->virtual_servers) {
      input.health.emplace_back(server.real_servers.size(), kUp);
    }
  }
  Plan plan() { return planner.make(input); }

  PlanInput input;
  Planner planner;
};

}  // namespace keepline::control
