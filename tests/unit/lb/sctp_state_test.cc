#include <gtest/gtest.h>

#include <string>

#include "dataplane/lb/conn/flow_state.h"

namespace keepline::lb {
namespace {

using net::SctpEvent;
using enum FlowState;

struct Step {
  Sender sender;
  SctpEvent event;
  FlowState then;
};

void expect(std::initializer_list<Step> steps, FlowState state = kInit) {
  int number = 0;
  for (const Step& step : steps) {
    state = next_sctp_state(state, step.event, step.sender);
    EXPECT_EQ(to_string(state), to_string(step.then)) << "step " << number;
    ++number;
  }
}

constexpr auto kClient = Sender::kClient;
constexpr auto kServer = Sender::kServer;
constexpr auto kOnly = Sender::kClientOnly;

TEST(SctpState, AnAssociation) {
  expect({{kClient, SctpEvent::kInit, kInit},
          {kServer, SctpEvent::kInitAck, kInit},
          {kClient, SctpEvent::kCookieEcho, kCookieEchoed},
          {kServer, SctpEvent::kCookieAck, kEstablished},
          {kClient, SctpEvent::kNone, kEstablished},
          {kServer, SctpEvent::kShutdown, kShutdownSent},
          {kClient, SctpEvent::kShutdown, kShutdownSent},
          {kServer, SctpEvent::kShutdownComplete, kClosed}});
}

TEST(SctpState, AnswersThatGoPastUs) {
  expect({{kOnly, SctpEvent::kInit, kInit},
          {kOnly, SctpEvent::kCookieEcho, kEstablished},
          {kOnly, SctpEvent::kNone, kEstablished},
          {kOnly, SctpEvent::kShutdown, kShutdownSent},
          {kOnly, SctpEvent::kShutdownComplete, kClosed},
          {kOnly, SctpEvent::kInit, kInit}});
}

TEST(SctpState, AnAbortEndsItFromAnywhere) {
  for (const FlowState from : {kInit, kCookieEchoed, kEstablished, kShutdownSent}) {
    for (const Sender sender : {kClient, kServer, kOnly}) {
      EXPECT_EQ(next_sctp_state(from, SctpEvent::kAbort, sender), kClosed);
    }
  }
}

TEST(SctpState, WhatIsOutOfPlaceChangesNothing) {
  expect({{kServer, SctpEvent::kCookieEcho, kInit},
          {kServer, SctpEvent::kCookieAck, kInit},
          {kClient, SctpEvent::kCookieEcho, kCookieEchoed},
          {kClient, SctpEvent::kCookieAck, kCookieEchoed},
          {kServer, SctpEvent::kCookieAck, kEstablished},
          {kClient, SctpEvent::kCookieEcho, kEstablished},
          {kClient, SctpEvent::kInit, kEstablished}});
  expect({{kServer, SctpEvent::kShutdown, kClosed}}, kClosed);
}

TEST(SctpState, ChunksByTheRfcsNumbers) {
  EXPECT_EQ(net::sctp_event(0), SctpEvent::kNone);
  EXPECT_EQ(net::sctp_event(1), SctpEvent::kInit);
  EXPECT_EQ(net::sctp_event(10), SctpEvent::kCookieEcho);
  EXPECT_EQ(net::sctp_event(8), SctpEvent::kShutdown);
  EXPECT_EQ(net::sctp_event(255), SctpEvent::kNone);
}

}  // namespace
}  // namespace keepline::lb
