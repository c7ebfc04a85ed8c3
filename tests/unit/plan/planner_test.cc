#include "control/plan/planner.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/unit/plan/support.h"

namespace keepline::control {
namespace {

constexpr auto kDown = Health::kDown;

// "10.0.0.2:8080*1 10.0.0.3:8080*3".
std::string pool(const PlannedService& planned) {
  std::string text;
  for (const lb::RealServer& real : planned.service->pool) {
    text +=
        (text.empty() ? "" : " ") + to_string(real.endpoint) + '*' + std::to_string(real.weight);
  }
  return text;
}

TEST(Planner, SaysWhatTheConfigurationSays) {
  Node node;
  const Plan plan = node.plan();
  ASSERT_EQ(plan.services.size(), 2u);
  const lb::Service& first = *plan.services[0].service;
  EXPECT_EQ(to_string(first.vip), "192.0.2.100:80");
  EXPECT_EQ(first.protocol, net::Protocol::kTcp);
  EXPECT_EQ(first.scheduler, lb::Scheduler::kRoundRobin);
  EXPECT_EQ(pool(plan.services[0]), "10.0.0.2:8080*1 10.0.0.3:8080*3");
  EXPECT_EQ(first.pool[0].method, lb::Method::kNat);
  EXPECT_EQ(first.weight_max, 3u);
  EXPECT_EQ(plan.services[1].service->pool[0].method, lb::Method::kDirectRouting);
  EXPECT_EQ(to_string(plan.services[0].sorry.endpoint), "10.0.0.9:80");

  const lb::Snapshot& snapshot = *plan.snapshot;
  EXPECT_EQ(snapshot.port_count(), 2u);
  EXPECT_EQ(snapshot.port(1).mtu, 1400);
  const auto* found =
      snapshot.find_service<net::V4>(ip("192.0.2.100").be(), net::be16(80), net::Protocol::kTcp);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(snapshot.service(found->slot), &first);
  const lb::Vip* vip = snapshot.find_vip(ip("192.0.2.100"));
  ASSERT_NE(vip, nullptr);
  EXPECT_TRUE(vip->answer);
  EXPECT_EQ(vip->lease, 0);
  EXPECT_FALSE(snapshot.ip_forward());
}

TEST(Planner, MirrorsRoutesAndNeighboursOfItsPorts) {
  KernelView kernel = usual_kernel();
  kernel.ip_forward = true;
  kernel.routes.push_back({{ip("10.8.0.0"), 24}, kTun, {}, 0});
  Node node(usual_config(), kernel);
  const Plan plan = node.plan();
  const neigh::NextHops& hops = plan.snapshot->next_hops();
  EXPECT_EQ(hops.resolve(ip("8.8.8.8")).mac, mac("02:00:00:00:0c:01"));
  EXPECT_EQ(hops.resolve(ip("10.0.0.2")).port, 1);
  EXPECT_EQ(hops.resolve(ip("10.0.0.2")).mac, mac("02:00:00:00:0a:02"));
  EXPECT_EQ(hops.resolve(ip("10.0.0.3")).reach, neigh::Reach::kNoNeighbour);
  // Through an interface that is no port: not to be sent the default way.
  EXPECT_EQ(hops.resolve(ip("10.8.0.1")).reach, neigh::Reach::kNoRoute);
  EXPECT_TRUE(plan.snapshot->ip_forward());
}

TEST(Planner, SlotsAreDistinctAndStayTheSame) {
  Node node;
  std::set<lb::RealSlot> slots;
  const Plan first = node.plan();
  for (const PlannedService& planned : first.services) {
    for (const lb::RealServer& real : planned.reals) slots.insert(real.slot);
  }
  slots.insert(first.services[0].sorry.slot);
  EXPECT_EQ(slots.size(), 5u);
  EXPECT_EQ(slots.count(0), 0u);  // slot 0 means none
  EXPECT_EQ(first.services[1].sorry.slot, 0u);

  for (const std::vector<Health>& health :
       {std::vector{kDown, kUp}, {kDown, kDown}, {kUp, kDown}, {kUp, kUp}}) {
    node.input.health[0] = health;
    const Plan next = node.plan();
    for (std::size_t i = 0; i < 2; ++i) {
      for (std::size_t j = 0; j < 2; ++j) {
        EXPECT_EQ(next.services[i].reals[j].slot, first.services[i].reals[j].slot);
        EXPECT_EQ(next.services[i].reals[j].generation, first.services[i].reals[j].generation);
      }
    }
    EXPECT_EQ(next.services[0].sorry.slot, first.services[0].sorry.slot);
  }
}

TEST(Planner, EverySlotFitsTheWorkersTables) {
  // The most that a configuration may hold, and a sorry server for each of its services.
  EXPECT_GT(lb::kMaxRealServers, 65'536u + 4096u);
  EXPECT_GE(lb::kMaxServices, 4096u);
}

TEST(Planner, AVerdictChangesOneServiceAndSharesTheOthers) {
  Node node;
  const Plan before = node.plan();
  EXPECT_EQ(node.plan().services[0].service, before.services[0].service);
  node.input.health[0][0] = kDown;
  const Plan after = node.plan();
  EXPECT_NE(after.services[0].service, before.services[0].service);
  EXPECT_EQ(after.services[1].service, before.services[1].service);
  EXPECT_EQ(pool(after.services[0]), "10.0.0.3:8080*3");
  EXPECT_EQ(pool(before.services[0]), "10.0.0.2:8080*1 10.0.0.3:8080*3");
  // The listing goes on showing all.
  EXPECT_EQ(after.services[0].reals.size(), 2u);
}

// 100,000 networks are cut into ranges once, not again for every verdict.
TEST(Planner, AnAccessListIsMadeOnce) {
  std::string networks;
  for (int i = 0; i < 100; ++i) networks += "10.9." + std::to_string(i) + ".0/24\n";
  Node node(instance() + server("192.0.2.100 80", {"10.0.0.2 80", "10.0.0.3 80"},
                                "client_rate 5 9\ndeny {\n" + networks + "}"));
  const Plan before = node.plan();
  node.input.health[0][0] = kDown;
  const Plan after = node.plan();
  const auto& access = before.services[0].service->access;
  ASSERT_NE(access, nullptr);
  EXPECT_NE(before.services[0].service, after.services[0].service);
  EXPECT_EQ(access, after.services[0].service->access);
  EXPECT_FALSE(access->admits(ip("10.9.7.7")));
  EXPECT_TRUE(access->admits(ip("10.10.7.7")));
  EXPECT_EQ(after.services[0].service->client_rate, (lb::ClientRate{5, 9}));
}

TEST(Planner, ARouteChangesNoService) {
  Node node;
  const Plan before = node.plan();
  KernelView kernel = usual_kernel();
  kernel.neighbours.clear();
  node.input.kernel = std::make_shared<const KernelView>(kernel);
  const Plan after = node.plan();
  EXPECT_EQ(after.services[0].service, before.services[0].service);
  EXPECT_EQ(after.services[1].service, before.services[1].service);
  EXPECT_EQ(after.snapshot->next_hops().resolve(ip("10.0.0.2")).reach, neigh::Reach::kNoNeighbour);
}

TEST(Planner, TheSorryServerComesAndGoes) {
  Node node;
  node.plan();
  node.input.health[0] = {kDown, kDown};
  EXPECT_EQ(pool(node.plan().services[0]), "10.0.0.9:80*1");
  node.input.health[0] = {kUp, kDown};
  EXPECT_EQ(pool(node.plan().services[0]), "10.0.0.2:8080*1");
}

TEST(Planner, TheQuorumIsRememberedFromPlanToPlan) {
  Node node(instance() + server("192.0.2.100 80", {"10.0.0.2 80", "10.0.0.3 80", "10.0.0.4 80"},
                                "quorum 2\nhysteresis 1\nsorry_server 10.0.0.9 80"));
  EXPECT_TRUE(node.plan().services[0].pool.has_quorum);
  node.input.health[0] = {kUp, kDown, kDown};
  EXPECT_TRUE(node.plan().services[0].pool.has_quorum);
  node.input.health[0] = {kDown, kDown, kDown};
  EXPECT_FALSE(node.plan().services[0].pool.has_quorum);
  node.input.health[0] = {kUp, kUp, kDown};
  EXPECT_FALSE(node.plan().services[0].pool.has_quorum);
  node.input.health[0] = {kUp, kUp, kUp};
  EXPECT_TRUE(node.plan().services[0].pool.has_quorum);
}

TEST(Planner, AnInhibitedServerKeepsItsSlotInTheSnapshot) {
  Node node(instance() +
            server("192.0.2.100 80", {"10.0.0.2 80", "10.0.0.3 80"}, "inhibit_on_failure"));
  node.plan();
  node.input.health[0][0] = kDown;
  const Plan plan = node.plan();
  EXPECT_EQ(pool(plan.services[0]), "10.0.0.2:80*0 10.0.0.3:80*1");
  EXPECT_EQ(plan.services[0].reals[0].weight, 0u);
  const lb::RealServer& real = plan.services[0].reals[0];
  EXPECT_NE(plan.snapshot->real(real.slot, real.generation), nullptr);
}

TEST(Planner, WithoutServicesThereAreNone) {
  Node node(usual_config(), usual_kernel(), {true, false});
  const Plan plan = node.plan();
  EXPECT_TRUE(plan.services.empty());
  EXPECT_EQ(plan.snapshot->service(0), nullptr);
  EXPECT_EQ(plan.steering.at(0).services.size(), 0u);
  EXPECT_TRUE(plan.steering.at(0).addresses.at(ip("224.0.0.18")).vrrp);
}

TEST(Planner, EverySchedulerIsPlannedAsItIsNamed) {
  for (const std::string name : {"rr", "wrr", "lc", "wlc", "sed", "nq", "lblc", "lblcr", "dh", "sh",
                                 "mh", "fo", "ovf", "twos"}) {
    const std::string flags = name == "mh" ? "mh-port\nmh-fallback\n" : "";
    Node node(instance() + server("192.0.2.100 80", {"10.0.0.2 80 { uthreshold 9\nlthreshold 4 }"},
                                  "lvs_sched " + name + "\n" + flags));
    const Plan plan = node.plan();
    const lb::Service& service = *plan.services[0].service;
    EXPECT_EQ(lb::to_string(service.scheduler), name);
    EXPECT_EQ(service.hash_port && service.hash_fallback, name == "mh");
    EXPECT_EQ(service.ring.ring != nullptr, name == "dh" || name == "sh" || name == "mh");
    EXPECT_EQ(service.pool[0].upper_threshold, 9u);
    EXPECT_EQ(service.pool[0].lower_threshold, 4u);
  }
}

TEST(Planner, ARingFollowsThePool) {
  Node node(instance() +
            server("192.0.2.100 80", {"10.0.0.2 80", "10.0.0.3 80"}, "lvs_sched mh\n") +
            "dataplane {\n maglev_size 600\n}\n");
  const Plan plan = node.plan();
  const auto before = plan.services[0].service;
  EXPECT_EQ(before->ring->slots().size(), 1021u);
  EXPECT_EQ(node.plan().services[0].service, before) << "nothing changed, nothing was built";
  node.input.health[0][0] = kDown;
  const auto after = node.plan().services[0].service;
  for (const std::uint16_t place : after->ring->slots()) ASSERT_EQ(place, 0u);
}

// Real servers whose connections may go on: "10.0.0.2:80 failed until 130".
std::string leaving(const PlannedService& planned) {
  std::string text;
  for (const lb::LeavingServer& each : planned.service->leaving) {
    text += to_string(each.real.endpoint) + (each.failed ? " failed" : "") + " until " +
            std::to_string(each.until_s) + '\n';
  }
  return text;
}

TEST(Planner, AFailedServerIsGoneUnlessItMayDrain) {
  for (const bool drains : {false, true}) {
    Node node(std::string(drains ? "dataplane {\n failed_server drain 30\n}\n" : "") + instance() +
              server("192.0.2.100 80", {"10.0.0.2 80", "10.0.0.3 80"}));
    node.input.now_s = 100;
    Plan plan = node.plan();
    EXPECT_EQ(leaving(plan.services[0]), "");
    const lb::RealServer real = plan.services[0].reals[0];
    node.input.health[0][0] = kDown;
    plan = node.plan();
    EXPECT_EQ(leaving(plan.services[0]), drains ? "10.0.0.2:80 failed until 130\n" : "");
    EXPECT_EQ(plan.snapshot->real(real.slot, real.generation) != nullptr, drains);
    node.input.now_s = 120;
    EXPECT_EQ(leaving(node.plan().services[0]), drains ? "10.0.0.2:80 failed until 130\n" : "");
    node.input.now_s = 130;
    EXPECT_EQ(leaving(node.plan().services[0]), "");
    // Back in the pool it is leaving no more.
    node.input.health[0][0] = kUp;
    plan = node.plan();
    EXPECT_NE(plan.snapshot->real(real.slot, real.generation), nullptr);
  }
}

TEST(Planner, ASorryServerMayFinishWhatItHas) {
  Node node(instance() + server("192.0.2.100 80", {"10.0.0.2 80"}, "sorry_server 10.0.0.9 80"));
  node.input.now_s = 100;
  node.input.health[0][0] = kDown;
  EXPECT_EQ(pool(node.plan().services[0]), "10.0.0.9:80*1");
  node.input.health[0][0] = kUp;
  node.input.now_s = 200;
  const Plan plan = node.plan();
  EXPECT_EQ(pool(plan.services[0]), "10.0.0.2:80*1");
  EXPECT_EQ(leaving(plan.services[0]), "10.0.0.9:80 until 500\n");
}

TEST(Planner, ShardsAreDealtOutToTheWorkers) {
  for (const unsigned workers : {1u, 2u, 3u, 16u}) {
    Node node;
    node.input.workers = workers;
    const Plan plan = node.plan();
    std::vector<unsigned> shards(workers);
    for (unsigned shard = 0; shard < net::kShards; ++shard) {
      ++shards.at(plan.snapshot->worker_of(static_cast<std::uint8_t>(shard)));
    }
    const auto [least, most] = std::minmax_element(shards.begin(), shards.end());
    EXPECT_LE(*most - *least, 1u) << workers;
  }
}

std::string uses(const DeviceSteering& steering) {
  std::string text;
  for (const auto& [address, use] : steering.addresses) {
    text += to_string(address) + (use.answer ? " answer" : "") + (use.service ? " service" : "") +
            (use.own ? " own" : "") + (use.vrrp ? " vrrp" : "") + (use.real ? " real" : "") + '\n';
  }
  return text;
}

std::string ends(const std::vector<DeviceSteering::Endpoint>& endpoints) {
  std::string text;
  for (const auto& each : endpoints) text += to_string(each.endpoint) + '\n';
  return text;
}

TEST(Steering, WhatEachPortTakes) {
  Node node;
  const Plan plan = node.plan();
  ASSERT_EQ(plan.steering.size(), 2u);
  EXPECT_EQ(uses(plan.steering[0]),
            "10.0.0.2 real\n10.0.0.3 real\n10.0.0.5 own\n10.0.0.9 real\n127.0.0.1 own\n"
            "192.0.2.5 own\n192.0.2.100 answer service\n224.0.0.18 vrrp\n");
  EXPECT_EQ(uses(plan.steering[1]),
            "10.0.0.2 real\n10.0.0.3 real\n10.0.0.5 own\n10.0.0.9 real\n127.0.0.1 own\n"
            "192.0.2.5 own\n192.0.2.100 answer service\n");
  for (const DeviceSteering& steering : plan.steering) {
    EXPECT_EQ(ends(steering.services), "192.0.2.100:80\n192.0.2.100:443\n");
    // Of NAT only: direct routing's answers do not come back.
    EXPECT_EQ(ends(steering.reals), "10.0.0.2:8080\n10.0.0.3:8080\n10.0.0.9:80\n");
  }
  EXPECT_EQ(plan.steering[0].macs, std::vector{mac("02:00:00:00:00:01")});
}

TEST(Steering, AnAddressOfTheNodeIsNotAnswered) {
  KernelView kernel = usual_kernel();
  kernel.addresses.push_back({kEth0, {ip("192.0.2.100"), 24}, true});
  Node node(instance("priority 255") + server("192.0.2.100 80", {"10.0.0.2 80"}), kernel);
  const Plan plan = node.plan();
  const auto& use = plan.steering.at(0).addresses.at(ip("192.0.2.100"));
  EXPECT_FALSE(use.answer);
  EXPECT_TRUE(use.own);
  EXPECT_TRUE(use.service);
}

TEST(Steering, AVipThatWeAddedIsStillAnswered) {
  // Placed before it was added; the kernel shows it from then on.
  Node node;
  KernelView kernel = usual_kernel();
  kernel.addresses.push_back({kEth0, {ip("192.0.2.100"), 32}, true});
  node.input.kernel = std::make_shared<const KernelView>(kernel);
  const Plan plan = node.plan();
  const auto& use = plan.steering.at(0).addresses.at(ip("192.0.2.100"));
  EXPECT_TRUE(use.answer);
  EXPECT_FALSE(use.own);
}

TEST(Steering, VerdictsDoNotChangeIt) {
  Node node;
  const Plan before = node.plan();
  node.input.health[0] = {kDown, kDown};
  const Plan after = node.plan();
  EXPECT_EQ(ends(after.steering[1].reals), ends(before.steering[1].reals));
  EXPECT_EQ(uses(after.steering[1]), uses(before.steering[1]));
}

TEST(Steering, VirtualMacsAreThePortsToo) {
  Node node(instance("use_vmac"));
  EXPECT_EQ(node.plan().steering.at(0).macs,
            (std::vector{mac("00:00:5e:00:01:33"), mac("02:00:00:00:00:01")}));
}

}  // namespace
}  // namespace keepline::control
