// What the report says, and that its stalls are never hidden.
#include "control/cli/probe/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace keepline::cli::probe {
namespace {

using testing::HasSubstr;
using testing::Not;

Outcome failover() {
  Log log(1'000'000);
  for (std::uint64_t i = 0; i < 10; ++i) {
    log.sent(1'000);
    if (i < 3) log.answered(i, 40'000, 30'000, "node1");
    if (i > 6) log.answered(i, 40'000, 30'000, "node2");
  }
  Outcome outcome;
  outcome.statistics = log.statistics({{{0, 3}, {7, 9}}, true});
  return outcome;
}

TEST(ProbeReport, Text) {
  const std::string text = text_report({"udp", "192.0.2.1:53", 1000}, failover());
  EXPECT_THAT(text, HasSubstr("10 sent in 0.0 s (1000.0 per second), 6 answered, 4 lost"));
  EXPECT_THAT(text, HasSubstr("lost: 3 on the way there, 1 on the way back; duplicated: 0"));
  EXPECT_THAT(text, HasSubstr("1 outage, the longest 4.00 ms"));
  EXPECT_THAT(text, HasSubstr("answered by node2: 3"));
  EXPECT_THAT(text, Not(HasSubstr("warning")));
}

TEST(ProbeReport, WarnsOfItsOwnStalls) {
  Outcome outcome = failover();
  outcome.statistics.not_sent = 7;
  outcome.statistics.late = 5;
  outcome.overflowed = 3;
  const std::string text = text_report({"udp", "192.0.2.1:53", 1000}, outcome);
  EXPECT_THAT(text, HasSubstr("did not get round to sending 7"));
  EXPECT_THAT(text, HasSubstr("5 were sent over 1 ms late"));
  EXPECT_THAT(text, HasSubstr("3 answers came and were dropped there"));
}

TEST(ProbeReport, Json) {
  const auto report =
      boost::json::parse(json_report({"udp", "192.0.2.1:53", 1000}, failover())).as_object();
  EXPECT_EQ(report.at("sent").to_number<int>(), 10);
  EXPECT_EQ(report.at("lost").to_number<int>(), 4);
  EXPECT_EQ(report.at("lost_there").to_number<int>(), 3);
  EXPECT_EQ(report.at("lost_back").to_number<int>(), 1);
  EXPECT_NEAR(report.at("outage_ms").to_number<double>(), 4, 1e-6);
  const auto& outage = report.at("outages").as_array().at(0).as_object();
  EXPECT_EQ(outage.at("before").as_string(), "node1");
  EXPECT_EQ(outage.at("after").as_string(), "node2");
  EXPECT_EQ(outage.at("first").to_number<int>(), 3);
  EXPECT_EQ(report.at("servers").as_object().at("node1").to_number<int>(), 3);
  EXPECT_TRUE(report.at("round_trip_us").is_object());
}

TEST(ProbeReport, TextOfConnections) {
  Log log(1'000'000);
  log.sent(0);
  log.ended(0, Fate::kTimeout);
  Outcome outcome;
  outcome.statistics = log.statistics({});
  const std::string text = text_report({"tcp", "[2001:db8::1]:80", 1000}, outcome);
  EXPECT_THAT(text, HasSubstr("refused 0, reset 0, timed out 1, SYN repeated"));
}

}  // namespace
}  // namespace keepline::cli::probe
