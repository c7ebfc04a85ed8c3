#include "dataplane/lb/conn/flow_state.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>

#include "dataplane/net/headers.h"

namespace keepline::lb {
namespace {

using enum FlowState;
using enum Sender;
using net::kTcpAck;
using net::kTcpFin;
using net::kTcpRst;
using net::kTcpSyn;

constexpr std::array kFlowStates = {kNone,     kSynReceived, kEstablished, kFinWait,
                                    kTimeWait, kClose,       kCloseWait,   kLastAck};
constexpr std::array kSenders = {kClient, kServer, kClientOnly};

// What the state becomes in each state, in the order of kFlowStates, as the table in the comment of
// its caller says: N S E F T C W L.
using Row = std::string_view;

char letter(FlowState state) {
  static const std::map<FlowState, char> kLetters = {
      {kNone, 'N'},     {kSynReceived, 'S'}, {kEstablished, 'E'}, {kFinWait, 'F'},
      {kTimeWait, 'T'}, {kClose, 'C'},       {kCloseWait, 'W'},   {kLastAck, 'L'}};
  return kLetters.at(state);
}

std::string row(unsigned flags, Sender sender) {
  std::string result;
  for (const FlowState state : kFlowStates) {
    result += letter(next_tcp_state(state, static_cast<std::uint8_t>(flags), sender));
  }
  return result;
}

// The expected row of a set of flags, by the strongest of them: RST, SYN, FIN, ACK, none.
Row expected(unsigned flags, Sender sender) {
  const bool server = sender == kServer;
  if ((flags & kTcpRst) != 0) return "CCCCCCCC";
  if ((flags & kTcpSyn) != 0) {
    const bool starts = (flags & kTcpAck) == 0 && !server;
    return starts ? "SSESSSSS" : "SSEFTCWL";
  }
  if ((flags & kTcpFin) != 0) {
    if (sender == kClientOnly) return "FFFFFFFF";
    return server ? "FFFFTFTL" : "WWWTTWWL";
  }
  if ((flags & kTcpAck) != 0 && !server) return "EEEFTCWL";
  return "NSEFTCWL";
}

TEST(FlowState, EveryStateFlagSetAndSender) {
  EXPECT_EQ(kFlowStates.size(), 8u);
  for (unsigned flags = 0; flags < 256; ++flags) {
    for (const Sender sender : kSenders) {
      EXPECT_EQ(row(flags, sender), expected(flags, sender))
          << "flags " << flags << " sender " << static_cast<int>(sender);
    }
  }
}

// The life of a connection, a letter a segment: capitals from the client, small from the server.
std::string life(std::string_view segments) {
  FlowState state = kNone;
  for (const char segment : segments) {
    const Sender sender = segment < 'a' ? kClient : kServer;
    static const std::map<char, unsigned> kFlags = {
        {'S', kTcpSyn},           {'s', kTcpSyn | kTcpAck}, {'A', kTcpAck}, {'a', kTcpAck},
        {'F', kTcpFin | kTcpAck}, {'f', kTcpFin | kTcpAck}, {'R', kTcpRst}, {'r', kTcpRst}};
    state = next_tcp_state(state, static_cast<std::uint8_t>(kFlags.at(segment)), sender);
  }
  return std::string(to_string(state));
}

TEST(FlowState, WholeLives) {
  EXPECT_EQ(life("S"), "SYN_RECV");
  EXPECT_EQ(life("Ss"), "SYN_RECV");
  EXPECT_EQ(life("SsSs"), "SYN_RECV");
  EXPECT_EQ(life("SsA"), "ESTABLISHED");
  EXPECT_EQ(life("SsAaAa"), "ESTABLISHED");
  EXPECT_EQ(life("SsAF"), "CLOSE_WAIT");
  EXPECT_EQ(life("SsAFa"), "CLOSE_WAIT");
  EXPECT_EQ(life("SsAFaf"), "TIME_WAIT");
  EXPECT_EQ(life("SsAFafA"), "TIME_WAIT");
  EXPECT_EQ(life("SsAf"), "FIN_WAIT");
  EXPECT_EQ(life("SsAfAF"), "TIME_WAIT");
  EXPECT_EQ(life("SsAfAFa"), "TIME_WAIT");
  EXPECT_EQ(life("SsAFff"), "TIME_WAIT");
  EXPECT_EQ(life("Sr"), "CLOSE");
  EXPECT_EQ(life("SsAR"), "CLOSE");
  EXPECT_EQ(life("SsARa"), "CLOSE");
  EXPECT_EQ(life("SsARS"), "SYN_RECV");
}

TEST(FlowState, NamesAreThoseOfLvs) {
  const std::array<std::string_view, 14> names = {
      "NONE",     "SYN_RECV", "ESTABLISHED",   "FIN_WAIT",      "TIME_WAIT", "CLOSE", "CLOSE_WAIT",
      "LAST_ACK", "INIT",     "COOKIE_ECHOED", "SHUTDOWN_SENT", "CLOSED",    "UDP",   "ASSURED"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(to_string(static_cast<FlowState>(i)), names[i]);
  }
}

TEST(Timeouts, DefaultsAreThoseOfLvs) {
  const Timeouts defaults;
  const std::map<FlowState, std::uint32_t> seconds = {
      {kNone, 2},       {kSynReceived, 60}, {kEstablished, 900}, {kFinWait, 120},
      {kTimeWait, 120}, {kClose, 10},       {kCloseWait, 60},    {kLastAck, 30},
      {kUdp, 300},      {kInit, 60},        {kCookieEchoed, 60}, {kShutdownSent, 60},
      {kClosed, 60}};
  for (const auto& [state, expected_s] : seconds) EXPECT_EQ(defaults.of(state), expected_s);
}

TEST(Timeouts, OnlyThreeAreTheUsersChoice) {
  const Timeouts changed{1001, 1002, 1003};
  for (const FlowState state : kFlowStates) {
    const std::uint32_t normal_s = Timeouts().of(state);
    const std::uint32_t expected_s = state == kEstablished ? 1001
                                     : state == kFinWait   ? 1002
                                                           : normal_s;
    EXPECT_EQ(changed.of(state), expected_s) << to_string(state);
  }
  EXPECT_EQ(changed.of(kUdp), 1003u);
}

}  // namespace
}  // namespace keepline::lb
