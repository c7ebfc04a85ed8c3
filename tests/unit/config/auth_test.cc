// auth_hmac: values, keys in files, refusals, secrets, round trip.
#include <gtest/gtest.h>

#include "control/config/hmac_key.h"
#include "control/config/print.h"
#include "tests/unit/config/helpers.h"

namespace keepline::config {
namespace {

const std::string kText32 = "0123456789abcdef0123456789abcdef";
const std::string kHex32 = "hex:00112233445566778899aAbBcCdDeEfF00112233445566778899aabbccddeeff";

std::string block(const std::string& lines) {
  return "auth_hmac {\n" + lines + "\n}";
}

AuthHmac hmac_of(const std::string& lines, const std::string& more = "") {
  const LoadResult result = load_text(instance_text(block(lines) + "\n" + more));
  EXPECT_TRUE(result.diagnostics.can_run()) << all(result);
  return result.config.vrrp_instances.at(0).hmac;
}

TEST(AuthHmac, Defaults) {
  const AuthHmac hmac = hmac_of("key 1 " + kText32 + "\nactive_key 1");
  ASSERT_EQ(hmac.keys.size(), 1u);
  EXPECT_EQ(hmac.keys[0].id, 1);
  EXPECT_EQ(hmac.keys[0].bytes, kText32);
  EXPECT_EQ(hmac.active_key, 1);
  EXPECT_EQ(hmac.time_window_s.value(), 5u);
  EXPECT_FALSE(hmac.is_monotonic);
  EXPECT_EQ(hmac.mode, HmacMode::kEnforce);
  EXPECT_FALSE(load_text(instance_text()).config.vrrp_instances.at(0).hmac.is_used());
}

TEST(AuthHmac, AllKeywords) {
  const AuthHmac hmac = hmac_of("key 255 " + kHex32 + "\nkey 2 \"" + kText32 +
                                " with blanks\"\nactive_key 2\ntime_window 300\n"
                                "anti_replay monotonic\nmode permissive");
  ASSERT_EQ(hmac.keys.size(), 2u);
  EXPECT_EQ(hmac.keys[0].bytes.size(), 32u);
  EXPECT_EQ(hmac.keys[0].bytes.substr(0, 2), std::string("\x00\x11", 2));
  EXPECT_EQ(hmac.keys[0].bytes.substr(9, 2), "\x99\xaa");
  EXPECT_EQ(hmac.keys[1].bytes, kText32 + " with blanks");
  EXPECT_EQ(hmac.time_window_s.value(), 300u);
  EXPECT_TRUE(hmac.is_monotonic);
  EXPECT_EQ(hmac.mode, HmacMode::kPermissive);
}

TEST(AuthHmac, TheWindowIsThreeAdverts) {
  const std::string key = "key 1 " + kText32 + "\nactive_key 1";
  EXPECT_EQ(hmac_of(key, "advert_int 1").time_window_s.value(), 5u);
  EXPECT_EQ(hmac_of(key, "advert_int 3").time_window_s.value(), 9u);
  EXPECT_EQ(hmac_of(key, "version 3\nadvert_int 2.5").time_window_s.value(), 8u) << "rounded up";
  EXPECT_EQ(hmac_of(key, "advert_int 200").time_window_s.value(), 300u);
  EXPECT_EQ(hmac_of(key + "\ntime_window 2", "advert_int 3").time_window_s.value(), 2u);
}

TEST(AuthHmac, KeysInFiles) {
  MemoryLoader loader({{"/etc/k.conf", instance_text(block("key 1 file:/run/k1\nkey 2 file:k2\n"
                                                           "active_key 1"))},
                       {"/run/k1", kHex32 + "\r\n"},
                       {"/etc/k2", kText32 + "\n"}});
  const LoadResult result = load("/etc/k.conf", loader, {});
  ASSERT_TRUE(result.diagnostics.can_run()) << all(result);
  const AuthHmac& hmac = result.config.vrrp_instances.at(0).hmac;
  EXPECT_EQ(to_hex_key(hmac.keys.at(0).bytes).substr(0, 12), "hex:00112233");
  EXPECT_EQ(hmac.keys.at(1).bytes, kText32);
  EXPECT_EQ(hmac.keys.at(1).file, "/etc/k2") << "beside the configuration";
  // The path is printed, so that it reads back; the key is not.
  const std::string printed = print(result.config, Secrets::kHide);
  EXPECT_NE(printed.find("key 2 file:/etc/k2"), std::string::npos) << printed;
  EXPECT_EQ(printed.find(kText32), std::string::npos);
}

// What the peers would not understand stops the start, and says what to do.
TEST(AuthHmac, Refusals) {
  const std::string good = "key 1 " + kText32 + "\nactive_key 1\n";
  const std::pair<std::string, const char*> refused[] = {
      {"active_key 1", "without a key"},
      {"key 0 " + kText32 + "\nactive_key 1", "'0' is not the id of a key"},
      {"key 256 " + kText32 + "\nactive_key 1", "'256' is not the id of a key"},
      {"key x " + kText32 + "\nactive_key 1", "'x' is not the id of a key"},
      {"key 1 " + kText32.substr(1) + "\nactive_key 1", "has 31 bytes"},
      {"key 1 " + kText32 + kText32 + "x\nactive_key 1", "has 65 bytes"},
      {"key 1 hex:0\nactive_key 1", "odd number"},
      {"key 1 hex:0x\nactive_key 1", "no hex digit"},
      {"key 1 " + kText32 + " more\nactive_key 1", "several words"},
      {"key 1 file:/none\nactive_key 1", "cannot be read: No such file"},
      {"key 1 file:\nactive_key 1", "names no file"},
      {good + "key 1 " + kText32, "a second key with the id 1"},
      {"key 1 " + kText32, "auth_hmac without active_key"},
      {"key 1 " + kText32 + "\nactive_key 2", "active_key 2 names no key"},
      {good + "mode strict", "unknown mode 'strict'"},
      {good + "anti_replay never", "unknown anti_replay 'never'"},
  };
  for (const auto& [lines, part] : refused) {
    const LoadResult result = load_text(instance_text(block(lines)));
    EXPECT_FALSE(result.diagnostics.can_run()) << lines;
    EXPECT_NE(find(result, part), nullptr) << lines << all(result);
    EXPECT_EQ(all(result).find(kText32.substr(1)), std::string::npos) << "a secret is said";
  }
  EXPECT_EQ(hmac_of("mode receive-only\nkey 1 " + kText32).active_key, 0) << "nothing is signed";
}

TEST(AuthHmac, AWindowOutOfRangeIsSaid) {
  for (const char* window : {"0", "301"}) {
    const LoadResult result = load_text(
        instance_text(block("key 1 " + kText32 + "\nactive_key 1\ntime_window " + window)));
    EXPECT_EQ(result.diagnostics.exit_code(), 5) << window;
    EXPECT_EQ(result.config.vrrp_instances.at(0).hmac.time_window_s.value(), 5u);
  }
}

TEST(AuthHmac, AWindowAsShortAsAnIntervalIsWarnedOf) {
  const std::string key = "key 1 " + kText32 + "\nactive_key 1\n";
  const auto said = [&](const std::string& lines) {
    const LoadResult result = load_text(instance_text(block(key + lines) + "\nadvert_int 2"));
    return find(result, "time_window is not longer than advert_int") != nullptr;
  };
  EXPECT_TRUE(said("time_window 2"));
  EXPECT_FALSE(said("time_window 3"));
  EXPECT_FALSE(said("")) << "the default";
  EXPECT_FALSE(said("time_window 2\nanti_replay monotonic"));
}

TEST(AuthHmac, ReplacesAuthentication) {
  for (const char* more : {"", "version 3\n"}) {
    const LoadResult result =
        load_text(instance_text(more + block("key 1 " + kText32 + "\nactive_key 1") +
                                "\nauthentication {\nauth_type PASS\nauth_pass x\n}"));
    const VrrpInstance& v = result.config.vrrp_instances.at(0);
    EXPECT_EQ(v.auth.type, AuthType::kNone);
    EXPECT_TRUE(v.hmac.is_used());
    EXPECT_NE(find(result, "auth_hmac replaces authentication"), nullptr);
    EXPECT_EQ(find(result, "has no authentication"), nullptr) << "said once";
    EXPECT_TRUE(result.diagnostics.can_run());
  }
}

TEST(AuthHmac, StrictModeEnforces) {
  const LoadResult result = load_text(instance_text(
      "strict_mode\n" + block("key 1 " + kText32 + "\nactive_key 1\nmode permissive")));
  EXPECT_EQ(result.config.vrrp_instances.at(0).hmac.mode, HmacMode::kEnforce);
  EXPECT_NE(find(result, "strict mode needs mode enforce"), nullptr);
}

// An Ethernet frame has room for one address less.
TEST(AuthHmac, OneIpv6AddressLess) {
  const std::string vips = "fe80::1\n~SEQ(i, 1, 90) fd00::$i";
  const std::string hmac = block("key 1 " + kText32 + "\nactive_key 1");
  EXPECT_EQ(load_text(instance_text("", "A", vips)).config.vrrp_instances.at(0).vips.size(), 90u);
  EXPECT_EQ(load_text(instance_text(hmac, "A", vips)).config.vrrp_instances.at(0).vips.size(), 89u);
}

TEST(AuthHmac, RoundTripAndSecrets) {
  const LoadResult first =
      load_text(instance_text(block("key 1 " + kHex32 + "\nkey 9 \"" + kText32 +
                                    " x\"\nactive_key 9\n"
                                    "time_window 7\nanti_replay monotonic\nmode receive-only")));
  const LoadResult second = load_text(print(first.config));
  EXPECT_TRUE(first.config == second.config) << print(first.config);
  EXPECT_EQ(second.config.vrrp_instances.at(0).hmac.keys.at(1).bytes, kText32 + " x");
  const std::string hidden = print(first.config, Secrets::kHide);
  EXPECT_EQ(hidden.find("0011223344"), std::string::npos);
  EXPECT_NE(hidden.find("key 1 ********"), std::string::npos) << hidden;
}

}  // namespace
}  // namespace keepline::config
