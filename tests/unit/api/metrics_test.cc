// The Prometheus text: its grammar, its bounds, and who gets it.
#include "control/api/metrics.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

#include "tests/unit/api/server_fixture.h"

namespace keepline::api {
namespace {

std::string all_of(MetricsWriter& writer, std::size_t* pieces = nullptr) {
  std::size_t count = 1;
  while (writer.write_piece() == MetricsWriter::Piece::kMore) ++count;
  if (pieces != nullptr) *pieces = count;
  return writer.take_text();
}

std::string sample_text() {
  MetricsWriter writer(sample_status(), sample_lcores(), sample_vrrp());
  for (ServiceReport& service : sample_services().services) writer.add(std::move(service));
  return all_of(writer);
}

bool has_line(const std::string& text, const std::string& line) {
  return ('\n' + text).find('\n' + line + '\n') != std::string::npos;
}

// Every family is announced once, its samples follow at once, and none is there twice.
void expect_grammar(const std::string& text) {
  const std::regex sample(
      "([a-z_]+)(\\{[a-z_]+=\"[^\"]*\"(,[a-z_]+=\"[^\"]*\")*\\})? -?[0-9.e+-]+");
  std::set<std::string> families;
  std::set<std::string> seen;
  std::string family;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_TRUE(families.insert(family).second) << line;
      continue;
    }
    if (line.starts_with("# TYPE ")) {
      const std::string kind = line.substr(line.rfind(' ') + 1);
      EXPECT_EQ(line, "# TYPE " + family + ' ' + kind);
      EXPECT_EQ(kind == "counter", family.ends_with("_total")) << line;
      continue;
    }
    std::smatch parts;
    ASSERT_TRUE(std::regex_match(line, parts, sample)) << line;
    EXPECT_EQ(parts[1], family) << line;
    EXPECT_TRUE(seen.insert(line.substr(0, line.rfind(' '))).second) << line;
  }
  EXPECT_TRUE(text.ends_with('\n'));
}

TEST(Metrics, TheGrammarHolds) {
  expect_grammar(sample_text());
}

TEST(Metrics, WhatTheReportsSay) {
  const std::string text = sample_text();
  for (const char* line : {
           "keepline_info{version=\"1.2.3\",instance=\"keepline\",mode=\"full\"} 1",
           "keepline_uptime_seconds 93784",
           "keepline_reloads_total 3",
           "keepline_reloads_refused_total 1",
           "keepline_last_reload_successful 0",
           "keepline_config_loaded_timestamp_seconds 1700000000",
           "keepline_control_lag_max_seconds 0.00084999999999999995",
           "keepline_packets_total{worker=\"0\"} 1000",
           "keepline_drops_total{worker=\"0\",reason=\"too_big\"} 3",
           "keepline_flow_events_total{worker=\"0\",event=\"reclaimed\"} 5",
           "keepline_port_packets_total{port=\"eth1\",direction=\"out\"} 20",
           "keepline_service_packets_total{protocol=\"TCP\",vip=\"10.230.0.100\",port=\"80\","
           "direction=\"in\"} 91829",
           "keepline_server_weight{protocol=\"TCP\",vip=\"10.230.0.100\",port=\"80\","
           "server=\"10.230.1.21\",server_port=\"80\"} 2",
           "keepline_server_local_ports{protocol=\"TCP\",vip=\"10.230.0.100\",port=\"80\","
           "server=\"10.230.1.20\",server_port=\"80\"} 0",
           "keepline_server_active_connections{protocol=\"TCP\",vip=\"10.230.0.100\",port=\"80\","
           "server=\"10.230.1.20\",server_port=\"80\"} 10",
       }) {
    EXPECT_TRUE(has_line(text, line)) << line << '\n' << text;
  }
}

TEST(Metrics, LabelsAreEscaped) {
  StatusReport status = sample_status();
  status.instance = "a\"b\\c\nd";
  MetricsWriter writer(status, {}, {});
  EXPECT_NE(all_of(writer).find("instance=\"a\\\"b\\\\c\\nd\""), std::string::npos);
}

TEST(Metrics, BeyondTheBoundNothingHasASeriesOfItsOwn) {
  MetricsWriter writer(sample_status(), {}, {});
  for (std::size_t i = 0; i < MetricsWriter::kMaxServices + 7; ++i) {
    ServiceReport service = sample_services().services[0];
    service.port = static_cast<std::uint16_t>(i);
    service.reals.resize(1);
    writer.add(service);
  }
  std::size_t pieces = 0;
  const std::string text = all_of(writer, &pieces);
  expect_grammar(text);
  EXPECT_TRUE(has_line(text, "keepline_series_left_out 14"));
  EXPECT_GT(pieces, 15 * MetricsWriter::kMaxServices / MetricsWriter::kLinesPerPiece);
}

std::string ask_over_tcp(std::uint16_t port, const std::string& request) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_GT(::send(fd, request.data(), request.size(), MSG_NOSIGNAL), 0);
  std::string text;
  char buffer[4096];
  for (ssize_t n = 1; n > 0;) {
    n = recv(fd, buffer, sizeof buffer, 0);
    if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(fd);
  return text;
}

// A port that nobody listens on.
std::uint16_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  EXPECT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), length), 0);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  ::close(fd);
  return ntohs(address.sin_port);
}

TEST_F(ServerTest, MetricsOverTheSocket) {
  start();
  const std::string reply = RawClient(path_).ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_NE(reply.find("Content-Type: text/plain; version=0.0.4"), std::string::npos);
  expect_grammar(reply.substr(reply.find("\r\n\r\n") + 4));
}

TEST_F(ServerTest, OverTcpThereAreMetricsAndNothingElse) {
  const std::uint16_t port = free_port();
  metrics_ = net::Endpoint{net::Ip4(INADDR_LOOPBACK), port};
  start();
  const std::string reply = ask_over_tcp(port, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(reply.find("keepline_uptime_seconds 93784\n"), std::string::npos);
  for (const char* path : {"/v1/status", "/v1/stages", "/"}) {
    const std::string other =
        ask_over_tcp(port, "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(other.starts_with("HTTP/1.1 404")) << other;
  }
  const std::string post = ask_over_tcp(port, "POST /v1/stages?sampling=on HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(post.starts_with("HTTP/1.1 404")) << post;
  EXPECT_FALSE(backend_.sampling);
}

TEST_F(ServerTest, AnAddressThatIsTakenIsSaid) {
  const std::uint16_t port = free_port();
  metrics_ = net::Endpoint{net::Ip4(INADDR_LOOPBACK), port};
  start();
  Server other(io_.get_executor(), backend_);
  try {
    listen_or_throw(other, directory_ + "/run/other.sock", metrics_);
    ADD_FAILURE() << "listens";
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string(error.what()),
              "metrics 127.0.0.1:" + std::to_string(port) + ": Address already in use");
  }
}

TEST(Metrics, BfdSessions) {
  MetricsWriter writer(sample_status(), {}, {}, sample_bfd());
  const std::string text = all_of(writer);
  for (const char* line :
       {"keepline_bfd_up{name=\"peer\",neighbour=\"10.0.0.2\"} 1\n",
        "keepline_bfd_up{name=\"far\",neighbour=\"2001:db8::2\"} 0\n",
        "keepline_bfd_events_total{name=\"peer\",neighbour=\"10.0.0.2\",event=\"sent\"} 21\n",
        "keepline_bfd_unclaimed_total{reason=\"unknown_session\"} 4\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

}  // namespace
}  // namespace keepline::api
