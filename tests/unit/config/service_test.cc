// Virtual servers: values, defaults, inheritance, groups, rules, refusals, round trip.
#include <gtest/gtest.h>

#include "control/config/print.h"
#include "tests/unit/config/helpers.h"

namespace keepline::config {
namespace {

VirtualServer server_of(const std::string& more, const std::string& in_real = "") {
  const LoadResult result = load_text(service_text(more, in_real));
  EXPECT_EQ(result.config.virtual_servers.size(), 1U) << all(result);
  return result.config.virtual_servers.at(0);
}

TEST(Service, DefaultsAndSynonyms) {
  const VirtualServer s = server_of("lvs_sched wrr\nlvs_method DR\nprotocol udp", "");
  EXPECT_EQ(net::to_string(s.address), "10.0.0.1");
  EXPECT_EQ(s.port, 80);
  EXPECT_EQ(s.position.line, 1U);
  EXPECT_EQ(s.scheduler.value(), Scheduler::kWrr);
  EXPECT_EQ(s.forwarding().method, Method::kDr);
  EXPECT_EQ(s.protocol.value(), net::Protocol::kUdp);
  EXPECT_EQ(s.delay_loop_us(), 60 * kSecondUs);
  EXPECT_EQ(s.quorum, 1U);
  EXPECT_EQ(s.real_servers.at(0).weight(), 1U);
  EXPECT_EQ(s.real_servers.at(0).port, 80);  // DR cannot change the port.
}

TEST(Service, CleanServiceSaysNothing) {
  EXPECT_TRUE(load_text(service_text("", "TCP_CHECK { }")).diagnostics.items().empty());
}

TEST(Service, Inheritance) {
  const VirtualServer s = server_of(
      "TCP_CHECK_is_below 1\ndelay_loop 5\nretry 4\nconnect_timeout 2.5\nvirtualhost vs.example\n"
      "inhibit_on_failure\nalpha\nweight 7\n",
      "delay_loop 6\nweight 3\nTCP_CHECK {\n}\nHTTP_GET {\n delay_loop 7\n alpha off\n"
      " nb_get_retry 9\n url {\n path /\n }\n url {\n path /b\n virtualhost u\n"
      " status_code 200 301-302\n digest 0123456789abcdef0123456789ABCDEF\n }\n}");
  const RealServer& real = s.real_servers.at(0);
  EXPECT_EQ(real.weight(), 3U);
  EXPECT_TRUE(real.inhibit_on_failure());
  ASSERT_EQ(real.checkers.size(), 2U);
  const CheckOptions& tcp = options_of(real.checkers[0]);
  EXPECT_EQ(tcp.delay_loop_us.value(), 6 * kSecondUs);
  EXPECT_EQ(tcp.warmup_us.value(), 6 * kSecondUs);
  EXPECT_EQ(tcp.retry.value(), 4U);
  EXPECT_EQ(tcp.connect_timeout_us.value(), 2'500'000U);
  EXPECT_EQ(tcp.delay_before_retry_us.value(), kSecondUs);
  EXPECT_EQ(net::to_string(tcp.connect_ip.value()), "10.0.1.1");
  EXPECT_EQ(tcp.connect_port.value(), 8080);
  EXPECT_TRUE(tcp.alpha);
  const auto& http = std::get<HttpCheck>(real.checkers[1]);
  EXPECT_EQ(http.options.delay_loop_us.value(), 7 * kSecondUs);
  EXPECT_EQ(http.options.retry.value(), 9U);
  EXPECT_EQ(http.options.delay_before_retry_us.value(), 3 * kSecondUs);
  EXPECT_FALSE(http.options.alpha);
  ASSERT_EQ(http.urls.size(), 2U);
  EXPECT_EQ(http.urls[0].virtualhost, "vs.example");
  EXPECT_EQ(http.urls[0].status_codes, std::vector<StatusRange>{StatusRange{}});
  EXPECT_EQ(http.urls[1].virtualhost, "u");
  ASSERT_EQ(http.urls[1].status_codes.size(), 2U);
  EXPECT_EQ(http.urls[1].status_codes[1].last, 302);
  EXPECT_EQ(http.urls[1].digest->at(15), 0xef);
}

TEST(Service, CheckerWords) {
  const VirtualServer s =
      server_of("",
                "TCP_CHECK {\nconnect_ip 10.0.2.1\nconnect_port 99\nbindto 10.0.0.7\nretry 2\n"
                "delay_before_retry 0.5\nwarmup 0\n}");
  const CheckOptions& o = options_of(s.real_servers.at(0).checkers.at(0));
  EXPECT_EQ(net::to_string(o.connect_ip.value()), "10.0.2.1");
  EXPECT_EQ(o.connect_port.value(), 99);
  EXPECT_EQ(net::to_string(*o.bindto), "10.0.0.7");
  EXPECT_EQ(o.delay_before_retry_us.value(), 500'000U);
  EXPECT_EQ(o.warmup_us.value(), 0U);
}

TEST(Service, OtherCheckersCountAsUp) {
  const LoadResult result = load_text(service_text(
      "",
      "MISC_CHECK {\nmisc_path \"/c.sh 1\"\nmisc_dynamic\n}\nSSL_GET {\nurl { path / }\n}\n"
      "DNS_CHECK {\nname x\n}\nPING_CHECK\n"));
  const RealServer& real = result.config.virtual_servers.at(0).real_servers.at(0);
  ASSERT_EQ(real.checkers.size(), 3U) << all(result);
  const auto& misc = std::get<OtherCheck>(real.checkers[0]);
  EXPECT_EQ(misc.options.retry.value(), 0U);
  EXPECT_TRUE(misc.misc_dynamic);
  EXPECT_TRUE(std::get<HttpCheck>(real.checkers[1]).is_ssl);
  const auto& dns = std::get<OtherCheck>(real.checkers[2]);
  EXPECT_EQ(dns.options.retry.value(), 3U);
  EXPECT_EQ(dns.options.delay_before_retry_us.value(), 60 * kSecondUs);
  EXPECT_NE(find(result, "DNS_CHECK is accepted, not run yet: the server counts as up"), nullptr);
  EXPECT_EQ(result.diagnostics.exit_code(), 6);
}

TEST(Service, FlagsOfSchedulersAreForThose) {
  const LoadResult result = load_text(service_text("lb_algo sh\nsh-port"));
  EXPECT_EQ(result.diagnostics.exit_code(), 0) << all(result);
  EXPECT_TRUE(result.config.virtual_servers.at(0).hash_port);
  EXPECT_FALSE(server_of("mh-port").hash_port);
}

TEST(Service, Deprecated) {
  const LoadResult result =
      load_text(service_text("nat_mask 255.255.255.0", "TCP_CHECK {\nnb_get_retry 5\n}"));
  EXPECT_EQ(result.diagnostics.items().size(), 2U) << all(result);
  EXPECT_EQ(result.diagnostics.exit_code(), 0);
  const auto& real = result.config.virtual_servers.at(0).real_servers.at(0);
  EXPECT_EQ(options_of(real.checkers.at(0)).retry.value(), 5U);
}

TEST(Service, QuorumAndHysteresis) {
  EXPECT_EQ(server_of("quorum 9\nweight 4").quorum, 4U);
  EXPECT_EQ(server_of("quorum 3\nweight 4\nhysteresis 3").hysteresis, 2U);
}

TEST(Service, SorryServer) {
  const VirtualServer s = server_of("sorry_server 10.0.1.9");
  EXPECT_EQ(s.sorry_server->target.port, 80);
  EXPECT_EQ(s.sorry_server->forwarding.method, Method::kNat);
  EXPECT_EQ(server_of("sorry_server 10.0.1.9 81").sorry_server->target.port, 81);
  EXPECT_FALSE(server_of("sorry_server fe80::9 81").sorry_server);
}

TEST(Service, Persistence) {
  EXPECT_EQ(server_of("persistence_timeout").persistence->timeout_us, 360 * kSecondUs);
  EXPECT_EQ(server_of("persistence_timeout 50").persistence->timeout_us, 50 * kSecondUs);
  EXPECT_EQ(server_of("persistence_granularity 255.255.255.0").persistence->granularity, 24);
  EXPECT_FALSE(server_of("").persistence);
}

TEST(Service, RealServerRules) {
  const LoadResult result = load_text(
      "virtual_server 10.0.0.1 80 {\nlb_algo rr\nlb_kind NAT\nprotocol TCP\n"
      "real_server 10.0.1.1 { }\nreal_server 10.0.1.1 80 { }\nreal_server fe80::1 80 { }\n"
      "real_server 10.0.1.2 81 { lvs_method DR }\n}\n");
  const auto& reals = result.config.virtual_servers.at(0).real_servers;
  ASSERT_EQ(reals.size(), 2U) << all(result);
  EXPECT_EQ(reals[0].port, 80);
  EXPECT_EQ(reals[1].port, 80);
  EXPECT_NE(find(result, "a second real_server 10.0.1.1 80"), nullptr);
  EXPECT_NE(find(result, "of another family"), nullptr);
}

TEST(Service, MissingWordsAreNamed) {
  const LoadResult result =
      load_text("virtual_server 10.0.0.1 80 {\nreal_server 10.0.1.1 80 { }\n}");
  EXPECT_NE(find(result, "TCP connections will NOT be forwarded"), nullptr);
  EXPECT_NE(find(result, "without lb_algo: wlc is used"), nullptr);
  EXPECT_NE(find(result, "without lb_kind: NAT is used"), nullptr);
  EXPECT_EQ(result.diagnostics.exit_code(), 5);
  EXPECT_TRUE(result.diagnostics.can_run());
}

TEST(Service, GroupsBecomeTheirAddresses) {
  const LoadResult result =
      load_text(service_text("quorum 5", "", "group G") +
                "virtual_server_group G {\n10.0.0.1 80\n10.0.0.5-7 81\n10.1.0.254-10.1.1.1 82\n"
                "10.2.0.0/30 83\n10.0.0.9-3 84\n}\n");
  const auto& servers = result.config.virtual_servers;
  ASSERT_EQ(servers.size(), 1U + 3 + 4 + 4) << all(result);
  EXPECT_EQ(net::to_string(servers[3].address), "10.0.0.7");
  EXPECT_EQ(net::to_string(servers[6].address), "10.1.1.0");
  EXPECT_EQ(servers[11].port, 83);
  EXPECT_EQ(servers[11].real_servers.size(), 1U);
  // What is wrong with the words is said once, not once an address.
  EXPECT_EQ(result.diagnostics.items().size(), 2U) << all(result);
  const LoadResult v6 = load_text(service_text("", "", "group G") +
                                  "virtual_server_group G {\n2001:db8::fe-101 80\n}\n");
  EXPECT_EQ(v6.diagnostics.exit_code(), 5);  // The IPv4 real server is of another family.
}

TEST(Service, GroupsAreBounded) {
  const LoadResult result = load_text("virtual_server_group G {\n10.0.0.0/8 80\n}\n");
  EXPECT_EQ(result.diagnostics.exit_code(), 5);
}

TEST(Service, DuplicateServicesAreIgnored) {
  const LoadResult result = load_text(service_text() + service_text());
  EXPECT_EQ(result.config.virtual_servers.size(), 1U);
  EXPECT_NE(find(result, "a second virtual_server 10.0.0.1 80"), nullptr);
  EXPECT_EQ(load_text(service_text() + service_text("protocol UDP")).diagnostics.exit_code(), 0);
}

TEST(Service, Ipv6IsLikeIpv4) {
  const LoadResult result = load_text(
      "virtual_server 2001:db8::1 80 {\nlb_algo rr\nlb_kind NAT\nprotocol TCP\n"
      "real_server 2001:db8::2 80 { }\n}\n");
  EXPECT_EQ(result.diagnostics.items().size(), 0U) << all(result);
  ASSERT_EQ(result.config.virtual_servers.size(), 1U);
  EXPECT_EQ(result.config.virtual_servers[0].real_servers.size(), 1U);
}

TEST(Service, Tunnels) {
  using enum TunnelType;
  using enum TunnelChecksum;
  const auto forwarding = [](const std::string& words) {
    return load_text(service_text("lb_kind " + words)).config.virtual_servers.at(0).forwarding();
  };
  const auto tun = [](TunnelType type, std::uint16_t port, TunnelChecksum checksum) {
    return Forwarding{Method::kTun, type, port, checksum};
  };
  EXPECT_EQ(forwarding("TUN"), tun(kIpip, 0, kNone));
  EXPECT_EQ(forwarding("TUN type ipip nocsum"), tun(kIpip, 0, kNone));
  EXPECT_EQ(forwarding("TUN type gre csum"), tun(kGre, 0, kAll));
  EXPECT_EQ(forwarding("TUN type gue port 6080"), tun(kGue, 6080, kNone));
  EXPECT_EQ(forwarding("TUN csum port 6080 type gue"), tun(kGue, 6080, kAll));
  EXPECT_EQ(forwarding("TUN type gue port 6080 remcsum"), tun(kGue, 6080, kRemote));
  const std::pair<const char*, const char*> wrong[] = {
      {"TUN type", "'type' is not an option of TUN: ignored"},
      {"TUN type vxlan", "unknown tunnel type 'vxlan': ignored"},
      {"TUN type gue", "type gue needs a port: ignored"},
      {"TUN type gue port 0", "'0' is not a number in 1..65535: ignored"},
      {"TUN type gre port 9", "only type gue has a port: ignored"},
      {"TUN csum", "type ipip has no checksum: ignored"},
      {"TUN type gre remcsum", "only type gue has remcsum: ignored"},
      {"TUN fast", "'fast' is not an option of TUN: ignored"},
      {"FOO", "'FOO' is not a forwarding method: ignored"},
  };
  for (const auto& [words, message] : wrong) {
    const LoadResult result = load_text(service_text(std::string("lb_kind ") + words));
    EXPECT_NE(find(result, message), nullptr) << words << all(result);
    EXPECT_EQ(result.config.virtual_servers.at(0).forwarding(), Forwarding());
    EXPECT_EQ(result.diagnostics.exit_code(), 5);
  }
}

TEST(Service, OnlyTunnelsLeadToTheOtherFamily) {
  const LoadResult result = load_text(
      "virtual_server 10.0.0.1 80 {\nlb_algo rr\nlb_kind NAT\nprotocol TCP\n"
      "real_server fd00::1 80 { lvs_method TUN type gre }\nreal_server fd00::2 80 { }\n"
      "sorry_server fd00::9\nsorry_server_lvs_method TUN\n}\n");
  const VirtualServer& server = result.config.virtual_servers.at(0);
  ASSERT_EQ(server.real_servers.size(), 1U) << all(result);
  EXPECT_EQ(server.real_servers[0].forwarding().tunnel, TunnelType::kGre);
  EXPECT_NE(find(result, "real_server fd00::2 is of another family"), nullptr);
  ASSERT_TRUE(server.sorry_server.has_value());
  EXPECT_EQ(server.sorry_server->forwarding.method, Method::kTun);
  const LoadResult again = load_text(print(result.config));
  EXPECT_TRUE(again.config == result.config) << print(result.config);
}

TEST(Service, AllPortsOfAnAddress) {
  const LoadResult result = load_text(
      "virtual_server 10.0.0.1 {\nlb_algo rr\nlb_kind NAT\nprotocol TCP\n"
      "real_server 10.0.1.1 8080 {\nTCP_CHECK {\nconnect_port 22\n}\n}\nreal_server 10.0.1.2 {\n}\n"
      "sorry_server 10.0.1.9 90\n}\n");
  const VirtualServer& server = result.config.virtual_servers.at(0);
  EXPECT_TRUE(result.diagnostics.can_run());
  EXPECT_NE(find(result, "of all ports without persistence_timeout: 360 s are used"), nullptr);
  EXPECT_NE(find(result, "real_server 10.0.1.1 of a virtual server of all ports"), nullptr);
  EXPECT_EQ(server.persistence->timeout_us, 360'000'000u);
  EXPECT_EQ(server.persistence->granularity, 32);
  EXPECT_EQ(server.real_servers.at(0).port, 0);
  EXPECT_EQ(server.sorry_server->target.port, 0);
  const LoadResult again = load_text(print(result.config));
  EXPECT_TRUE(again.config == result.config) << print(result.config) << all(again);

  const LoadResult blind = load_text(
      "virtual_server fd00::1 0 {\nlb_algo rr\nlb_kind NAT\nprotocol TCP\npersistence_timeout 9\n"
      "real_server fd00::2 {\nTCP_CHECK {\n}\n}\n}\n");
  EXPECT_FALSE(blind.diagnostics.can_run());
  EXPECT_NE(find(blind, "a check without connect_port: real_server fd00::2 has all ports"),
            nullptr);
  EXPECT_EQ(blind.config.virtual_servers.at(0).persistence->granularity, 128);
}

TEST(Service, SynProxy) {
  const auto proxied = [](const LoadResult& result) {
    return result.config.virtual_servers.at(0).syn_proxy;
  };
  const LoadResult good = load_text(service_text("syn_proxy"));
  EXPECT_EQ(all(good), "");
  EXPECT_TRUE(proxied(good));
  EXPECT_TRUE(load_text(print(good.config)).config == good.config);
  EXPECT_FALSE(proxied(load_text(service_text())));
  const std::pair<std::string, const char*> wrong[] = {
      {service_text("syn_proxy\nprotocol UDP"), "syn_proxy is for TCP only: ignored"},
      {service_text("syn_proxy\nlb_kind DR"), "syn_proxy needs answers that come back"},
      {service_text("syn_proxy", "lvs_method TUN"), "syn_proxy needs answers that come back"},
      {service_text("syn_proxy\nsorry_server 10.0.1.9\nsorry_server_lvs_method DR"),
       "syn_proxy needs answers that come back"},
  };
  for (const auto& [text, message] : wrong) {
    const LoadResult result = load_text(text);
    EXPECT_NE(find(result, message), nullptr) << text << all(result);
    EXPECT_FALSE(proxied(result));
    EXPECT_TRUE(result.diagnostics.can_run());
  }
}

TEST(Service, AccessAndRates) {
  const LoadResult result = load_text(
      service_text("deny {\n198.51.100.0/24\n2001:db8::/32\n}\nallow {\n10.0.0.0/8\n192.0.2.9\n}\n"
                   "client_rate 100 500"));
  EXPECT_FALSE(result.diagnostics.has_errors()) << all(result);
  const VirtualServer& server = result.config.virtual_servers.at(0);
  ASSERT_EQ(server.access.list->size(), 4u);
  EXPECT_TRUE(server.access.list->at(1).allow);
  EXPECT_EQ(server.access.list->at(1).network.length, 32);
  EXPECT_FALSE(server.access.list->at(2).allow);
  EXPECT_EQ(server.client_rate, (ClientRate{100, 500}));
  const LoadResult again = load_text(print(result.config));
  EXPECT_TRUE(again.config == result.config) << print(result.config);
  EXPECT_EQ(load_text(service_text("client_rate 9")).config.virtual_servers.at(0).client_rate.burst,
            9u);
  const std::pair<const char*, const char*> wrong[] = {
      {"deny {\n10.0.0.1/8\n}", "'10.0.0.1/8' is no address or network"},
      {"deny {\n10.0.0.0/33\n}", "'10.0.0.0/33' is no address or network"},
      {"allow {\nfriends\n}", "'friends' is no address or network"},
      {"client_rate 0", "'0' is not a number in 1..1000000"},
      {"client_rate 1 0", "'0' is not a number in 1..1000000"},
  };
  for (const auto& [text, message] : wrong) {
    EXPECT_NE(find(load_text(service_text(text)), message), nullptr) << text;
  }
  EXPECT_FALSE(load_text(service_text("deny {\n10.0.0.1/8\n}")).diagnostics.can_run());
}

TEST(Service, Refusals) {
  const std::string refused[] = {
      service_text("", "", "fwmark 3"),
      "virtual_server_group G {\nfwmark 4\n}\n" + service_text("", "", "group G"),
      service_text("", "", "10.0.1.1 80"),
      service_text("sorry_server 10.0.0.1 81"),
  };
  for (const std::string& text : refused) {
    const LoadResult result = load_text(text);
    EXPECT_FALSE(result.diagnostics.can_run()) << text;
    bool has_hint = false;
    for (const Diagnostic& d : result.diagnostics.items()) {
      has_hint |= d.effect == Effect::kCannotRun && !d.hint.empty();
    }
    EXPECT_TRUE(has_hint) << text << all(result);
  }
}

TEST(Service, RoundTrip) {
  const std::string text = service_text(
      "lb_algo mh\nmh-port\nmh-fallback\npersistence_timeout 10\nquorum 2\nweight 3\nhysteresis 1\n"
      "quorum_up \"/up 'a b'\" u g\nquorum_down /down\nomega\nha_suspend\nsmtp_alert\nretry 3\n"
      "sorry_server 10.0.1.9 99\nsorry_server_lvs_method NAT\nsorry_server_inhibit\n",
      "uthreshold 9\nlthreshold 4\nnotify_up /u\nsmtp_alert off\ninhibit_on_failure\n"
      "TCP_CHECK {\nbindto 10.0.0.7\nbind_if eth3\nlog_all_failures\n}\n"
      "HTTP_GET {\nhttp_protocol 1.1\nenable_sni\nurl {\npath /\nregex \"a\\\"{2} \\\\d $x\"\n"
      "regex_options caseless utf\nregex_no_match\n}\n}\n"
      "MISC_CHECK {\nmisc_path \"/m\"\nmisc_timeout 9\n}\nBFD_CHECK {\nname b\n}\n");
  const LoadResult first = load_text(text);
  EXPECT_FALSE(first.diagnostics.has_errors()) << all(first);
  const LoadResult second = load_text(print(first.config));
  EXPECT_FALSE(second.diagnostics.has_errors()) << all(second);
  EXPECT_TRUE(first.config == second.config) << print(first.config) << print(second.config);
  const auto& real = second.config.virtual_servers.at(0).real_servers.at(0);
  EXPECT_EQ(std::get<HttpCheck>(real.checkers.at(1)).urls.at(0).regex, "a\"{2} \\d $x");
}

}  // namespace
}  // namespace keepline::config
