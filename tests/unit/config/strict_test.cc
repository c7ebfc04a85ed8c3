// Strict mode, and which VIPs take traffic for the node itself.
#include <gtest/gtest.h>

#include "tests/unit/config/helpers.h"

namespace keepline::config {
namespace {

TEST(Vrrp, StrictMode) {
  const LoadResult result =
      load_text("global_defs {\nvrrp_strict\n}\n" +
                instance_text("state MASTER\npriority 90\nlower_prio_no_advert off\n"
                              "authentication {\nauth_type PASS\nauth_pass x\n}"));
  const VrrpInstance& v = result.config.vrrp_instances.at(0);
  EXPECT_EQ(v.auth.type, AuthType::kNone);
  EXPECT_EQ(v.state, InitialState::kBackup);
  EXPECT_FALSE(v.accept);
  EXPECT_TRUE(v.lower_prio_no_advert);
  EXPECT_NE(find(result, "hint: vrrp_strict comes with the sample file"), nullptr);
  EXPECT_FALSE(load_text("vrrp_instance A {\ninterface e\nvirtual_router_id 1\nstrict_mode\n}\n")
                   .diagnostics.can_run());
}

TEST(Vrrp, AcceptModeIsThatOfTheRfcs) {
  struct Case {
    const char* words;
    bool accepts;
    const char* said;
  };
  constexpr const char* kNothing = nullptr;
  const Case cases[] = {
      {"version 3", true, kNothing},
      {"version 3\nno_accept", false, kNothing},
      {"version 3\nstrict_mode", false, "the addresses answer no ping"},
      {"version 3\nstrict_mode\naccept", true, kNothing},
      {"version 2\nstrict_mode\naccept", false,
       "strict mode does not allow accept in VRRP version 2"},
      {"version 2\nstrict_mode\nno_accept", false, kNothing},
      {"version 2\nstrict_mode\nstate MASTER\npriority 255", true, kNothing},
      {"version 3\npriority 255\nno_accept", true, "an owner (priority 255) accepts in any case"},
  };
  for (const Case& each : cases) {
    const LoadResult result = load_text(instance_text(each.words));
    EXPECT_EQ(result.config.vrrp_instances.at(0).accept.value(), each.accepts) << each.words;
    if (each.said != kNothing) {
      EXPECT_NE(find(result, each.said), nullptr) << all(result);
    } else {
      EXPECT_EQ(find(result, "accept"), nullptr) << all(result);
    }
  }
}

}  // namespace
}  // namespace keepline::config
