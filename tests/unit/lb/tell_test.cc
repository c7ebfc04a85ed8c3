// Telling real servers who the client is, beside TCP ends made of plain code: whatever is lost,
// sent again or acknowledged, the server's stream is the PROXY header and then the client's bytes.
#include "dataplane/lb/forward/tell.h"

#include <gtest/gtest.h>

#include <random>

#include "dataplane/lb/forward/rewrite.h"
#include "dataplane/lb/forward/tcp_options.h"
#include "tests/golden/frames.h"

namespace keepline::lb {
namespace {

using net::V4;
using net::V6;
using testing::Datagram;
using testing::FrameBytes;
using testing::kL3;

constexpr std::uint16_t kHeadroom = 64;

template <typename F>
constexpr std::size_t kHeader = F::kFamily == net::Family::kV4 ? 20 : 40;

net::IpAddr address(bool v6, const char* v4_text, const char* v6_text) {
  return net::parse_ip(v6 ? v6_text : v4_text).value();
}

/// A frame with room in front of it, as a driver gives it.
struct Held {
  explicit Held(const FrameBytes& frame) : memory(kHeadroom + frame.size()) {
    std::copy(frame.begin(), frame.end(), memory.begin() + kHeadroom);
    packet = {memory.data() + kHeadroom, nullptr, static_cast<std::uint16_t>(frame.size()),
              kHeadroom};
    parsed = net::parse(packet);
  }
  FrameBytes bytes() const { return {packet.data, packet.data + packet.length}; }

  FrameBytes memory;
  net::Packet packet;
  net::Parsed parsed;
};

/// The TCP part of what a test sends or gets.
struct Segment {
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  std::uint8_t flags = net::kTcpAck;
  FrameBytes options = {};  // a multiple of 4 bytes
  std::string payload = {};
};

template <typename F>
class TellTest : public ::testing::Test {
 protected:
  static constexpr bool kV6 = F::kFamily == net::Family::kV6;
  static constexpr std::size_t kL4 = kL3 + kHeader<F>;

  explicit TellTest() {
    connection.client = F::address_of(client.address);
    connection.client_port.set(client.port);
    connection.vip = F::address_of(vip.address);
    connection.vip_port.set(vip.port);
    connection.protocol = net::Protocol::kTcp;
    connection.state = FlowState::kEstablished;
    connection.method = Method::kFullNat;
  }
  FrameBytes frame_of(const Segment& segment) const {
    Datagram d;
    d.source = client;
    d.destination = vip;
    d.flags = segment.flags;
    d.payload = std::string(segment.options.begin(), segment.options.end()) + segment.payload;
    FrameBytes frame = bytes_of(d);
    for (unsigned i = 0; i < 4; ++i) {
      frame[kL4 + 4 + i] = static_cast<std::uint8_t>(segment.sequence >> (24 - 8 * i));
      frame[kL4 + 8 + i] = static_cast<std::uint8_t>(segment.acknowledgement >> (24 - 8 * i));
    }
    frame[kL4 + 12] = static_cast<std::uint8_t>((5 + segment.options.size() / 4) << 4);
    testing::put16(frame, kL4 + 16, 0);
    const std::size_t length = frame.size() - kL4;
    const auto sum = testing::pseudo_sum(frame, kL3, net::Protocol::kTcp, length);
    testing::put16(frame, kL4 + 16,
                   testing::reference_checksum(net::Bytes(frame).subspan(kL4), sum));
    return frame;
  }
  static Segment segment_of(net::Bytes frame) {
    Segment segment;
    const auto word = [&](std::size_t at) {
      return std::uint32_t{testing::u16_at(frame, at)} << 16 | testing::u16_at(frame, at + 2);
    };
    segment.sequence = word(kL4 + 4);
    segment.acknowledgement = word(kL4 + 8);
    segment.flags = frame[kL4 + 13];
    const std::size_t data = kL4 + static_cast<std::size_t>(frame[kL4 + 12] >> 4) * 4;
    segment.options = {frame.begin() + kL4 + 20, frame.begin() + static_cast<long>(data)};
    segment.payload = std::string(frame.begin() + static_cast<long>(data), frame.end());
    return segment;
  }
  Segment told(const Segment& segment) {
    Held held(frame_of(segment));
    EXPECT_EQ(tell_server(held.packet, held.parsed, connection, first), Told::kDone);
    EXPECT_TRUE(testing::checksums_ok(held.bytes())) << testing::hex(held.bytes());
    return segment_of(held.bytes());
  }
  Segment heard(const Segment& segment) {
    Held held(frame_of(segment));
    hear_server(held.packet, held.parsed, connection, first);
    EXPECT_TRUE(testing::checksums_ok(held.bytes())) << testing::hex(held.bytes());
    return segment_of(held.bytes());
  }
  /// SYN and SYN-ACK; the client's first byte has this number.
  void greet(std::uint32_t number) {
    told({number - 1, 0, net::kTcpSyn});
    EXPECT_EQ(heard({0, number, net::kTcpSyn | net::kTcpAck}).acknowledgement, number);
  }
  // By the letter of proxy-protocol.txt.
  std::string proxy_header(bool udp = false) const {
    std::string text("\r\n\r\n\0\r\nQUIT\n", 12);
    text += '\x21';
    text += static_cast<char>((kV6 ? 0x20 : 0x10) + (udp ? 2 : 1));
    FrameBytes rest;
    testing::append16(rest, kV6 ? 36 : 12);
    for (const net::Endpoint* end : {&client, &vip}) {
      if (kV6) {
        const auto& bytes = end->address.v6().bytes;
        rest.insert(rest.end(), bytes.begin(), bytes.end());
      } else {
        testing::append_ip(rest, end->address.v4());
      }
    }
    testing::append16(rest, client.port);
    testing::append16(rest, vip.port);
    return text + std::string(rest.begin(), rest.end());
  }

