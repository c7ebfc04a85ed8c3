// SCTP through every method: what leaves, its CRC, and what the table knows.
#include <gtest/gtest.h>

#include "tests/golden/full_nat.h"

namespace keepline::testing {
namespace {

enum Chunk : std::uint8_t {
  kData = 0,
  kInit = 1,
  kInitAck = 2,
  kAbort = 6,
  kShutdown = 7,
  kShutdownAck = 8,
  kCookieEcho = 10,
  kCookieAck = 11,
  kShutdownComplete = 14,
};

class GoldenSctp : public ::testing::TestWithParam<int> {
 protected:
  GoldenSctp() { use(lb::Method::kNat, 3869); }
  void use(lb::Method method, std::uint16_t port) {
    stage.world = full_nat_world(v6, net::Protocol::kSctp);
    lb::Service& service = stage.world.services[0];
    service.vip.port = 3868;
    service.pool[0].endpoint.port = port;
    service.pool[0].method = method;
    stage.publish();
  }
  net::IpAddr vip() const { return v6 ? kNames.vip6 : net::IpAddr(kNames.vip); }
  net::IpAddr client() const { return v6 ? kNames.client6 : net::IpAddr(kNames.client); }
  net::IpAddr server() const { return v6 ? kNames.server6 : net::IpAddr(kNames.server1); }
  net::IpAddr local() const { return v6 ? kLocal6 : net::IpAddr(kLocal); }
  Datagram request(std::uint8_t chunk) const {
    Datagram d = from_client(5000, chunk);
    d.protocol = net::Protocol::kSctp;
    d.source = {client(), 5000};
    d.destination = {vip(), 3868};
    d.payload = "some chunk's value";
    return d;
  }
  Datagram answer(std::uint8_t chunk, net::Endpoint to) const {
    Datagram d = from_server(0, chunk, {server(), 3869});
    d.protocol = net::Protocol::kSctp;
    d.destination = to;
    d.payload = "an answer";
    return d;
  }
  Datagram answered(Datagram d) const {
    d.to = kNames.client_mac;
    d.from = kNames.virtual_mac;
    d.source = {vip(), 3868};
    d.destination = {client(), 5000};
    --d.ttl;
    return d;
  }
  // Of the only connection: what stands between its ends and its time.
  std::string state() const {
    std::string line = stage.connections();
    line = line.substr(line.find(":3869 ") + 6);
    return line.substr(0, line.rfind(' '));
  }

