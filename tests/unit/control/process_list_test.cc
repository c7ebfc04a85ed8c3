#include "control/process_list.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace keepline::control {
namespace {

// A /proc of our own.
class ProcessList : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/keepline-proc-test-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
    config::TrackProcess by_name;
    by_name.process = "web";
    config::TrackProcess by_command;
    by_command.process = "/bin/web";
    by_command.parameters = {"-x"};
    by_command.full_command = true;
    by_command.param_match = config::ParamMatch::kInitial;
    wanted_ = {by_name, by_command};
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void add(const std::string& pid, const std::string& status, const std::string& line = "") {
    std::filesystem::create_directory(folder_ + '/' + pid);
    std::ofstream(folder_ + '/' + pid + "/stat") << status;
    std::ofstream(folder_ + '/' + pid + "/cmdline") << line;
  }
  std::vector<std::uint32_t> counts() const { return count_processes(wanted_, folder_).value(); }

  std::string folder_;
  std::vector<config::TrackProcess> wanted_;
};

TEST_F(ProcessList, ByNameAndByCommand) {
  EXPECT_EQ(counts(), (std::vector<std::uint32_t>{0, 0}));
  add("12", "12 (web) S 1 12 12", std::string("/bin/web\0-x\0-y\0", 15));
  add("13", "13 (web) R 1 13 13", std::string("web\0-x\0", 7));
  add("14", "14 (other) S 1 14 14", std::string("/bin/web\0-x\0", 12));
  add("self", "12 (web) S 1 12 12", std::string("/bin/web\0-x\0", 12));
  EXPECT_EQ(counts(), (std::vector<std::uint32_t>{2, 2}));
}

TEST_F(ProcessList, WhatHasEndedDoesNotCount) {
  add("12", "12 (web) Z 1 12 12");
  add("13", "13 (web) X 1 13 13");
  std::filesystem::create_directory(folder_ + "/14");  // gone while we look
  EXPECT_EQ(counts(), (std::vector<std::uint32_t>{0, 0}));
}

TEST_F(ProcessList, NamesMayHaveAnythingInThem) {
  wanted_[0].process = "a) Z (b";
  add("12", "12 (a) Z (b) S 1 12 12");
  add("13", "13 (web");
  EXPECT_EQ(counts(), (std::vector<std::uint32_t>{1, 0}));
}

TEST_F(ProcessList, WithoutAFolderNothingIsKnown) {
  EXPECT_FALSE(count_processes(wanted_, folder_ + "/none").has_value());
}

TEST_F(ProcessList, TheRealOneHasThisProcess) {
  config::TrackProcess self;
  self.process = "unit_control";
  EXPECT_GE(count_processes({self}).value().at(0), 1u);
}

}  // namespace
}  // namespace keepline::control