  const net::Endpoint client{address(kV6, "203.0.113.9", "2001:db8:9::9"), 54321};
  const net::Endpoint vip{address(kV6, "192.0.2.100", "2001:db8::100"), 443};
  Connection<F> connection{};
  std::uint32_t first = 0;
};
using Families = ::testing::Types<V4, V6>;
TYPED_TEST_SUITE(TellTest, Families);

TYPED_TEST(TellTest, TheOptionStandsInWhatCompletesTheHandshakeUntilTheServerSpeaks) {
  this->connection.tell = Tell::kOption;
  const FrameBytes timestamps = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2};
  EXPECT_EQ(this->told({99, 0, net::kTcpSyn}).options, FrameBytes());
  for (const std::string payload : {"", "GET /"}) {
    const Segment out = this->told({100, 500, net::kTcpAck, timestamps, payload});
    FrameBytes expected = {254, static_cast<std::uint8_t>(this->kV6 ? 20 : 8)};
    testing::append16(expected, this->client.port);
    if (this->kV6) {
      const auto& bytes = this->client.address.v6().bytes;
      expected.insert(expected.end(), bytes.begin(), bytes.end());
    } else {
      testing::append_ip(expected, this->client.address.v4());
    }
    expected.insert(expected.end(), timestamps.begin(), timestamps.end());
    EXPECT_EQ(out.options, expected);
    EXPECT_EQ(out.payload, payload);
    EXPECT_EQ(out.sequence, 100u);
  }
  this->connection.state = FlowState::kSynReceived;
  this->heard({499, 100, net::kTcpSyn | net::kTcpAck});
  EXPECT_EQ(this->connection.tell, Tell::kOption);
  this->connection.state = FlowState::kEstablished;
  this->heard({500, 105, net::kTcpAck});
  EXPECT_EQ(this->connection.tell, Tell::kNothing);
}

TYPED_TEST(TellTest, NoOptionWhereThereIsNoRoom) {
  this->connection.tell = Tell::kOption;
  EXPECT_EQ(this->told({100, 500, net::kTcpAck, FrameBytes(40, 1)}).options, FrameBytes(40, 1));
  EXPECT_EQ(this->told({100, 500, net::kTcpRst | net::kTcpAck}).options, FrameBytes());
}

TYPED_TEST(TellTest, AcknowledgementsAreTranslatedAlsoSelectiveOnes) {
  this->connection.tell = Tell::kProxy;
  this->first = 1000;
  const auto length = static_cast<std::uint32_t>(this->proxy_header().size());
  EXPECT_EQ(this->heard({1, 1000}).acknowledgement, 1000u);
  EXPECT_EQ(this->connection.tell, Tell::kProxy);
  EXPECT_EQ(this->heard({1, 1000 + length - 1}).acknowledgement, 1000u);
  EXPECT_EQ(this->connection.tell, Tell::kProxy);
  FrameBytes sack = {1, 1, 5, 18};
  for (const std::uint32_t edge : {1000u, 1000 + length + 5, 1000 + length + 10, 1000 + length}) {
    testing::append_ip(sack, net::Ip4(edge));
  }
  const Segment out = this->heard({1, 1000 + length, net::kTcpAck, sack});
  EXPECT_EQ(out.acknowledgement, 1000u);
  EXPECT_EQ(this->connection.tell, Tell::kProxyDone);
  FrameBytes expected = {1, 1, 5, 18};
  for (const std::uint32_t edge : {1000u, 1005u, 1010u, 1000u}) {
    testing::append_ip(expected, net::Ip4(edge));
  }
  EXPECT_EQ(out.options, expected);
  // At an odd place, where the checksum's words are the other way round.
  FrameBytes odd = {1, 5, 10};
  testing::append_ip(odd, net::Ip4(1000 + length + 7));
  testing::append_ip(odd, net::Ip4(1000 + length + 9));
  odd.push_back(0);
  FrameBytes odd_expected = {1, 5, 10};
  testing::append_ip(odd_expected, net::Ip4(1007));
  testing::append_ip(odd_expected, net::Ip4(1009));
  odd_expected.push_back(0);
  EXPECT_EQ(this->heard({1, 1000 + length, net::kTcpAck, odd}).options, odd_expected);
}

TYPED_TEST(TellTest, AServerThatSpeaksFirstHasTheHeaderBeforeTheClientsFirstByte) {
  this->connection.tell = Tell::kProxy;
  this->greet(1000);
  const Segment out = this->told({1000, 1});
  EXPECT_EQ(out.payload, this->proxy_header());
  EXPECT_EQ(out.sequence, 1000u);
  const auto length = static_cast<std::uint32_t>(out.payload.size());
  this->heard({1, 1000 + length});
  EXPECT_EQ(this->told({1000, 50}).payload, "");
  EXPECT_EQ(this->told({1000, 50}).sequence, 1000 + length);
  EXPECT_EQ(this->told({999, 50}).sequence, 999 + length) << "a keepalive probe: old";
}

TYPED_TEST(TellTest, NumbersGoRound) {
  this->connection.tell = Tell::kProxy;
  this->greet(1000);
  const auto length = static_cast<std::uint32_t>(this->proxy_header().size());
  this->heard({1, 1000 + length});
  for (const std::uint32_t on : {0x7fffffffu, 0x80000000u, 0x90000000u, 0xffffffffu}) {
    EXPECT_EQ(this->told({1000 + on, 1, net::kTcpAck, {}, "data"}).sequence, 1000 + on + length);
    EXPECT_EQ(this->heard({1, 1000 + on + length}).acknowledgement, 1000 + on) << on;
  }
}

// Anybody can send a SYN with the client's ends.
TYPED_TEST(TellTest, ASynAloneChangesNothing) {
  this->connection.tell = Tell::kProxy;
  this->greet(1000);
  const auto length = static_cast<std::uint32_t>(this->proxy_header().size());
  this->heard({1, 1000 + length});
  this->told({77, 0, net::kTcpSyn});
  EXPECT_EQ(this->told({2000, 1, net::kTcpAck, {}, "data"}).sequence, 2000 + length);
  // Unless the server takes it for a new connection.
  this->heard({5, 78, net::kTcpSyn | net::kTcpAck});
  EXPECT_EQ(this->told({78, 6, net::kTcpAck, {}, "new"}).payload, this->proxy_header() + "new");
}

TYPED_TEST(TellTest, AResetIsInTheServersWindow) {
  this->connection.tell = Tell::kProxy;
  this->greet(1000);
  EXPECT_EQ(this->told({1000, 1, net::kTcpRst}).payload, "");
  EXPECT_EQ(this->told({1000, 1, net::kTcpRst}).sequence, 1000u);
  this->connection.tell = Tell::kProxyDone;
  EXPECT_EQ(this->told({1000, 1, net::kTcpRst}).sequence, 1000 + this->proxy_header().size());
}

TYPED_TEST(TellTest, DataInASynComesBehindTheHeader) {
  this->connection.tell = Tell::kProxy;
  const Segment out = this->told({999, 0, net::kTcpSyn, {}, "early"});
  EXPECT_EQ(out.payload, this->proxy_header() + "early");
  EXPECT_EQ(out.sequence, 999u);
}

// Random ends: the client sends what it likes of what is not acknowledged, a third of everything is
// lost, in both directions. Sequence numbers wrap.
TYPED_TEST(TellTest, TheStreamIsWholeWhateverIsLost) {
  std::mt19937 random(42);
  for (int round = 0; round < 5000; ++round) {
    this->connection.tell = Tell::kProxy;
    const std::uint32_t begin = round % 2 == 0 ? static_cast<std::uint32_t>(random()) : 0xffffffe0u;
    this->greet(begin);
    std::string data(200, ' ');
    for (char& c : data) c = static_cast<char>(random());
    const std::string whole = this->proxy_header() + data;
    std::string received;            // in order, by the server
    std::uint32_t acknowledged = 0;  // of the client's bytes, as it knows
    for (int step = 0; step < 3000 && acknowledged < data.size(); ++step) {
      // The client: from anywhere not before what is acknowledged.
      const auto from = acknowledged + random() % 3 * (random() % 21);
      if (from > data.size()) continue;
      const auto size = std::min<std::size_t>(random() % 60, data.size() - from);
      const auto segment = this->told(
          {begin + static_cast<std::uint32_t>(from), 1, net::kTcpAck, {}, data.substr(from, size)});
      if (random() % 3 == 0) continue;
      const auto offset = static_cast<std::int32_t>(segment.sequence - begin);
      ASSERT_GE(offset, 0);
      const auto at = static_cast<std::size_t>(offset);
      if (at <= received.size() && at + segment.payload.size() > received.size()) {
        received.resize(at);
        received += segment.payload;
      }
      ASSERT_EQ(received, whole.substr(0, received.size())) << round;
      if (random() % 3 == 0) continue;
      const Segment back =
          this->heard({1, begin + static_cast<std::uint32_t>(received.size()), net::kTcpAck});
      const std::uint32_t now = back.acknowledgement - begin;
      ASSERT_GE(now, acknowledged);
      ASSERT_LE(now, data.size());
      acknowledged = now;
    }
    EXPECT_EQ(received, whole) << round;
  }
}

TYPED_TEST(TellTest, EachDatagramHasItsHeader) {
  this->connection.tell = Tell::kProxy;
  this->connection.protocol = net::Protocol::kUdp;
  for (const bool with_checksum : {true, false}) {
    if (this->kV6 && !with_checksum) continue;
    Datagram d;
    d.source = this->client;
    d.destination = this->vip;
    d.protocol = net::Protocol::kUdp;
    d.udp_checksum = with_checksum;
    d.payload = "query";
    Held held(bytes_of(d));
    std::uint32_t unused = 0;
    EXPECT_EQ(tell_server(held.packet, held.parsed, this->connection, unused), Told::kDone);
    d.payload = this->proxy_header(true) + "query";
    EXPECT_EQ(testing::hex(held.bytes()), testing::hex(bytes_of(d)));
  }
}

TYPED_TEST(TellTest, WithoutHeadroomNothingIsTouched) {
  this->connection.tell = Tell::kProxy;
  Held held(this->frame_of({1000, 1, net::kTcpAck, {}, "data"}));
  this->first = 1000;
  held.packet.headroom = 20;
  const FrameBytes before = held.bytes();
  EXPECT_EQ(tell_server(held.packet, held.parsed, this->connection, this->first),
            Told::kNoHeadroom);
  EXPECT_EQ(held.bytes(), before);
}

TYPED_TEST(TellTest, AHeaderThatClaimsTooMuchPassesAsItIs) {
  for (const Tell tell : {Tell::kOption, Tell::kProxy}) {
    this->connection.tell = tell;
    FrameBytes frame = this->frame_of({1000, 1, net::kTcpAck, {}, "data"});
    for (const std::uint8_t offset : {0x40, 0xf0}) {
      frame[this->kL4 + 12] = offset;
      Held held(frame);
      this->first = 1000;
      EXPECT_EQ(tell_server(held.packet, held.parsed, this->connection, this->first), Told::kDone);
      EXPECT_EQ(held.bytes(), frame);
      hear_server(held.packet, held.parsed, this->connection, this->first);
      EXPECT_EQ(held.bytes(), frame);
    }
  }
}

TYPED_TEST(TellTest, TheMssIsClampedAndNeverRaised) {
  const FrameBytes options = {2, 4, 0x05, 0xb4, 1, 3, 3, 7};
  const auto clamped = [&](FrameBytes with, std::uint16_t most) {
    Held held(this->frame_of({1, 0, net::kTcpSyn, with}));
    clamp_mss(held.packet, held.parsed, most);
    EXPECT_TRUE(testing::checksums_ok(held.bytes()));
    return TestFixture::segment_of(held.bytes()).options;
  };
  EXPECT_EQ(clamped(options, 1460), options);
  EXPECT_EQ(clamped(options, 1459), FrameBytes({2, 4, 0x05, 0xb3, 1, 3, 3, 7}));
  EXPECT_EQ(clamped({1, 2, 4, 0x05, 0xb4, 1, 1, 0}, 500),
            FrameBytes({1, 2, 4, 0x01, 0xf4, 1, 1, 0}));
  for (const FrameBytes& broken :
       {FrameBytes{2, 4, 5, 0xb4}, FrameBytes{2, 1, 5, 180}, FrameBytes{1, 1, 1, 2},
        FrameBytes{2, 40, 5, 180}, FrameBytes{3, 0, 2, 4}, FrameBytes{0, 2, 4, 9}}) {
    const FrameBytes expected =
        broken[1] == 4 && broken[0] == 2 ? FrameBytes{2, 4, 0, 100} : broken;
    EXPECT_EQ(clamped(broken, 100), expected);
  }
}

}  // namespace
}  // namespace keepline::lb
