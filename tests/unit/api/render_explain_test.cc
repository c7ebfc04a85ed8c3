// Golden texts of `explain`, and that each outcome says why.
#include <gtest/gtest.h>

#include "control/cli/render.h"
#include "tests/unit/api/reports.h"

namespace keepline::cli {
namespace {

/// The second line: what becomes of it.
std::string verdict(const api::ExplainReport& report) {
  const std::string text = render_explain(report);
  const std::size_t begin = text.find('\n') + 1;
  return text.substr(begin, text.find('\n', begin) - begin);
}

TEST(RenderExplain, NewConnection) {
  EXPECT_EQ(render_explain(api::sample_explain()),
            "TCP 198.51.100.7:40000 -> 192.0.2.100:80\n"
            "new connection: scheduler wrr would choose 10.0.0.2:8080 (weight 3)\n"
            "\n"
            "VIP       instance VI_1 is MASTER here\n"
            "Service   TCP 192.0.2.100:80 wrr\n"
            "Server    10.0.0.2:8080 Masq, weight 3\n"
            "Next hop  10.0.0.2 through eth1, MAC address 02:00:00:00:00:02\n"
            "Worker    1, shard 17\n");
}

TEST(RenderExplain, DroppedOnABackup) {
  api::ExplainReport report = api::sample_explain();
  report.outcome = "dropped";
  report.drop = "not_master";
  report.lease_held = false;
  report.instance_state = "BACKUP";
  report.server.clear();
  EXPECT_EQ(render_explain(report),
            "TCP 198.51.100.7:40000 -> 192.0.2.100:80\n"
            "dropped: not_master - instance VI_1 is BACKUP here\n"
            "\n"
            "VIP       instance VI_1 is BACKUP here\n"
            "Service   TCP 192.0.2.100:80 wrr\n"
            "Worker    1, shard 17\n");
  report.instance_state = "MASTER";
  EXPECT_EQ(verdict(report),
            "dropped: not_master - instance VI_1 is MASTER, but its lease has run out: look for a "
            "stall");
}

TEST(RenderExplain, ForTheKernel) {
  api::ExplainReport report;
  report.protocol = "UDP";
  report.source = "[2001:db8::7]:1";
  report.destination = "[2001:db8::1]:53";
  report.outcome = "kernel";
  EXPECT_EQ(render_explain(report),
            "UDP [2001:db8::7]:1 -> [2001:db8::1]:53\n"
            "kernel: not the dataplane's, this node's kernel has it\n"
            "\n"
            "Worker    0, shard 0\n");
}

TEST(RenderExplain, OtherOutcomes) {
  api::ExplainReport report = api::sample_explain();
  report.outcome = "connection";
  report.state = "ESTABLISHED";
  report.remaining_s = 899;
  EXPECT_EQ(verdict(report), "connection: ESTABLISHED for 14:59 more, stays with 10.0.0.2:8080");
  report.outcome = "return_traffic";
  EXPECT_EQ(verdict(report),
            "answer in a connection of 192.0.2.100:80: ESTABLISHED for 14:59 more");
  report.outcome = "stateless";
  EXPECT_EQ(verdict(report),
            "no connection: the table is full, the client's hash leads to 10.0.0.2:8080 (weight "
            "3)");
  report.outcome = "routed";
  EXPECT_EQ(verdict(report), "routed: from a real server's port, but in no connection");
  report.outcome = "from_the_future";
  EXPECT_EQ(verdict(report), "from_the_future");
}

TEST(RenderExplain, ReasonsOfDrops) {
  api::ExplainReport report = api::sample_explain();
  report.outcome = "dropped";
  const auto dropped = [&](const char* reason) {
    report.drop = reason;
    return verdict(report);
  };
  report.next_hop.reach = "no_neighbour";
  EXPECT_EQ(dropped("no_neighbour"),
            "dropped: no_neighbour - the MAC address of 10.0.0.2 on eth1 is not known");
  report.next_hop = {"no_route", "", "", ""};
  EXPECT_EQ(dropped("no_route"), "dropped: no_route - no route to 10.0.0.2:8080");
  EXPECT_EQ(dropped("no_real_server"),
            "dropped: no_real_server - no real server of 192.0.2.100:80 takes new connections");
  EXPECT_EQ(dropped("server_gone"),
            "dropped: server_gone - the connection's real server has left the pool");
  EXPECT_EQ(dropped("table_full"), "dropped: table_full - no room for a new connection");
  EXPECT_EQ(dropped("no_connection"),
            "dropped: no_connection - of no connection, and only a SYN makes one");
  EXPECT_EQ(dropped("of_the_future"), "dropped: of_the_future");
}

}  // namespace
}  // namespace keepline::cli
