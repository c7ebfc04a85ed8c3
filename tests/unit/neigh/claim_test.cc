#include "dataplane/neigh/claim.h"

#include <gtest/gtest.h>

#include "tests/golden/frames.h"

namespace keepline::neigh {
namespace {

using testing::hex;
using testing::ip;
using testing::mac;

TEST(Claim, AnArpProbeToRoutersByteForByte) {
  const ArpFrame frame =
      make_claim(ip("192.0.2.100"), mac("02:00:00:00:00:0a"), mac("01:00:5e:00:00:12"));
  EXPECT_EQ(hex(frame),
            "0100 5e00 0012 0200 0000 000a 0806 "
            "0001 0800 0604 0001 "
            "0200 0000 000a 0000 0000 "
            "ffff ffff ffff c000 0264");
}

TEST(Claim, ASolicitationToRoutersByteForByte) {
  const net::Ip6 vip = net::parse_ip("2001:db8::1:2345:6789")->v6();
  const SolicitationFrame frame =
      make_claim(vip, mac("02:00:00:00:00:0a"), mac("33:33:00:00:00:12"));
  EXPECT_EQ(hex(frame),
            "3333 0000 0012 0200 0000 000a 86dd "
            "6000 0000 0018 3aff "
            "0000 0000 0000 0000 0000 0000 0000 0000 "
            "ff02 0000 0000 0000 0000 0001 ff45 6789 "
            "8700 5a51 0000 0000 "
            "2001 0db8 0000 0000 0000 0001 2345 6789");
}

}  // namespace
}  // namespace keepline::neigh
