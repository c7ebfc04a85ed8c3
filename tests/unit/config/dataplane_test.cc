// keepline's own block.
#include <gtest/gtest.h>

#include "control/config/print.h"
#include "tests/unit/config/helpers.h"

namespace keepline::config {
namespace {

TEST(Dataplane, WhatIsWrongIsSaid) {
  const std::pair<const char*, const char*> wrong[] = {
      {"workers 17", "'17' is not a number in 1..16: ignored"},
      {"half_open_percent 0", "'0' is not a number in 1..100: ignored"},
      {"metrics here", "'here' is not an IP address"},
      {"metrics 127.0.0.1 0", "'0' is not a number in 1..65535: ignored"},
      {"failed_server drain", "expected 'reschedule' or 'drain SECONDS': ignored"},
      {"removed_server never", "expected 'reschedule' or 'drain SECONDS': ignored"},
      {"removed_server drain x", "'x' is not a number in 1..2592000: ignored"},
  };
  for (const auto& [line, message] : wrong) {
    const LoadResult result = load_text(std::string("dataplane {\n") + line + "\n}\n");
    EXPECT_NE(find(result, message), nullptr) << line;
  }
}

// Two instances with a FULLNAT service each; `block` is the dataplane's.
std::string full_nat_text(const std::string& block, bool both = false) {
  const std::string real = "real_server 10.0.1.1 8080 {\n}\n";
  const auto server = [&](const std::string& vip) {
    return "virtual_server " + vip + " 80 {\n lb_algo rr\n lb_kind FULLNAT\n protocol TCP\n" +
           real + "}\n";
  };
  return instance_text() +
         "vrrp_instance VI_2 {\n interface eth0\n virtual_router_id 52\n"
         " virtual_ipaddress {\n10.0.0.2\n }\n}\n" +
         server("10.0.0.1") + (both ? server("10.0.0.2") : "") + "dataplane {\n" + block + "\n}\n";
}

std::string addresses(const LocalAddresses& group) {
  std::string text = group.instance + ':';
  for (const net::IpAddr& address : group.addresses) text += ' ' + net::to_string(address);
  return text;
}

TEST(LocalAddress, RangesOfTheOneInstanceThatNeedsThem) {
  const LoadResult result =
      load_text(full_nat_text("local_address {\n10.0.1.200-202\n10.0.1.210\nfd00::1-2\n}"));
  EXPECT_EQ(all(result), "");
  ASSERT_EQ(result.config.dataplane.local_addresses.size(), 1u);
  EXPECT_EQ(addresses(result.config.dataplane.local_addresses[0]),
            "VI_1: 10.0.1.200 10.0.1.201 10.0.1.202 10.0.1.210 fd00::1 fd00::2");
  EXPECT_EQ(result.config.virtual_servers.at(0).real_servers.at(0).method(), Method::kFullNat);
  const LoadResult again = load_text(print(result.config));
  EXPECT_TRUE(again.config == result.config) << print(result.config);
}

TEST(LocalAddress, EachInstanceHasItsOwn) {
  const LoadResult result = load_text(full_nat_text(
      "local_address VI_2 {\n10.0.1.202\n}\nlocal_address VI_1 {\n10.0.1.201\n}", true));
  EXPECT_EQ(all(result), "");
  ASSERT_EQ(result.config.dataplane.local_addresses.size(), 2u);
  EXPECT_EQ(addresses(result.config.dataplane.local_addresses[0]), "VI_2: 10.0.1.202");
}

TEST(LocalAddress, WhatIsWrongIsSaidAndDoesNotRun) {
  const std::pair<std::string, const char*> wrong[] = {
      {full_nat_text(""), "FULLNAT has no IPv4 address to come from"},
      {full_nat_text("local_address {\nfd00::1\n}"), "FULLNAT has no IPv4 address to come from"},
      {full_nat_text("local_address VI_1 {\n10.0.1.200\n}", true),
       "FULLNAT has no IPv4 address to come from"},
      {full_nat_text("local_address {\n10.0.1.200\n}", true),
       "FULLNAT services of several vrrp_instances"},
      {full_nat_text("local_address VI_9 {\n10.0.1.200\n}"), "there is no vrrp_instance 'VI_9'"},
      {full_nat_text("local_address {\n10.0.1.1\n}"), "10.0.1.1 is in use"},
      {full_nat_text("local_address {\n10.0.0.2\n}"), "10.0.0.2 is in use"},
      {full_nat_text("local_address {\n10.0.1.200\n10.0.1.200\n}"), "10.0.1.200 is in use"},
      {full_nat_text("local_address {\n10.0.1.200-199\n}"), "'10.0.1.200-199' is no address"},
      {full_nat_text("local_address {\n10.1.0.0/16\n}"), "more than 1024 local addresses"},
      {full_nat_text("local_address {\n}"), "local_address without addresses"},
      {full_nat_text("local_address {\n10.0.1.200\n}\nlocal_address VI_1 {\n10.0.1.201\n}"),
       "a second local_address for the same services"},
  };
  for (const auto& [text, message] : wrong) {
    const LoadResult result = load_text(text);
    EXPECT_NE(find(result, message), nullptr) << message << '\n' << all(result);
    EXPECT_FALSE(result.diagnostics.can_run()) << message;
  }
}

TEST(LocalAddress, FullNatCannotDoWithoutConnections) {
  std::string text = full_nat_text("local_address {\n10.0.1.200\n}");
  text.replace(text.find("protocol TCP"), 12, "protocol UDP\nops");
  const LoadResult result = load_text(text);
  EXPECT_NE(find(result, "FULLNAT cannot do without connections: ops is ignored"), nullptr);
  EXPECT_FALSE(result.config.virtual_servers.at(0).one_packet);
}

TEST(LocalAddress, HowTheClientsAddressIsTold) {
  const auto with = [](const std::string& options, const char* protocol = "TCP") {
    std::string text = full_nat_text("local_address {\n10.0.1.200\n}");
    text.replace(text.find("FULLNAT"), 7, "FULLNAT " + options);
    text.replace(text.find("protocol TCP"), 12, std::string("protocol ") + protocol);
    return load_text(text);
  };
  const auto how = [](const LoadResult& result) {
    return result.config.virtual_servers.at(0).real_servers.at(0).forwarding().client_address;
  };
  using enum ClientAddress;
  EXPECT_EQ(how(with("")), kUntold);
  EXPECT_EQ(how(with("toa")), kToa);
  EXPECT_EQ(how(with("proxy_protocol")), kProxyProtocol);
  EXPECT_EQ(how(with("proxy_protocol", "UDP")), kProxyProtocol);
  const LoadResult written = with("proxy_protocol");
  const LoadResult again = load_text(print(written.config));
  EXPECT_TRUE(again.config == written.config) << print(written.config);
  const std::tuple<const char*, const char*, const char*> wrong[] = {
      {"toa", "UDP", "toa is not for UDP: ignored"},
      {"proxy_protocol", "SCTP", "proxy_protocol is not for SCTP: ignored"},
  };
  for (const auto& [options, protocol, message] : wrong) {
    const LoadResult result = with(options, protocol);
    EXPECT_NE(find(result, message), nullptr) << message;
    EXPECT_EQ(how(result), kUntold);
  }
  EXPECT_NE(find(with("tao"), "'tao' is not an option of FULLNAT: ignored"), nullptr);
  EXPECT_NE(find(with("toa now"), "'now' is not an option of FULLNAT: ignored"), nullptr);
}

TEST(LocalAddress, FullNatMayChangeThePortButNotTheFamily) {
  std::string text = full_nat_text("local_address {\n10.0.1.200\n}");
  text.replace(text.find("real_server 10.0.1.1"), 20, "real_server fd00::9");
  EXPECT_NE(find(load_text(text), "is of another family than its virtual server"), nullptr);
}

}  // namespace
}  // namespace keepline::config
