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

TEST(Render, AllRealsWithTheirHealth) {
  const std::string text = render_services(api::sample_services(), Reals::kAll);
  EXPECT_NE(
      text.find("  -> 10.230.1.20:80               Masq    1      10         43         up\n"),
      std::string::npos);
  EXPECT_NE(text.find("  -> 10.230.1.20:53               Masq    1      0          0          "
                      "down, not in pool\n"),
            std::string::npos);
  EXPECT_NE(text.find("0          unchecked, sorry server\n"), std::string::npos);
}

TEST(Render, AddressesOfIpv6AreBracketed) {
  api::ServicesReport report{"0.1.0", 1, {{"TCP", "2001:db8::1", 80, "rr", "", 0, 0, {}}}};
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

TEST(Render, Vrrp) {
  EXPECT_EQ(
      render_vrrp(api::sample_vrrp(), 1192),
      "Instance  State   Since  Interface  VRID  Ver  Prio  Eff  Advert  Master    Addresses\n"
      "VI_1      MASTER  3m12s  eth0       51    3    150   130  1s      10.0.0.2  "
      "10.0.0.100/24,10.0.0.101/24\n"
      "VI_22     BACKUP  -      eth1       7     2    100   100  0.01s   -         -\n"
      "\n"
      "VI_1: adverts_sent=12\n");
  EXPECT_EQ(render_vrrp({}, 0), "no VRRP instances\n");
}

TEST(Render, Status) {
  EXPECT_EQ(render_status(api::sample_status()),
            "keepline 1.2.3, instance keepline, pid 4711, up 1d02h\n"
            "Configuration: /etc/keepalived/keepalived.conf (full)\n"
            "Control lag:   12 us, at most 850 us\n"
            "\n"
            "Port  Driver  Address            Link  RxPackets  TxPackets  RxMissed  TxMissed\n"
            "eth1  af_xdp  02:00:00:00:00:01  up    10         20         1         2\n"
            "\n"
            "Worker  Lcore  Packets  Bursts  Idle%  Drops\n"
            "0       2      3200     100     12.5   no_service=3\n");
}

TEST(Render, Durations) {
  EXPECT_EQ(render_duration(0), "0s");
  EXPECT_EQ(render_duration(59), "59s");
  EXPECT_EQ(render_duration(60), "1m00s");
  EXPECT_EQ(render_duration(3600 * 4 + 180), "4h03m");
  EXPECT_EQ(render_duration(86400 * 12 + 3600 * 4 + 59), "12d04h");
}

}  // namespace
}  // namespace keepline::cli
