#include "dataplane/neigh/next_hops.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/golden/frames.h"

namespace keepline::neigh {
namespace {

using testing::ip;
using testing::mac;

net::Mac numbered(std::uint32_t number) {
  return {{2, 0, static_cast<std::uint8_t>(number >> 24), static_cast<std::uint8_t>(number >> 16),
           static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)}};
}

Route route(const char* network, std::uint8_t length, net::PortId port,
            const char* gateway = "0.0.0.0", std::uint32_t metric = 0) {
  return {{ip(network), length}, port, ip(gateway), metric};
}

// "port via address", or what is missing.
std::string way(const NextHops& hops, const char* destination) {
  const NextHop hop = hops.resolve(ip(destination));
  if (hop.reach == Reach::kNoRoute) return "no route";
  const std::string to = std::to_string(hop.port) + " via " + to_string(hop.address);
  return hop.reach == Reach::kFound ? to + " at " + to_string(hop.mac) : to + " unresolved";
}

TEST(NextHops, EmptyKnowsNothing) {
  EXPECT_EQ(way(NextHops(), "10.0.0.1"), "no route");
  EXPECT_EQ(way(NextHops({}, {}), "10.0.0.1"), "no route");
  const NextHops only_routes({route("10.0.0.0", 8, 0)}, {});
  EXPECT_EQ(way(only_routes, "10.0.0.1"), "0 via 10.0.0.1 unresolved");
}

TEST(NextHops, TheLongestPrefixWinsInAnyOrder) {
  std::vector<Route> routes = {route("0.0.0.0", 0, 0), route("10.0.0.0", 8, 1),
                               route("10.1.0.0", 16, 2), route("10.1.2.0", 24, 3),
                               route("10.1.2.3", 32, 4)};
  std::mt19937 random(1);
  for (int i = 0; i < 20; ++i) {
    std::shuffle(routes.begin(), routes.end(), random);
    const NextHops hops(routes, {});
    EXPECT_EQ(hops.resolve(ip("11.0.0.0")).port, 0);
    EXPECT_EQ(hops.resolve(ip("10.2.0.0")).port, 1);
    EXPECT_EQ(hops.resolve(ip("10.1.3.0")).port, 2);
    EXPECT_EQ(hops.resolve(ip("10.1.2.4")).port, 3);
    EXPECT_EQ(hops.resolve(ip("10.1.2.3")).port, 4);
  }
}

TEST(NextHops, TheLowestMetricWins) {
  const NextHops hops(
      {route("10.0.0.0", 8, 0, "0.0.0.0", 200), route("10.0.0.0", 8, 1, "0.0.0.0", 100),
       route("10.0.0.0", 8, 2, "0.0.0.0", 300), route("10.0.0.0", 8, 3, "0.0.0.0", 100)},
      {});
  EXPECT_EQ(hops.resolve(ip("10.0.0.1")).port, 1);
  // But a longer prefix goes before any metric.
  const NextHops longer({route("10.0.0.0", 8, 0), route("10.0.0.0", 9, 1, "0.0.0.0", 999)}, {});
  EXPECT_EQ(longer.resolve(ip("10.0.0.1")).port, 1);
}

TEST(NextHops, AGatewayIsWhomToAsk) {
  const NextHops hops({route("0.0.0.0", 0, 0, "192.0.2.1"), route("192.0.2.0", 24, 0)},
                      {{ip("192.0.2.1"), 0, numbered(1)}, {ip("8.8.8.8"), 0, numbered(8)}});
  EXPECT_EQ(way(hops, "8.8.8.8"), "0 via 192.0.2.1 at 02:00:00:00:00:01");
  EXPECT_EQ(way(hops, "192.0.2.1"), "0 via 192.0.2.1 at 02:00:00:00:00:01");
  EXPECT_EQ(way(hops, "192.0.2.2"), "0 via 192.0.2.2 unresolved");
}

TEST(NextHops, ANeighbourOfAnotherPortDoesNotCount) {
  const NextHops hops({route("10.0.0.0", 8, 1)},
                      {{ip("10.0.0.1"), 0, numbered(7)}, {ip("10.0.0.2"), 1, numbered(2)}});
  EXPECT_EQ(way(hops, "10.0.0.1"), "1 via 10.0.0.1 unresolved");
  EXPECT_EQ(way(hops, "10.0.0.2"), "1 via 10.0.0.2 at 02:00:00:00:00:02");
}

TEST(NextHops, ARouteThroughNoPortHidesShorterOnes) {
  const NextHops hops({route("0.0.0.0", 0, 0), route("10.0.0.0", 8, net::kNoPort)}, {});
  EXPECT_EQ(way(hops, "10.0.0.1"), "no route");
  EXPECT_EQ(way(hops, "11.0.0.1"), "0 via 11.0.0.1 unresolved");
}

TEST(NextHops, HostBitsOfARouteDoNotMatter) {
  const NextHops hops({route("10.0.0.77", 24, 1)}, {});
  EXPECT_EQ(way(hops, "10.0.0.1"), "1 via 10.0.0.1 unresolved");
  EXPECT_EQ(way(hops, "10.0.1.1"), "no route");
}

TEST(NextHops, ManyNeighboursAreAllFoundAndOthersNot) {
  constexpr std::uint32_t kCount = kMaxNeighbours;
  const std::uint32_t first = ip("10.0.0.0").value();
  std::vector<Neighbour> neighbours;
  for (std::uint32_t i = 0; i < kCount; ++i) {
    neighbours.push_back({net::Ip4(first + i), static_cast<net::PortId>(i % 2), numbered(i)});
  }
  const NextHops hops({route("10.0.0.0", 8, 0)}, neighbours);
  EXPECT_FALSE(hops.truncated());
  for (std::uint32_t i = 0; i < kCount + 1000; ++i) {
    const NextHop hop = hops.resolve(net::Ip4(first + i));
    const bool known = i < kCount && i % 2 == 0;
    ASSERT_EQ(hop.reach, known ? Reach::kFound : Reach::kNoNeighbour) << i;
    if (known) {
      ASSERT_EQ(hop.mac, numbered(i)) << i;
    }
  }
}

TEST(NextHops, WhatIsTooMuchIsLeftOutAndSaid) {
  std::vector<Neighbour> neighbours;
  for (std::uint32_t i = 0; i < kMaxNeighbours + 1; ++i) {
    neighbours.push_back({net::Ip4(0x0a000000 + i), 0, numbered(i)});
  }
  const NextHops hops({route("10.0.0.0", 8, 0)}, neighbours);
  EXPECT_TRUE(hops.truncated());
  EXPECT_EQ(hops.resolve(net::Ip4(0x0a000000 + kMaxNeighbours - 1)).reach, Reach::kFound);
  EXPECT_EQ(hops.resolve(net::Ip4(0x0a000000 + kMaxNeighbours)).reach, Reach::kNoNeighbour);
}

TEST(NextHops, OfTooManyRoutesTheShortestPrefixesAreLeftOut) {
  // A packet with no route is dropped and counted; one on a less specific route would go astray.
  std::vector<Route> routes = {route("0.0.0.0", 0, 1)};
  for (std::uint32_t i = 0; i < kMaxRoutes; ++i) {
    routes.push_back({{net::Ip4(0x0a000000 + i), 32}, 0, {}, 0});
  }
  const NextHops hops(routes, {});
  EXPECT_TRUE(hops.truncated());
  EXPECT_EQ(hops.resolve(net::Ip4(0x0a000000 + kMaxRoutes - 1)).port, 0);
  EXPECT_EQ(way(hops, "11.0.0.1"), "no route");
  routes.erase(routes.begin());
  EXPECT_FALSE(NextHops(routes, {}).truncated());
}

}  // namespace
}  // namespace keepline::neigh
