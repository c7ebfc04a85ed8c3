// FAULT: the set of causes, and how it is left.
#include <gtest/gtest.h>

#include "tests/unit/vrrp/support.h"

namespace keepline::vrrp {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

TEST(Fault, AtStart) {
  Instance instance(config_of(100));
  instance.handle_fault(FaultCause::kInterfaceDown, kStart_us);
  EXPECT_EQ(did(instance), "");
  instance.start(kStart_us + 1);
  EXPECT_EQ(did(instance), "INIT>FAULT");
  EXPECT_EQ(instance.next_timeout(), std::nullopt);
  instance.handle_fault_cleared(FaultCause::kInterfaceDown, kStart_us + 2);
  EXPECT_EQ(did(instance), "FAULT>BACKUP");
  EXPECT_EQ(instance.deadline_us(), kStart_us + 2 + 3'609'375);
}

TEST(Fault, ClearedBeforeStartIsForgotten) {
  Instance instance(config_of(100));
  instance.handle_fault(FaultCause::kInterfaceDown, kStart_us);
  instance.handle_fault_cleared(FaultCause::kInterfaceDown, kStart_us + 1);
  instance.start(kStart_us + 2);
  EXPECT_EQ(did(instance), "INIT>BACKUP");
}

TEST(Fault, MasterSaysGoodbyeAfterItIsSilent) {
  Master m(config_of(100));
  m.instance.handle_fault(FaultCause::kInterfaceDown, m.now_us + 1);
  const auto actions = drain(m.instance);
  EXPECT_EQ(words(actions), "revoke release advert:0 MASTER>FAULT");
  EXPECT_EQ(reason_in(actions), Reason::kFault);
  EXPECT_EQ(
      m.instance.handle_advert(advert_from(m.instance.config(), "10.9.0.9", 200), m.now_us + 2),
      AdvertResult::kIgnored);
  EXPECT_EQ(m.instance.statistics().advert_rcvd, 0u);
}

TEST(Fault, LastCauseCounts) {
  Instance instance(config_of(100));
  instance.start(kStart_us);
  instance.handle_fault(FaultCause::kInterfaceDown, kStart_us + 1);
  instance.handle_fault(FaultCause::kNoSourceAddress, kStart_us + 2);
  instance.handle_fault(FaultCause::kInterfaceDown, kStart_us + 3);
  EXPECT_EQ(did(instance), "INIT>BACKUP BACKUP>FAULT");
  instance.handle_fault_cleared(FaultCause::kInterfaceDown, kStart_us + 4);
  instance.handle_fault_cleared(FaultCause::kTracker, kStart_us + 5);
  EXPECT_EQ(did(instance), "");
  instance.handle_fault_cleared(FaultCause::kNoSourceAddress, kStart_us + 6);
  EXPECT_EQ(did(instance), "FAULT>BACKUP");
}

TEST(Fault, StartRuleAfterwards) {
  InstanceConfig config = config_of(100);
  config.initial_state = InitialState::kMaster;
  Instance instance(config);
  instance.start(kStart_us);
  instance.handle_fault(FaultCause::kTracker, kStart_us + 1);
  instance.handle_fault_cleared(FaultCause::kTracker, kStart_us + 2);
  EXPECT_EQ(instance.deadline_us(), kStart_us + 2 + 1'003'906);

  Instance owner(config_of(255));
  owner.start(kStart_us);
  owner.handle_fault(FaultCause::kTracker, kStart_us + 1);
  drain(owner);
  owner.handle_fault_cleared(FaultCause::kTracker, kStart_us + 2);
  EXPECT_EQ(did(owner), "grant acquire garp advert:255 FAULT>MASTER");
}

TEST(Fault, AStalledWorkerMayHaveMissedAdvertsSoListen) {
  InstanceConfig config = config_of(255);
  Instance owner(config);
  owner.start(kStart_us);
  owner.handle_fault(FaultCause::kWorkerStalled, kStart_us + 1);
  drain(owner);
  owner.handle_fault_cleared(FaultCause::kWorkerStalled, kStart_us + 2);
  EXPECT_EQ(did(owner), "FAULT>BACKUP");
  EXPECT_EQ(owner.deadline_us(), kStart_us + 2 + 3'003'906);
  EXPECT_TRUE(owner.listening());
}

TEST(Fault, StopAndStartAgainIsAFreshStart) {
  Instance owner(config_of(255));
  owner.start(kStart_us);
  owner.handle_fault(FaultCause::kWorkerStalled, kStart_us + 1);
  owner.stop(kStart_us + 2);
  owner.handle_fault_cleared(FaultCause::kWorkerStalled, kStart_us + 3);
  drain(owner);
  owner.start(kStart_us + 4);
  EXPECT_EQ(owner.state(), State::kMaster);
}

TEST(Fault, StopForgetsTheNeedToListen) {
  InstanceConfig config = config_of(100);
  config.initial_state = InitialState::kMaster;
  Instance instance(config);
  instance.start(kStart_us);
  instance.handle_fault(FaultCause::kWorkerStalled, kStart_us + 1);
  instance.stop(kStart_us + 2);
  instance.handle_fault_cleared(FaultCause::kWorkerStalled, kStart_us + 3);
  instance.start(kStart_us + 4);
  EXPECT_EQ(instance.deadline_us(), kStart_us + 4 + 1'003'906);
}

TEST(Fault, EndsThePreemptDelay) {
  InstanceConfig config = config_of(100);
  config.preempt_delay_us = 2 * kSecond_us;
  Instance instance(config);
  instance.start(kStart_us);
  instance.handle_advert(advert_from(config, "10.9.0.9", 50), kStart_us + 1);
  instance.handle_fault(FaultCause::kTracker, kStart_us + 3);
  const std::int64_t cleared_us = kStart_us + 10 * kSecond_us;
  instance.handle_fault_cleared(FaultCause::kTracker, cleared_us);
  instance.handle_advert(advert_from(config, "10.9.0.9", 50), cleared_us + 5);
  EXPECT_EQ(instance.deadline_us(), cleared_us + 5 + 3'609'375) << "the delay starts again";
}

TEST(Fault, EndsTheSuccession) {
  Instance instance(config_of(100));
  instance.start(kStart_us);
  instance.handle_advert(advert_from(instance.config(), "10.9.0.9", 0), kStart_us + 1);
  instance.handle_fault(FaultCause::kTracker, kStart_us + 2);
  instance.handle_fault_cleared(FaultCause::kTracker, kStart_us + 3);
  run_until(instance, instance.deadline_us());
  EXPECT_EQ(reason_in(drain(instance)), Reason::kMasterDown);
}

TEST(Fault, StopInFault) {
  Instance instance(config_of(100));
  instance.handle_fault(FaultCause::kTracker, kStart_us);
  instance.start(kStart_us);
  drain(instance);
  instance.stop(kStart_us + 1);
  EXPECT_EQ(did(instance), "FAULT>INIT");
}

// unicast_fault_no_peer.
TEST(Fault, NoPeerIsOneFromTheStart) {
  InstanceConfig config = config_of(255);
  config.lacks_peers = true;
  Instance instance(config);
  instance.start(kStart_us);
  EXPECT_EQ(did(instance), "INIT>FAULT");
  EXPECT_TRUE(instance.faults().has(FaultCause::kNoPeer));
  config.lacks_peers = false;
  config.peers = {Peer{ip("10.9.0.6")}};
  instance.reconfigure(config, kStart_us + 1);
  EXPECT_EQ(instance.state(), State::kMaster) << "an owner with a peer";
  did(instance);
  config.lacks_peers = true;
  config.peers.clear();
  instance.reconfigure(config, kStart_us + 2);
  EXPECT_EQ(instance.state(), State::kFault);
  EXPECT_EQ(did(instance), "revoke release advert:0 MASTER>FAULT");
}

}  // namespace
}  // namespace keepline::vrrp
