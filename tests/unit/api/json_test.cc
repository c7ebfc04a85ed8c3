// JSON: what goes out comes back, and what does not fit is refused.
#include "control/api/json.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <limits>

#include "tests/unit/api/reports.h"

namespace keepline::api {
namespace {

std::string text_of(const auto& report) {
  return serialize(to_json(report));
}

boost::json::value parsed(const std::string& text) {
  boost::system::error_code error;
  boost::json::value json = boost::json::parse(text, error);
  EXPECT_FALSE(error) << text;
  return json;
}

TEST(Json, EveryReportSurvivesTheRoundTrip) {
  const std::string status = text_of(sample_status());
  EXPECT_EQ(text_of(*status_from_json(parsed(status))), status);
  const std::string lcores = text_of(sample_lcores());
  EXPECT_EQ(text_of(*lcores_from_json(parsed(lcores))), lcores);
  const std::string stages = text_of(sample_stages_report());
  EXPECT_EQ(text_of(*stages_from_json(parsed(stages))), stages);
  const std::string explain = text_of(sample_explain());
  EXPECT_EQ(text_of(*explain_from_json(parsed(explain))), explain);
  const std::string services = text_of(sample_services());
  EXPECT_EQ(text_of(*services_from_json(parsed(services))), services);
  const std::string vrrp = text_of(sample_vrrp());
  EXPECT_EQ(text_of(*vrrp_from_json(parsed(vrrp))), vrrp);
  const std::string bfd = text_of(sample_bfd());
  EXPECT_EQ(text_of(*bfd_from_json(parsed(bfd))), bfd);
  const std::string connections = text_of(sample_connections());
  EXPECT_EQ(text_of(*connections_from_json(parsed(connections))), connections);
}

TEST(Json, TextOfAConnection) {
  EXPECT_EQ(text_of(sample_connections().connections[2]),
            R"({"protocol":"UDP","expires_s":297,"state":"UDP","client":"10.230.0.10:40003",)"
            R"("virtual":"10.230.0.100:53","destination":"10.230.1.20:53","local":""})");
}

TEST(Json, TextOfAService) {
  ServiceReport service{"TCP", "10.0.0.1", 80, "mh", "mh-port", {5, 6, 7, 8, 9}, {.5}, {}};
  service.reals = {{"10.0.1.1", 8080, "FullNat", 3, 1, 2, "up", true, false, {}, {}, 64512}};
  const std::string no_traffic =
      R"("stats":{"connections":0,"packets_in":0,"packets_out":0,"bytes_in":0,"bytes_out":0},)"
      R"("rates":{"connections":0E0,"packets_in":0E0,"packets_out":0E0,"bytes_in":0E0,)"
      R"("bytes_out":0E0})";
  EXPECT_EQ(text_of(service),
            R"({"protocol":"TCP","vip":"10.0.0.1","port":80,"scheduler":"mh","flags":"mh-port",)"
            R"("stats":{"connections":5,"packets_in":6,"packets_out":7,"bytes_in":8,)"
            R"("bytes_out":9},"rates":{"connections":5E-1,"packets_in":0E0,"packets_out":0E0,)"
            R"("bytes_in":0E0,"bytes_out":0E0},"reals":[{"address":"10.0.1.1","port":8080,)"
            R"("forward":"FullNat","weight":3,"active":1,"inactive":2,"health":"up",)"
            R"("in_pool":true,"is_sorry":false,)" +
                no_traffic + R"(,"local_ports":64512}]})");
}

TEST(Json, NumbersThatAreNoneBecomeZero) {
  StatusReport report = sample_status();
  report.workers[0].idle_percent = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(status_from_json(parsed(text_of(report)))->workers[0].idle_percent, 0);
}

TEST(Json, OtherVersionsAreReadAsFarAsTheyGo) {
  const auto report = status_from_json(parsed(R"({"version":"9","from_the_future":[1,2]})"));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->version, "9");
  EXPECT_EQ(report->pid, 0);
  EXPECT_TRUE(status_from_json(parsed("{}")));
}

TEST(Json, WrongTypesAreRefused) {
  for (const char* text :
       {"[]", "null", R"({"version":1})", R"({"pid":"1"})", R"({"pid":1.5})", R"({"uptime_s":-1})",
        R"({"workers":{}})", R"({"workers":[1]})", R"({"workers":[{"lcore":99999999999}]})",
        R"({"workers":[{"drops":[]}]})", R"({"workers":[{"drops":{"x":"y"}}]})",
        R"({"ports":[{"link_up":1}]})"}) {
    EXPECT_FALSE(status_from_json(parsed(text))) << text;
  }
}

}  // namespace
}  // namespace keepline::api
