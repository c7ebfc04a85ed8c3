// By the letter of the format, block by block.
#include "control/pcapng.h"

#include <gtest/gtest.h>

#include <cstring>

namespace keepline::control {
namespace {

std::uint32_t word(const std::string& text, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, text.data() + at, sizeof value);
  return value;
}

// The bodies of the blocks of this type; that lengths agree is part of it.
std::vector<std::string> blocks(const std::string& text, std::uint32_t type) {
  std::vector<std::string> bodies;
  for (std::size_t at = 0; at + 12 <= text.size();) {
    const std::uint32_t length = word(text, at + 4);
    EXPECT_EQ(length % 4, 0u);
    EXPECT_EQ(word(text, at + length - 4), length);
    if (word(text, at) == type) bodies.push_back(text.substr(at + 8, length - 12));
    at += length;
  }
  return bodies;
}

TEST(Pcapng, BeginsWithASectionAndItsInterfaces) {
  PcapngWriter writer("keepline 1", {"eth0", "ens1f0"}, 256);
  const std::string text = writer.take();
  const auto sections = blocks(text, 0x0a0d0d0a);
  ASSERT_EQ(sections.size(), 1u);
  EXPECT_EQ(word(sections[0], 0), 0x1a2b3c4du);
  EXPECT_NE(sections[0].find("keepline 1"), std::string::npos);
  const auto interfaces = blocks(text, 1);
  ASSERT_EQ(interfaces.size(), 2u);
  EXPECT_EQ(word(interfaces[0], 0), 1u) << "Ethernet";
  EXPECT_EQ(word(interfaces[0], 4), 256u);
  EXPECT_NE(interfaces[1].find("ens1f0"), std::string::npos);
  EXPECT_EQ(writer.take(), "");
}

TEST(Pcapng, AFrameWithItsTimeItsWayAndAComment) {
  PcapngWriter writer("x", {"eth0"}, 256);
  writer.take();
  const std::uint8_t bytes[] = {1, 2, 3, 4, 5};
  writer.frame(0, PcapngWriter::Way::kOut, 0x0000'0012'3456'789a, 1500, bytes, "dropped");
  const auto frames = blocks(writer.take(), 6);
  ASSERT_EQ(frames.size(), 1u);
  const std::string& body = frames[0];
  EXPECT_EQ(word(body, 0), 0u);
  EXPECT_EQ(word(body, 4), 0x12u);
  EXPECT_EQ(word(body, 8), 0x3456789au);
  EXPECT_EQ(word(body, 12), 5u);
  EXPECT_EQ(word(body, 16), 1500u);
  EXPECT_EQ(body.substr(20, 8), std::string("\1\2\3\4\5\0\0\0", 8));
  EXPECT_EQ(word(body, 28), 0x00040002u) << "epb_flags, four bytes";
  EXPECT_EQ(word(body, 32), 2u) << "outbound";
  EXPECT_NE(body.find("dropped"), std::string::npos);
}

TEST(Pcapng, Statistics) {
  PcapngWriter writer("x", {"eth0"}, 256);
  writer.take();
  writer.statistics(0, 77, 3);
  const auto found = blocks(writer.take(), 5);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(word(found[0], 12), 0x00080004u);
  EXPECT_EQ(word(found[0], 16), 77u);
  EXPECT_EQ(word(found[0], 24), 0x00080005u);
  EXPECT_EQ(word(found[0], 28), 3u);
}

}  // namespace
}  // namespace keepline::control
