// A service with a SYN proxy on the stage, between ends of plain code.
#pragma once

#include <gtest/gtest.h>

#include "tests/golden/full_nat.h"

namespace keepline::testing {
inline constexpr std::uint8_t kSynAck = net::kTcpSyn | net::kTcpAck;
inline constexpr std::uint32_t kClientIsn = 0x10203040;
inline constexpr std::uint32_t kServerIsn = 0xfffffff0;  // wraps soon
inline constexpr std::uint32_t kClientClock = 111111;
inline constexpr std::uint32_t kServerClock = 7;

/// A TCP segment with its options in words.
struct Segment {
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  std::uint8_t flags = net::kTcpAck;
  std::uint16_t window = 500;
  std::string options = {};
  std::string payload = {};
};

inline std::string word(std::uint32_t value) {
  FrameBytes bytes;
  append_ip(bytes, net::Ip4(value));
  return {bytes.begin(), bytes.end()};
}
inline std::string timestamps(std::uint32_t value, std::uint32_t echo) {
  return std::string("\1\1\x8\xa", 4) + word(value) + word(echo);
}
inline std::string mss(unsigned value) {
  return {2, 4, static_cast<char>(value >> 8), static_cast<char>(value)};
}
inline std::string scale(char value) {
  return {1, 3, 3, value};
}
inline const std::string kSelective = {1, 1, 4, 2};
inline std::string sack(std::uint32_t from, std::uint32_t to) {
  return std::string("\1\1\5\xa", 4) + word(from) + word(to);
}

class GoldenSynProxy : public ::testing::TestWithParam<int> {
 protected:
  GoldenSynProxy() {
    stage.world = full_nat_world(v6, net::Protocol::kTcp);
    stage.world.services[0].syn_proxy = true;
    if (!full_nat) stage.world.services[0].pool[0].method = lb::Method::kNat;
    stage.publish();
  }
  net::IpAddr vip() const { return v6 ? kNames.vip6 : net::IpAddr(kNames.vip); }
  net::IpAddr client() const { return v6 ? kNames.client6 : net::IpAddr(kNames.client); }
  net::IpAddr server() const { return v6 ? kNames.server6 : net::IpAddr(kNames.server1); }
  net::IpAddr local() const { return v6 ? kLocal6 : net::IpAddr(kLocal); }
  std::size_t l4() const { return kL3 + (v6 ? 40 : 20); }

  FrameBytes frame_of(Datagram d, const Segment& s) const {
    d.flags = s.flags;
    d.payload = s.options + s.payload;
    FrameBytes frame = bytes_of(d);
    const std::string numbers = word(s.sequence) + word(s.acknowledgement);
    std::copy(numbers.begin(), numbers.end(), frame.begin() + static_cast<long>(l4()) + 4);
    frame[l4() + 12] = static_cast<std::uint8_t>((5 + s.options.size() / 4) << 4);
    put16(frame, l4() + 14, s.window);
    put16(frame, l4() + 16, 0);
    const std::uint32_t pseudo = pseudo_sum(frame, kL3, net::Protocol::kTcp, frame.size() - l4());
    put16(frame, l4() + 16, reference_checksum(net::Bytes(frame).subspan(l4()), pseudo));
    return frame;
  }
  // Of a frame whose other parts are as they should be; otherwise a failure.
  Segment segment_of(const FrameBytes& frame, const net::Endpoint& from,
                     const net::Endpoint& to) const {
    EXPECT_TRUE(checksums_ok(frame)) << hex(frame);
    EXPECT_EQ(u16_at(frame, l4()), from.port) << hex(frame);
    EXPECT_EQ(u16_at(frame, l4() + 2), to.port) << hex(frame);
    Segment s;
    const auto at = [&](std::size_t place) {
      return std::uint32_t{u16_at(frame, l4() + place)} << 16 | u16_at(frame, l4() + place + 2);
    };
    s.sequence = at(4);
    s.acknowledgement = at(8);
    s.flags = frame[l4() + 13];
    s.window = u16_at(frame, l4() + 14);
    const std::size_t data = l4() + static_cast<std::size_t>(frame[l4() + 12] >> 4) * 4;
    s.options = {frame.begin() + static_cast<long>(l4()) + 20,
                 frame.begin() + static_cast<long>(data)};
    s.payload = {frame.begin() + static_cast<long>(data), frame.end()};
    return s;
  }
  net::Endpoint client_end() const { return {client(), 5000}; }
  net::Endpoint near_end() const { return full_nat ? net::Endpoint{local(), port} : client_end(); }
  // What the client sends, and everything that leaves for it.
  std::vector<FrameBytes> by_client(const Segment& s) {
    Datagram d = from_client();
    d.source = client_end();
    d.destination = {vip(), 80};
    return stage.put(kOutside, frame_of(d, s));
  }
  std::vector<FrameBytes> by_server(const Segment& s) {
    Datagram d = from_server(0, 0, {server(), 8080});
    d.destination = near_end();
    return stage.put(kInside, frame_of(d, s));
  }
  Segment at_client(const FrameBytes& frame) const {
    return segment_of(frame, {vip(), 80}, client_end());
  }
  Segment at_server(const FrameBytes& frame) const {
    return segment_of(frame, near_end(), {server(), 8080});
  }
  /// SYN and SYN-ACK; the cookie.
  std::uint32_t greet(const std::string& options) {
    const auto sent = by_client({kClientIsn, 0, net::kTcpSyn, 64240, options});
    if (sent.size() != 1) return 0;
    return at_client(sent[0]).sequence;
  }
  /// All of the handshake, with every option.
  void open() {
    cookie = greet(mss(1460) + kSelective + timestamps(kClientClock, 0) + scale(9));
    const std::string echo = timestamps(kClientClock + 1, Stage::kStart_s * 1000);
    const auto syn = by_client({kClientIsn + 1, cookie + 1, net::kTcpAck, 502, echo});
    ASSERT_EQ(syn.size(), 1u);
    port = u16_at(syn[0], l4());
    by_server({kServerIsn, kClientIsn + 1, kSynAck, 65000,
               mss(1400) + kSelective + timestamps(kServerClock, kClientClock + 1) + scale(8)});
    stage.counters();
  }

  const bool v6 = GetParam() % 2 == 1;
  const bool full_nat = GetParam() >= 2;
  Stage stage;
  std::uint16_t port = 0;  // FULLNAT's local one
  std::uint32_t cookie = 0;
};

inline std::string syn_proxy_case(const ::testing::TestParamInfo<int>& info) {
  return std::string(info.param >= 2 ? "FullNat" : "Nat") + (info.param % 2 == 0 ? "4" : "6");
}

}  // namespace keepline::testing
