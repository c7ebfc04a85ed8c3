// BFD of configured neighbours to this node is the sessions'; all else of it goes its ordinary way.
#include <gtest/gtest.h>

#include "tests/golden/stage.h"

namespace keepline::testing {
namespace {

constexpr net::PortId kKernel = 2;
const net::Ip4 kOwn = ip("192.0.2.5");
const net::Ip4 kNeighbour = ip("192.0.2.9");

class GoldenBfd : public ::testing::Test {
 protected:
  GoldenBfd() {
    stage.world.own = {kOwn};
    stage.world.bfd_neighbours = {{kNeighbour, false}};
    stage.publish();
  }
  static Datagram bfd(net::Ip4 from, net::Ip4 to, std::uint16_t port = 3784) {
    Datagram d = from_client(49152);
    d.to = kNames.outside_mac;
    d.source = {from, 49152};
    d.destination = {to, port};
    d.protocol = net::Protocol::kUdp;
    return d;
  }
  std::string counted(const Datagram& d) {
    stage.put(kOutside, bytes_of(d));
    return stage.counters();
  }

  Stage stage;
};

TEST_F(GoldenBfd, OfANeighbourToThisNode) {
  EXPECT_EQ(counted(bfd(kNeighbour, kOwn)), "packets=1 bfd=1");
}

TEST_F(GoldenBfd, OfStrangersAndToOthersIsNot) {
  for (const Datagram& d : {bfd(ip("192.0.2.8"), kOwn), bfd(kNeighbour, ip("192.0.2.77")),
                            bfd(kNeighbour, kOwn, 4784), bfd(kNeighbour, kOwn, 3785)}) {
    EXPECT_EQ(counted(d).find("bfd="), std::string::npos) << counted(d);
  }
}

TEST_F(GoldenBfd, MultihopHasAPortOfItsOwn) {
  stage.world.bfd_neighbours = {{kNeighbour, true}};
  stage.publish();
  EXPECT_EQ(counted(bfd(kNeighbour, kOwn, 4784)), "packets=1 bfd=1");
  EXPECT_EQ(counted(bfd(kNeighbour, kOwn)).find("bfd="), std::string::npos);
}

TEST_F(GoldenBfd, OnANicThatWeOwnTheRestIsTheKernels) {
  stage.world.ports.resize(3);
  stage.world.ports[kOutside].kernel = kKernel;
  stage.world.ports[kKernel].nic = kOutside;
  stage.publish();
  EXPECT_EQ(counted(bfd(kNeighbour, kOwn)), "packets=1 bfd=1");
  EXPECT_EQ(counted(bfd(ip("192.0.2.8"), kOwn)), "packets=1 to_kernel=1");
}

}  // namespace
}  // namespace keepline::testing
