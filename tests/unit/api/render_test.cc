// Golden texts. Services and connections are the lines that ipvsadm 1.31 printed for the same
// state, trailing blanks included; only the very first line names another version.
#include "control/cli/render.h"

#include <gtest/gtest.h>

#include "tests/unit/api/reports.h"

namespace keepline::cli {
namespace {

TEST(Render, ServicesLookLikeIpvsadm) {
  EXPECT_EQ(render_services(api::sample_services()),
            "IP Virtual Server version keepline-0.1.0 (size=4096)\n"
            "Prot LocalAddress:Port Scheduler Flags\n"
            "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n"
            "TCP  10.230.0.100:80 rr\n"
            "  -> 10.230.1.20:80               Masq    1      10         43        \n"
            "  -> 10.230.1.21:80               Masq    2      10         44        \n"
            "TCP  10.230.0.100:81 wrr persistent 120\n"
            "  -> 10.230.1.20:80               Route   1      0          0         \n"
            "UDP  10.230.0.100:53 wlc\n"
            "  -> 10.230.1.99:53               Tunnel  1      0          0         \n");
}

TEST(Render, StatsLookLikeIpvsadm) {
  EXPECT_EQ(render_services(api::sample_services(), {.columns = Columns::kStats}),
            "IP Virtual Server version keepline-0.1.0 (size=4096)\n"
            "Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes\n"
            "  -> RemoteAddress:Port\n"
            "TCP  10.230.0.100:80                   107    91829    91757  8248936 19666271\n"
            "  -> 10.230.1.20:80                     53    45914    45878  4124476  9833187\n"
            "  -> 10.230.1.21:80                     54    45915    45879  4124460  9833084\n"
            "TCP  10.230.0.100:81                     0        0        0        0        0\n"
            "  -> 10.230.1.20:80                      0        0        0        0        0\n"
            "UDP  10.230.0.100:53                     0        0        0        0        0\n"
            "  -> 10.230.1.99:53                      0        0        0        0        0\n");
}

TEST(Render, RatesLookLikeIpvsadm) {
  const std::string text = render_services(api::sample_services(), {.columns = Columns::kRates});
  EXPECT_TRUE(text.starts_with(
      "IP Virtual Server version keepline-0.1.0 (size=4096)\n"
      "Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS\n"
      "  -> RemoteAddress:Port\n"
      "TCP  10.230.0.100:80                     9     7906     7901   710285  1693686\n"
      "  -> 10.230.1.20:80                      4     3953     3951   355150   846851\n"
      "  -> 10.230.1.21:80                      4     3953     3951   355136   846835\n"))
      << text;
}

// What ipvsadm 1.31 makes of these numbers (its print_largenum()).
TEST(Render, LargeNumbersAreShortenedUnlessExact) {
  api::ServiceReport service{"TCP", "10.0.0.1", 80, "rr", "", {}, {}, {}};
  service.stats = {99'999'999, 100'000'000, 1'000'000'000, 100'000'000'000,
                   18'446'744'073'709'551'615ull};
  const api::ServicesReport report{"0.1.0", 1, {service}};
  const std::string name = "TCP  10.0.0.1:80                 ";
  const std::string text = render_services(report, {.columns = Columns::kStats});
  EXPECT_NE(text.find(name + " 99999999  100000K    1000M     100G18446744T\n"), std::string::npos)
      << text;
  const std::string exact =
      render_services(report, {.columns = Columns::kStats, .numbers = Numbers::kExact});
  EXPECT_NE(exact.find(name + " 99999999 100000000 1000000000 100000000000 18446744073709551615\n"),
            std::string::npos)
      << exact;
}

TEST(Render, AllRealsWithTheirHealth) {
  const std::string text = render_services(api::sample_services(), {.reals = Reals::kAll});
  EXPECT_NE(
      text.find("  -> 10.230.1.20:80               Masq    1      10         43         up\n"),
      std::string::npos);
  EXPECT_NE(text.find("  -> 10.230.1.20:53               Masq    1      0          0          "
                      "down, not in pool\n"),
            std::string::npos);
  EXPECT_NE(text.find("0          unchecked, sorry server\n"), std::string::npos);
}

TEST(Render, AddressesOfIpv6AreBracketed) {
  api::ServicesReport report{"0.1.0", 1, {{"TCP", "2001:db8::1", 80, "rr", "", {}, {}, {}}}};
  EXPECT_NE(render_services(report).find("TCP  [2001:db8::1]:80 rr\n"), std::string::npos);
}

TEST(Render, ConnectionsLookLikeIpvsadm) {
  EXPECT_EQ(render_connections(api::sample_connections()),
            "IPVS connection entries\n"
            "pro expire state       source             virtual            destination\n"
            "TCP 14:59  ESTABLISHED 10.230.0.10:48582  10.230.0.100:80    10.230.1.21:80\n"
            "TCP 01:58  TIME_WAIT   10.230.0.10:48402  10.230.0.100:80    10.230.1.20:80\n"
            "UDP 04:57  UDP         10.230.0.10:40003  10.230.0.100:53    10.230.1.20:53\n");
}

TEST(Render, ConnectionsOfFullNatSayWhomTheServerSees) {
  api::ConnectionPage page = api::sample_connections();
  page.connections[2].local = "10.230.1.200:1024";
  const std::string text = render_connections(page);
  EXPECT_NE(text.find("10.230.0.100:53    10.230.1.20:53 from 10.230.1.200:1024\n"),
            std::string::npos);
}

TEST(Render, Vrrp) {
  EXPECT_EQ(
      render_vrrp(api::sample_vrrp()),
      "Instance  State   Since  Interface  VRID  Ver  Prio  Eff  Advert  Master    Addresses\n"
      "VI_1      MASTER  3m12s  eth0       51    3    150   130  1s      10.0.0.2  "
      "10.0.0.100/24,10.0.0.101/24\n"
      "VI_22     BACKUP  -      eth1       7     2    100   100  0.01s   -         -\n"
      "\n"
      "VI_1: adverts_sent=12\n");
  EXPECT_EQ(render_vrrp({}), "no VRRP instances\n");
}

TEST(Render, Status) {
  EXPECT_EQ(render_status(api::sample_status()),
            "keepline 1.2.3, instance keepline, pid 4711, up 1d02h\n"
            "Configuration: /etc/keepalived/keepalived.conf (full)\n"
            "Reloads:       3, refused 1; the last one was refused: the file does not run\n"
            "Control lag:   12 us, at most 850 us\n"
            "Connections:   room for 1048576 of each family, 80 bytes each (IPv6 144)\n"
            "\n"
            "Port  Driver  Address            Link  RxPackets  TxPackets  RxMissed  TxMissed\n"
            "eth1  af_xdp  02:00:00:00:00:01  up    10         20         1         2\n"
            "\n"
            "Worker  Lcore  Packets  Bursts  Idle%  Drops         Flows\n"
            "0       2      3200     100     12.5   no_service=3  reclaimed=5\n");
}

TEST(Render, Lcores) {
  EXPECT_EQ(
      render_lcores(api::sample_lcores()),
      "Worker  Lcore  Packets  Bytes   Packets/s  Bytes/s  Conns/s  Conns  Drops  Busy%  Turns   "
      "Sleeps\n"
      "0       1      1000     123456  100        7000     0        12     5      12.5   500000  "
      "30\n"
      "1       2      0        0       0          0        0        0      0      0.0    0       "
      "0\n"
      "\n"
      "Worker  Lcore  Port  Received  Transmitted\n"
      "0       1      eth0  600       500\n"
      "0       1      eth1  400       480\n");
}

TEST(Render, Stages) {
  EXPECT_EQ(render_stages(api::sample_stages_report()),
            "Sampling is on: `keepline stages off` ends it.\n"
            "\n"
            "Worker 0, lcore 1: 320 packets in 10 bursts sampled\n"
            "Stage    Cycles/packet  ns/packet  Share%\n"
            "receive  100.0          50.0       25.0\n"
            "parse    300.0          150.0      75.0\n"
            "all      400.0          200.0      100.0\n");
  EXPECT_EQ(render_stages({}), "Sampling is off: `keepline stages on` begins it.\n");
}

TEST(Render, Durations) {
  EXPECT_EQ(render_duration(0), "0s");
  EXPECT_EQ(render_duration(59), "59s");
  EXPECT_EQ(render_duration(60), "1m00s");
  EXPECT_EQ(render_duration(3600 * 4 + 180), "4h03m");
  EXPECT_EQ(render_duration(86400 * 12 + 3600 * 4 + 59), "12d04h");
}

TEST(Render, BfdSessions) {
  const std::string text = render_bfd(api::sample_bfd());
  for (const char* part :
       {"peer     10.0.0.2                Up     Up      10.0ms    30.0ms  90.0ms", "1m01s",
        "far      2001:db8::2 (multihop)  Down   -       1000.0ms  -",
        "Control Detection Time Expired", "Discarded, of no session: unknown_session=4"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << '\n' << text;
  }
}

}  // namespace
}  // namespace keepline::cli
