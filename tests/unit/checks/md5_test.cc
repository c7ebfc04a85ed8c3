// MD5 against the vectors of RFC 1321.
#include "checks/md5.h"

#include <gtest/gtest.h>

namespace keepline::checks {
namespace {

TEST(Md5, KnownVectors) {
  Md5 empty;
  EXPECT_EQ(to_string(*empty.finish()), "d41d8cd98f00b204e9800998ecf8427e");
  Md5 pieces;
  pieces.update("message ");
  pieces.update("digest");
  EXPECT_EQ(to_string(*pieces.finish()), "f96b697d7cb7938d525a2f31aaf161d0");
}

TEST(Md5, ParsesExactly32HexDigits) {
  const std::string text = "d41d8cd98f00b204e9800998ecf8427e";
  EXPECT_EQ(to_string(*parse_md5(text)), text);
  EXPECT_EQ(parse_md5("D41D8CD98F00B204E9800998ECF8427E"), parse_md5(text));
  EXPECT_FALSE(parse_md5(text + "0"));
  EXPECT_FALSE(parse_md5(text.substr(1)));
  EXPECT_FALSE(parse_md5("g41d8cd98f00b204e9800998ecf8427e"));
}

}  // namespace
}  // namespace keepline::checks
