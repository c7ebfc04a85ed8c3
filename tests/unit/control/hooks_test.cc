#include "control/notify/hooks.h"

#include <gtest/gtest.h>

namespace keepline::control {
namespace {

using Kind = NotifyEvent::Kind;
using What = NotifyEvent::What;

config::Command command(const std::string& name) {
  config::Command result;
  result.arguments = {name, "own"};
  result.user = "nobody";
  return result;
}

// All hooks but `notify_fault`, each named like its keyword.
config::Notify notify() {
  config::Notify result;
  result.master = command("master");
  result.backup = command("backup");
  result.stop = command("stop");
  result.any = command("any");
  result.master_rx_lower_pri = command("lower");
  return result;
}

std::string ran(const NotifyEvent& event) {
  std::string all;
  for (const config::Command& each : hooks(notify(), event)) {
    EXPECT_EQ(each.user, "nobody");
    for (const std::string& word : each.arguments) all += word + ' ';
    all += "| ";
  }
  return all;
}

TEST(Hooks, TheStatesOwnFirstThenTheGenericWithWhatHappened) {
  EXPECT_EQ(ran({Kind::kInstance, "VI_1", What::kMaster, 150}),
            "master own | any own INSTANCE VI_1 MASTER 150 | ");
  EXPECT_EQ(ran({Kind::kGroup, "G 1", What::kBackup, 0}),
            "backup own | any own GROUP G 1 BACKUP 0 | ");
  EXPECT_EQ(ran({Kind::kInstance, "VI_1", What::kFault, 1}), "any own INSTANCE VI_1 FAULT 1 | ");
  EXPECT_EQ(ran({Kind::kInstance, "VI_1", What::kStop, 1}),
            "stop own | any own INSTANCE VI_1 STOP 1 | ");
}

TEST(Hooks, ALowerPriorityHasItsOwnOnly) {
  EXPECT_EQ(ran({Kind::kInstance, "VI_1", What::kLowerPriority, 1}), "lower own | ");
}

TEST(Hooks, OfAPriorityOnlyFifosHear) {
  EXPECT_EQ(ran({Kind::kInstance, "VI_1", What::kMasterPriority, 1}), "");
  EXPECT_EQ(ran({Kind::kInstance, "VI_1", What::kBackupPriority, 1}), "");
  EXPECT_EQ(fifo_line({Kind::kInstance, "VI_1", What::kMasterPriority, 120}),
            "INSTANCE \"VI_1\" MASTER_PRIORITY 120\n");
  EXPECT_EQ(fifo_line({Kind::kInstance, "VI_1", What::kBackupPriority, 7}),
            "INSTANCE \"VI_1\" BACKUP_PRIORITY 7\n");
}

TEST(Hooks, LinesOfAFifo) {
  EXPECT_EQ(fifo_line({Kind::kInstance, "VI_1", What::kMaster, 100}),
            "INSTANCE \"VI_1\" MASTER 100\n");
  EXPECT_EQ(fifo_line({Kind::kGroup, "G", What::kFault, 0}), "GROUP \"G\" FAULT 0\n");
  EXPECT_EQ(fifo_line({Kind::kInstance, "VI_1", What::kLowerPriority, 7}),
            "INSTANCE \"VI_1\" MASTER_RX_LOWER_PRI 7\n");
}

TEST(Hooks, InitIsWhatAStoppedOneIsIn) {
  EXPECT_EQ(told_state(vrrp::State::kInit), What::kStop);
  EXPECT_EQ(told_state(vrrp::State::kFault), What::kFault);
}

}  // namespace
}  // namespace keepline::control
