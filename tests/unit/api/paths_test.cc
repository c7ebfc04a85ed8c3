// Names of instances and files.
#include "control/api/paths.h"

#include <gtest/gtest.h>

namespace keepline::api {
namespace {

TEST(Paths, FilesOfAnInstance) {
  EXPECT_EQ(control_socket_path("keepline"), "/run/keepline/keepline.sock");
  EXPECT_EQ(pid_file_path("keepline-42"), "/run/keepline/keepline-42.pid");
}

TEST(Paths, DefaultNameIsValidAndStable) {
  const std::string name = default_instance_name();
  EXPECT_TRUE(is_valid_instance_name(name)) << name;
  EXPECT_TRUE(name.starts_with("keepline"));
  EXPECT_EQ(name, default_instance_name());
}

TEST(Paths, NamesThatWouldLeaveTheDirectoryAreRefused) {
  EXPECT_TRUE(is_valid_instance_name("a_B-9.c"));
  for (const char* name : {"", ".", "..", ".hidden", "a/b", "../x", "a b", "a\n"}) {
    EXPECT_FALSE(is_valid_instance_name(name)) << name;
  }
  EXPECT_FALSE(is_valid_instance_name(std::string(65, 'a')));
}

}  // namespace
}  // namespace keepline::api
