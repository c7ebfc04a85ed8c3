#include "dataplane/lb/snapshot_builder.h"

#include <gtest/gtest.h>

#include "tests/golden/frames.h"

namespace keepline::lb {
namespace {

using testing::endpoint;
using testing::ip;
using testing::mac;

RealServer real(RealSlot slot, std::uint16_t generation) {
  RealServer result;
  result.slot = slot;
  result.generation = generation;
  result.endpoint = {net::Ip4(0x0a000000 + slot), 8080};
  return result;
}

std::shared_ptr<const Service> service(ServiceSlot slot, net::Endpoint vip, net::Protocol protocol,
                                       std::vector<RealServer> pool) {
  auto result = std::make_shared<Service>();
  result->slot = slot;
  result->vip = vip;
  result->protocol = protocol;
  result->pool = std::move(pool);
  result->seal();
  return result;
}

const ServiceIndex<net::V4>::Entry* find(const Snapshot& snapshot, const char* address,
                                         std::uint16_t port, net::Protocol protocol) {
  return snapshot.find_service<net::V4>(ip(address).be(), net::be16(port), protocol);
}

constexpr auto kTcp = net::Protocol::kTcp;
constexpr auto kUdp = net::Protocol::kUdp;

TEST(Snapshot, EmptyHasNothing) {
  const auto snapshot = SnapshotBuilder().build();
  EXPECT_EQ(snapshot->port_count(), 0u);
  EXPECT_EQ(snapshot->find_vip(ip("192.0.2.1")), nullptr);
  EXPECT_EQ(find(*snapshot, "192.0.2.1", 80, kTcp), nullptr);
  EXPECT_EQ(snapshot->service(0), nullptr);
  EXPECT_EQ(snapshot->real(0, 0), nullptr);
  EXPECT_EQ(snapshot->lease_of(0, net::Mac{}), kNeverOurs);
  EXPECT_FALSE(snapshot->ip_forward());
  EXPECT_EQ(snapshot->next_hops().resolve(ip("10.0.0.1")).reach, neigh::Reach::kNoRoute);
}

TEST(Snapshot, FindsServicesByAddressPortAndProtocol) {
  SnapshotBuilder builder;
  // Neighbours in every part of the key.
  const net::IpAddr v6 = *net::parse_ip("2001:db8::1");
  const std::vector<std::shared_ptr<const Service>> services = {
      service(0, endpoint("192.0.2.1", 80), kTcp, {}),
      service(1, endpoint("192.0.2.1", 80), kUdp, {}),
      service(2, endpoint("192.0.2.1", 81), kTcp, {}),
      service(3, endpoint("192.0.2.2", 80), kTcp, {}),
      service(4, endpoint("1.2.0.192", 0x5000), kTcp, {}),
      service(5, {v6, 80}, kTcp, {}),
      service(6, {v6, 80}, kUdp, {})};
  for (const auto& each : services) builder.set_service(each);
  const auto snapshot = builder.build();
  for (const auto& each : services) {
    const net::be16 port(each->vip.port);
    if (each->vip.address.is_v4()) {
      const auto* found =
          snapshot->find_service<net::V4>(each->vip.address.v4().be(), port, each->protocol);
      ASSERT_NE(found, nullptr);
      EXPECT_EQ(found->slot, each->slot);
    } else {
      const auto* found =
          snapshot->find_service<net::V6>(each->vip.address.v6(), port, each->protocol);
      ASSERT_NE(found, nullptr);
      EXPECT_EQ(found->slot, each->slot);
    }
    EXPECT_EQ(snapshot->service(each->slot), each.get());
  }
  EXPECT_EQ(find(*snapshot, "192.0.2.2", 81, kTcp), nullptr);
  EXPECT_EQ(find(*snapshot, "192.0.2.2", 80, kUdp), nullptr);
}

TEST(Snapshot, AServiceHasTheLeaseOfItsVip) {
  SnapshotBuilder builder;
  builder.set_vips({{ip("192.0.2.1"), 0, 4, mac("00:00:5e:00:01:01"), true}});
  builder.set_service(service(0, endpoint("192.0.2.1", 80), kTcp, {real(1, 1)}));
  builder.set_service(service(1, endpoint("192.0.2.2", 80), kTcp, {}));
  auto snapshot = builder.build();
  EXPECT_EQ(find(*snapshot, "192.0.2.1", 80, kTcp)->lease, 4);
  EXPECT_EQ(find(*snapshot, "192.0.2.2", 80, kTcp)->lease, kNeverOurs);
  EXPECT_EQ(snapshot->vip(snapshot->real(1, 1)->vip).lease, 4);
  builder.set_vips({{ip("192.0.2.2"), 0, 5, mac("00:00:5e:00:01:02"), true}});
  snapshot = builder.build();
  EXPECT_EQ(find(*snapshot, "192.0.2.1", 80, kTcp)->lease, kNeverOurs);
  EXPECT_EQ(find(*snapshot, "192.0.2.2", 80, kTcp)->lease, 5);
  EXPECT_EQ(snapshot->real(1, 1)->vip, kNoVip);
}

TEST(Snapshot, FindsRealServersBySlotAndGeneration) {
  SnapshotBuilder builder;
  builder.set_service(service(0, endpoint("192.0.2.1", 80), kTcp, {real(5, 1), real(2, 3)}));
  builder.set_service(service(1, endpoint("192.0.2.1", 81), kTcp, {real(900, 65535)}));
  auto snapshot = builder.build();
  for (const auto& [slot, generation] : {std::pair{5u, 1}, {2u, 3}, {900u, 65535}}) {
    EXPECT_NE(snapshot->real(slot, static_cast<std::uint16_t>(generation)), nullptr) << slot;
  }
  for (const auto& [slot, generation] :
       {std::pair{5u, 2}, {5u, 0}, {3u, 1}, {1000u, 1}, {0xffffffffu, 1}}) {
    EXPECT_EQ(snapshot->real(slot, static_cast<std::uint16_t>(generation)), nullptr) << slot;
  }
  // A new user of the slot, one that left, and a service that left.
  builder.set_service(service(0, endpoint("192.0.2.1", 80), kTcp, {real(5, 2)}));
  builder.remove_service(1);
  snapshot = builder.build();
  EXPECT_EQ(snapshot->real(5, 1), nullptr);
  EXPECT_NE(snapshot->real(5, 2), nullptr);
  EXPECT_EQ(snapshot->real(2, 3), nullptr);
  EXPECT_EQ(snapshot->real(900, 65535), nullptr);
  EXPECT_EQ(snapshot->service(1), nullptr);
}

TEST(Snapshot, NextHopsOfRealServersFollowPortsRoutesAndNeighbours) {
  SnapshotBuilder builder;
  builder.set_service(service(0, endpoint("192.0.2.1", 80), kTcp, {real(1, 1), real(2, 1)}));
  EXPECT_EQ(builder.build()->real(1, 1)->reach, neigh::Reach::kNoRoute);
  const std::vector<neigh::Route> routes = {{{ip("10.0.0.0"), 24}, 0, {}, 0}};
  builder.set_next_hops(std::make_shared<neigh::NextHops>(routes, std::vector<neigh::Neighbour>{}));
  EXPECT_EQ(builder.build()->real(1, 1)->reach, neigh::Reach::kNoRoute) << "no such port yet";
  builder.set_ports({{mac("02:00:00:00:00:01"), 1400}});
  auto snapshot = builder.build();
  EXPECT_EQ(snapshot->real(1, 1)->reach, neigh::Reach::kNoNeighbour);
  const std::uint32_t epoch = snapshot->hop_epoch();
  builder.set_next_hops(std::make_shared<neigh::NextHops>(
      routes, std::vector<neigh::Neighbour>{{ip("10.0.0.1"), 0, mac("02:00:00:00:00:aa")}}));
  snapshot = builder.build();
  EXPECT_NE(snapshot->hop_epoch(), epoch);
  const RealEntry& entry = *snapshot->real(1, 1);
  EXPECT_EQ(entry.reach, neigh::Reach::kFound);
  EXPECT_EQ(entry.link.destination, mac("02:00:00:00:00:aa"));
  EXPECT_EQ(entry.link.source, mac("02:00:00:00:00:01"));
  EXPECT_EQ(entry.mtu, 1400);
  EXPECT_EQ(snapshot->real(2, 1)->reach, neigh::Reach::kNoNeighbour);
}

TEST(Snapshot, AChangeCopiesOnlyWhatChanged) {
  SnapshotBuilder builder;
  for (ServiceSlot slot = 0; slot < 100; ++slot) {
    builder.set_service(service(slot, {net::Ip4(0xc0000200 + slot), 80}, kTcp,
                                {real(slot * 300, 1), real(slot * 300 + 1, 1)}));
  }
  const auto before = builder.build();
  auto changed = std::make_shared<Service>(*before->service(7));
  changed->pool[0].generation = 2;
  builder.set_service(changed);
  const auto after = builder.build();
  for (ServiceSlot slot = 0; slot < 100; ++slot) {
    EXPECT_EQ(before->service(slot) == after->service(slot), slot != 7);
    // The same object in memory, not just an equal one.
    EXPECT_EQ(before->real(slot * 300, 1) == after->real(slot * 300, 1), slot != 7);
  }
  EXPECT_NE(before->real(2100, 1), nullptr) << "an old snapshot never changes";
}

TEST(Snapshot, AnAnswersOriginIsKnownWhenThereIsOnlyOne) {
  SnapshotBuilder builder;
  const net::Endpoint shared{net::Ip4(0x0a000001), 8080};
  builder.set_service(service(0, endpoint("192.0.2.1", 80), kTcp, {real(1, 1)}));
  EXPECT_EQ(builder.build()->nat_origins().only_service(shared, kTcp), ServiceSlot{0});
  EXPECT_EQ(builder.build()->nat_origins().only_service(shared, kUdp), std::nullopt);
  RealServer same = real(9, 1);
  same.endpoint = shared;
  builder.set_service(service(1, endpoint("192.0.2.1", 81), kTcp, {same}));
  EXPECT_EQ(builder.build()->nat_origins().only_service(shared, kTcp), std::nullopt);
  builder.remove_service(0);
  EXPECT_EQ(builder.build()->nat_origins().only_service(shared, kTcp), ServiceSlot{1});
  RealServer whole = real(10, 1);
  whole.endpoint = {shared.address, 0};
  builder.set_service(service(2, endpoint("192.0.2.2", 0), kTcp, {whole}));
  EXPECT_EQ(builder.build()->nat_origins().only_service(shared, kTcp), std::nullopt)
      << "of all ports is of this one, too";
  EXPECT_EQ(builder.build()->nat_origins().only_service({shared.address, 9}, kTcp), ServiceSlot{2});
  builder.remove_service(2);
  same.method = Method::kDirectRouting;
  builder.set_service(service(1, endpoint("192.0.2.1", 81), kTcp, {same}));
  EXPECT_EQ(builder.build()->nat_origins().only_service(shared, kTcp), std::nullopt);
}

TEST(Snapshot, FindsVipsAndTheirMacs) {
  SnapshotBuilder builder;
  builder.set_ports({{mac("02:00:00:00:00:01"), 1500}, {mac("02:00:00:00:00:02"), 9000}});
  const std::vector<Vip> vips = {
      {ip("192.0.2.1"), 0, 4, mac("00:00:5e:00:01:01"), true},
      {ip("192.0.2.2"), 1, kAlwaysOurs, mac("02:00:00:00:00:02"), false}};
  builder.set_vips(vips);
  builder.set_ip_forward(true);
  const auto snapshot = builder.build();
  ASSERT_NE(snapshot->find_vip(ip("192.0.2.1")), nullptr);
  EXPECT_EQ(*snapshot->find_vip(ip("192.0.2.1")), vips[0]);
  EXPECT_EQ(*snapshot->find_vip(ip("192.0.2.2")), vips[1]);
  EXPECT_EQ(snapshot->find_vip(ip("192.0.2.3")), nullptr);
  EXPECT_EQ(snapshot->lease_of(0, mac("00:00:5e:00:01:01")), 4);
  EXPECT_EQ(snapshot->lease_of(1, mac("00:00:5e:00:01:01")), kNeverOurs);
  EXPECT_EQ(snapshot->lease_of(0, mac("00:00:5e:00:01:02")), kNeverOurs);
  EXPECT_EQ(snapshot->port(1).mtu, 9000);
  EXPECT_EQ(snapshot->port_count(), 2u);
  EXPECT_TRUE(snapshot->ip_forward());
}

}  // namespace
}  // namespace keepline::lb