  const bool v6 = GetParam() == 6;
  Stage stage;
};
INSTANTIATE_TEST_SUITE_P(Families, GoldenSctp, ::testing::Values(4, 6));

TEST_P(GoldenSctp, NatFromInitToTheEnd) {
  struct Step {
    bool by_client;
    std::uint8_t chunk;
    const char* state;
  };
  const Step steps[] = {
      {true, kInit, "INIT"},
      {false, kInitAck, "INIT replied"},
      {true, kCookieEcho, "COOKIE_ECHOED replied"},
      {false, kCookieAck, "ESTABLISHED replied"},
      {true, kData, "ESTABLISHED replied"},
      {false, kData, "ESTABLISHED replied"},
      {true, kShutdown, "SHUTDOWN_SENT replied"},
      {false, kShutdownAck, "SHUTDOWN_SENT replied"},
      {true, kShutdownComplete, "CLOSED replied"},
      {true, kInit, "INIT"},
  };
  for (const Step& step : steps) {
    const Datagram in = step.by_client ? request(step.chunk) : answer(step.chunk, {client(), 5000});
    const Datagram out = step.by_client ? to_server(in, {server(), 3869}) : answered(in);
    const auto sent = stage.put(step.by_client ? kOutside : kInside, bytes_of(in));
    EXPECT_EQ(text(sent), text(out)) << step.state;
    EXPECT_EQ(state(), step.state);
  }
}

TEST_P(GoldenSctp, EstablishedOnesAreActive) {
  for (const std::uint8_t chunk : {kInit, kCookieEcho})
    stage.put(kOutside, bytes_of(request(chunk)));
  EXPECT_EQ(stage.real(1).substr(0, 19), "active=0 inactive=1");
  stage.put(kInside, bytes_of(answer(kCookieAck, {client(), 5000})));
  EXPECT_EQ(stage.real(1).substr(0, 19), "active=1 inactive=0");
}

TEST_P(GoldenSctp, FullNatBothWays) {
  use(lb::Method::kFullNat, 3869);
  const auto sent = stage.put(kOutside, bytes_of(request(kInit)));
  ASSERT_EQ(sent.size(), 1u);
  const std::uint16_t port = u16_at(sent[0], kL3 + (v6 ? 40 : 20));
  Datagram out = to_server(request(kInit), {server(), 3869});
  out.source = {local(), port};
  EXPECT_EQ(text(sent), text(out));
  const Datagram back = answer(kInitAck, {local(), port});
  EXPECT_EQ(text(stage.put(kInside, bytes_of(back))), text(answered(back)));
}

TEST_P(GoldenSctp, DirectRouting) {
  use(lb::Method::kDirectRouting, 3868);
  Datagram out = request(kInit);
  out.to = kNames.server1_mac;
  out.from = kNames.inside_mac;
  --out.ttl;
  EXPECT_EQ(text(stage.put(kOutside, bytes_of(request(kInit)))), text(out));
  stage.put(kOutside, bytes_of(request(kCookieEcho)));
  EXPECT_NE(stage.connections().find(" ESTABLISHED "), std::string::npos);
}

TEST_P(GoldenSctp, OnlyAnInitBeginsAnAssociation) {
  for (const std::uint8_t chunk : {kData, kInitAck, kCookieEcho, kAbort, kShutdown}) {
    EXPECT_EQ(text(stage.put(kOutside, bytes_of(request(chunk)))), kNothing);
    EXPECT_EQ(stage.counters(), "packets=1 no_connection=1");
  }
}

TEST_P(GoldenSctp, ADamagedPacketStaysDamaged) {
  FrameBytes frame = bytes_of(request(kInit));
  frame.back() ^= 1;
  const auto sent = stage.put(kOutside, frame);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_FALSE(checksums_ok(sent[0]));
}

TEST_P(GoldenSctp, TooShortForAChunkIsDropped) {
  Datagram d = request(kInit);
  d.payload.clear();
  FrameBytes frame = bytes_of(d);
  frame.pop_back();
  if (v6) {
    put16(frame, kL3 + 4, 15);
  } else {
    put16(frame, kL3 + 2, 35);
    fix_ip_checksum(frame);
  }
  EXPECT_EQ(text(stage.put(kOutside, frame)), kNothing);
  EXPECT_EQ(stage.counters(), "packets=1 truncated=1");
}

// An unreachable port at the server is heard by the client, who goes by the verification tag.
TEST_P(GoldenSctp, AnErrorAboutARequestReachesTheClient) {
  stage.put(kOutside, bytes_of(request(kInit)));
  stage.counters();
  Datagram in;
  in.to = kNames.inside_mac;
  in.from = kNames.server1_mac;
  in.source = {server(), 0};
  in.destination = {client(), 0};
  const std::size_t quoted = (v6 ? 40 : 20) + 8;
  const auto error = [&](const Datagram& head, const Datagram& about) {
    const FrameBytes packet = packet_of(bytes_of(about), quoted);
    return v6 ? error_of(head, 1, 4, 0, packet) : error_of(head, 3, 3, 0, packet);
  };
  Datagram original = request(kInit);
  --original.ttl;
  EXPECT_EQ(text(stage.put(kInside, error(in, to_server(request(kInit), {server(), 3869})))),
            text(error(answered(in), original)));
}

}  // namespace
}  // namespace keepline::testing
