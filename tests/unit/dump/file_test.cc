#include "control/dump/file.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace keepline::control::dump {
namespace {

class ReplaceFile : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/keepline-file-test-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
    path_ = folder_ + "/dump";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static std::string read(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  std::size_t files() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator(folder_)) ++count;
    return count;
  }

  std::string folder_;
  std::string path_;
};

TEST_F(ReplaceFile, TheOwnersAloneAndWhole) {
  EXPECT_EQ(replace_file(path_, "first, and longer"), "");
  EXPECT_EQ(replace_file(path_, "second"), "");
  EXPECT_EQ(read(path_), "second");
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(files(), 1u) << "nothing is left over";
}

TEST_F(ReplaceFile, ALinkIsReplacedAndNotFollowed) {
  std::ofstream(folder_ + "/victim") << "precious";
  std::filesystem::create_symlink(folder_ + "/victim", path_);
  EXPECT_EQ(replace_file(path_, "dump"), "");
  EXPECT_FALSE(std::filesystem::is_symlink(path_));
  EXPECT_EQ(read(path_), "dump");
  EXPECT_EQ(read(folder_ + "/victim"), "precious");
}

TEST_F(ReplaceFile, WhatCannotBeIsSaid) {
  EXPECT_EQ(replace_file(folder_ + "/none/dump", "x"),
            folder_ + "/none/dump: No such file or directory");
  std::filesystem::create_directory(path_);
  EXPECT_EQ(replace_file(path_, "x"), path_ + ": Is a directory");
  EXPECT_EQ(files(), 1u) << "what was written aside is gone";
}

}  // namespace
}  // namespace keepline::control::dump
