#include "dataplane/lb/snapshot.h"

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
  return result;
}

std::shared_ptr<const Service> service(net::Endpoint4 vip, net::Protocol protocol,
                                       std::vector<RealServer> pool) {
  auto result = std::make_shared<Service>();
  result->vip = vip;
  result->protocol = protocol;
  result->pool = std::move(pool);
  result->seal();
  return result;
}

TEST(Snapshot, EmptyHasNothing) {
  const Snapshot snapshot{Snapshot::Parts{}};
  EXPECT_EQ(snapshot.port_count(), 0u);
  EXPECT_EQ(snapshot.find_vip(ip("192.0.2.1").be()), nullptr);
  EXPECT_EQ(snapshot.find_service(ip("192.0.2.1").be(), net::be16(80), net::Protocol::kTcp),
            nullptr);
  EXPECT_EQ(snapshot.find_real(0, 0), nullptr);
  EXPECT_EQ(snapshot.find_vip(0, net::Mac{}), nullptr);
  EXPECT_FALSE(snapshot.ip_forward());
  EXPECT_EQ(snapshot.next_hops().resolve(ip("10.0.0.1")).reach, neigh::Reach::kNoRoute);
}

TEST(Snapshot, FindsServicesByAddressPortAndProtocol) {
  Snapshot::Parts parts;
  // Neighbours in every part of the key.
  parts.services = {service(endpoint("192.0.2.1", 80), net::Protocol::kTcp, {}),
                    service(endpoint("192.0.2.1", 80), net::Protocol::kUdp, {}),
                    service(endpoint("192.0.2.1", 81), net::Protocol::kTcp, {}),
                    service(endpoint("192.0.2.2", 80), net::Protocol::kTcp, {}),
                    service(endpoint("1.2.0.192", 0x5000), net::Protocol::kTcp, {})};
  const Snapshot snapshot(parts);
  for (const auto& each : parts.services) {
    EXPECT_EQ(
        snapshot.find_service(each->vip.address.be(), net::be16(each->vip.port), each->protocol),
        each.get());
  }
  EXPECT_EQ(snapshot.find_service(ip("192.0.2.2").be(), net::be16(81), net::Protocol::kTcp),
            nullptr);
  EXPECT_EQ(snapshot.find_service(ip("192.0.2.2").be(), net::be16(80), net::Protocol::kUdp),
            nullptr);
}

TEST(Snapshot, FindsRealServersBySlotAndGeneration) {
  Snapshot::Parts parts;
  parts.services = {
      service(endpoint("192.0.2.1", 80), net::Protocol::kTcp, {real(5, 1), real(2, 3)}),
      service(endpoint("192.0.2.1", 81), net::Protocol::kTcp, {real(9, 65535)})};
  const Snapshot snapshot(parts);
  EXPECT_EQ(snapshot.find_real(5, 1), &parts.services[0]->pool[0]);
  EXPECT_EQ(snapshot.find_real(2, 3), &parts.services[0]->pool[1]);
  EXPECT_EQ(snapshot.find_real(9, 65535), &parts.services[1]->pool[0]);
  EXPECT_EQ(snapshot.find_real(5, 2), nullptr);
  EXPECT_EQ(snapshot.find_real(5, 0), nullptr);
  EXPECT_EQ(snapshot.find_real(3, 1), nullptr);
  EXPECT_EQ(snapshot.find_real(10, 1), nullptr);
  EXPECT_EQ(snapshot.find_real(0xffffffff, 1), nullptr);
}

TEST(Snapshot, FindsVipsAndTheirMacs) {
  Snapshot::Parts parts;
  parts.ports = {{mac("02:00:00:00:00:01"), 1500}, {mac("02:00:00:00:00:02"), 9000}};
  parts.vips = {{ip("192.0.2.1"), 0, 4, mac("00:00:5e:00:01:01"), true},
                {ip("192.0.2.2"), 1, kAlwaysOurs, mac("02:00:00:00:00:02"), false}};
  parts.ip_forward = true;
  const Snapshot snapshot(parts);
  ASSERT_NE(snapshot.find_vip(ip("192.0.2.1").be()), nullptr);
  EXPECT_EQ(*snapshot.find_vip(ip("192.0.2.1").be()), parts.vips[0]);
  EXPECT_EQ(*snapshot.find_vip(ip("192.0.2.2").be()), parts.vips[1]);
  EXPECT_EQ(snapshot.find_vip(ip("192.0.2.3").be()), nullptr);
  EXPECT_NE(snapshot.find_vip(0, mac("00:00:5e:00:01:01")), nullptr);
  EXPECT_EQ(snapshot.find_vip(1, mac("00:00:5e:00:01:01")), nullptr);
  EXPECT_EQ(snapshot.find_vip(0, mac("00:00:5e:00:01:02")), nullptr);
  EXPECT_EQ(snapshot.port(1).mtu, 9000);
  EXPECT_EQ(snapshot.port_count(), 2u);
  EXPECT_TRUE(snapshot.ip_forward());
}

}  // namespace
}  // namespace keepline::lb
