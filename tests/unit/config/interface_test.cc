// interface_up_down_delays, garp_group, garp_extra_if.
#include <gtest/gtest.h>

#include "control/config/print.h"
#include "tests/unit/config/helpers.h"

namespace keepline::config {
namespace {

LoadResult with_delays(const std::string& lines) {
  return load_text("interface_up_down_delays {\n" + lines + "\n}\n" +
                   instance_text("advert_int 2\nversion 3\ntrack_interface {\n eth1\n}"));
}

TEST(LinkDelays, AreReadAndPrinted) {
  const LoadResult result = with_delays("eth0 1.5 3\neth1 200");
  EXPECT_TRUE(result.diagnostics.items().empty()) << all(result);
  ASSERT_EQ(result.config.link_delays.size(), 2u);
  EXPECT_EQ(result.config.link_delays[0].down_us, 1'500'000u);
  EXPECT_EQ(result.config.link_delays[0].up_us, 3'000'000u);
  EXPECT_EQ(result.config.link_delays[1].down_us, 200 * kSecondUs) << "only tracked: no bound";
  EXPECT_EQ(result.config.link_delays[1].up_us, 0u);
  const LoadResult again = load_text(print(result.config, Secrets::kShow));
  EXPECT_EQ(again.config.link_delays, result.config.link_delays) << all(again);
}

TEST(LinkDelays, WhatIsWrongIsSaid) {
  const LoadResult result = with_delays("eth0 5\neth0 1\neth9 1\neth1\neth2 256\neth3 1 2 3");
  ASSERT_EQ(result.config.link_delays.size(), 2u) << all(result);
  EXPECT_EQ(result.config.link_delays[0].down_us, 4'000'000u);
  for (const char* said :
       {"k.conf:2:1: warning: interface_up_down_delays: (VI_1) a delay of 5 s for eth0 is longer "
        "than its backup waits: 4 s is used",
        "k.conf:3:1: error: interface eth0 has its delays already",
        "no instance is on eth9 or tracks it", "k.conf:5:1: error: eth1: a line has an interface",
        "k.conf:6:", "k.conf:7:1: error: eth3: a line has"}) {
    EXPECT_NE(find(result, said), nullptr) << said << '\n' << all(result);
  }
}

TEST(GarpGroup, IsReadAndPrinted) {
  const LoadResult result = load_text(
      "global_defs {\nvrrp_gna_interval 0.25\n}\n"
      "garp_group {\n garp_interval 0.5\n interface eth0\n interfaces {\n eth1 eth2\n }\n}\n" +
      instance_text());
  ASSERT_EQ(result.config.garp_groups.size(), 1u) << all(result);
  const GarpGroup& group = result.config.garp_groups[0];
  EXPECT_EQ(group.interfaces, (std::vector<std::string>{"eth0", "eth1", "eth2"}));
  EXPECT_EQ(*group.interval_us, 500'000u);
  EXPECT_EQ(*group.gna_interval_us, 250'000u) << "the global one";
  EXPECT_EQ(find(result, "garp_group"), nullptr) << all(result);
  const LoadResult again = load_text(print(result.config, Secrets::kShow));
  EXPECT_EQ(again.config.garp_groups, result.config.garp_groups) << all(again);
}

TEST(GarpGroup, WhatIsWrongIsSaid) {
  const std::string eth0 = "garp_group {\n garp_interval 1\n interface eth0\n}\n";
  EXPECT_NE(find(load_text("garp_group {\n garp_interval 1\n}\n"), "without an interface"),
            nullptr);
  EXPECT_NE(find(load_text("garp_group {\n interface e\n}\n"), "without an interval"), nullptr);
  EXPECT_NE(find(load_text(eth0 + eth0 + instance_text()), "eth0 is in another garp_group"),
            nullptr);
  EXPECT_NE(find(load_text(eth0), "no instance is on an interface of this garp_group"), nullptr);
}

TEST(GarpExtraIf, SaysWhatToUse) {
  const LoadResult result = load_text("global_defs {\n vrrp_vmac_garp_intvl all 10\n}\n" +
                                      instance_text("garp_extra_if 10"));
  EXPECT_EQ(result.diagnostics.items().size(), 2u) << all(result);
  EXPECT_NE(find(result, "vrrp_vmac_garp_intvl: means nothing here"), nullptr) << all(result);
  EXPECT_NE(find(result, "garp_extra_if: means nothing here"), nullptr) << all(result);
}

}  // namespace
}  // namespace keepline::config
