// What is asked with words of its own (explain) or changes something (stages), over the socket.
#include <gtest/gtest.h>

#include "control/api/json.h"
#include "control/cli/render.h"
#include "tests/unit/api/server_fixture.h"

namespace keepline::api {
namespace {

using namespace std::chrono_literals;

constexpr const char* kExplain =
    "/v1/explain?source=198.51.100.7%3A40000&destination=192.0.2.100:80&protocol=TCP";

TEST_F(ServerTest, Explain) {
  backend_.io = &io_;
  start();
  EXPECT_EQ(get(kExplain), to_json(sample_explain()));
  backend_.explain_mode = FakeBackend::ExplainMode::kLater;
  EXPECT_EQ(get(kExplain), to_json(sample_explain()));
  const auto v6 = explain_from_json(
      get("/v1/explain?destination=%5B2001:db8::1%5D:443&source=%5B::1%5D:1&protocol=udp"));
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->source, "[::1]:1");
  EXPECT_EQ(v6->destination, "[2001:db8::1]:443");
}

TEST_F(ServerTest, ExplainRefused) {
  start(100ms);
  const auto message = [&](const char* path) { return cli::fetch(path_, path).message; };
  EXPECT_EQ(message("/v1/explain"), "the daemon says: source must be ADDRESS:PORT");
  EXPECT_EQ(message("/v1/explain?source=%zz"), "the daemon says: source must be ADDRESS:PORT");
  const std::string status = RawClient(path_).ask("GET /v1/explain HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(status.starts_with("HTTP/1.1 400")) << status;
  backend_.explain_mode = FakeBackend::ExplainMode::kFull;
  EXPECT_EQ(message(kExplain), "the daemon says: the dataplane takes no more questions");
  backend_.explain_mode = FakeBackend::ExplainMode::kNever;
  EXPECT_EQ(message(kExplain), "the daemon says: the dataplane did not answer");
  stop();
  backend_.kept_explain({});  // A late answer finds nobody.
}

TEST_F(ServerTest, SamplingOfStagesIsSwitched) {
  start();
  const auto sampling = [](const Fetched& fetched) {
    EXPECT_EQ(fetched.result, FetchResult::kOk) << fetched.message;
    boost::system::error_code error;
    return stages_from_json(boost::json::parse(fetched.body, error))->sampling;
  };
  const auto post = [&](const char* path) {
    return cli::fetch(path_, path, 5s, cli::Method::kPost);
  };
  EXPECT_FALSE(sampling(cli::fetch(path_, "/v1/stages")));
  EXPECT_TRUE(sampling(post("/v1/stages?sampling=on")));
  EXPECT_TRUE(sampling(cli::fetch(path_, "/v1/stages?sampling=off"))) << "GET changes nothing";
  EXPECT_FALSE(sampling(post("/v1/stages?sampling=off")));
  EXPECT_EQ(post("/v1/stages?sampling=1").message, "the daemon says: sampling must be on or off");
  EXPECT_EQ(post("/v1/stages").message, "the daemon says: sampling must be on or off");
  EXPECT_EQ(post("/v1/vrrp").message, "the daemon says: only GET is supported");
}

TEST_F(ServerTest, AReloadSaysWhatBecameOfIt) {
  start();
  EXPECT_EQ(cli::fetch(path_, "/v1/reload").message, "the daemon says: only POST is supported");
  const Fetched fetched = cli::fetch(path_, "/v1/reload", 5s, cli::Method::kPost);
  ASSERT_EQ(fetched.result, FetchResult::kOk) << fetched.message;
  boost::system::error_code error;
  const auto report = reload_from_json(boost::json::parse(fetched.body, error));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, "applied");
  EXPECT_EQ(cli::render_reload(*report),
            "keepalived.conf:3:1: warning: odd\nThe configuration runs, after 12 ms.\n");
  EXPECT_EQ(cli::render_reload({"refused", 3, {"keepalived.conf:3:1: error: wrong"}}),
            "keepalived.conf:3:1: error: wrong\n"
            "The configuration cannot run: everything stays as it was.\n");
}

}  // namespace
}  // namespace keepline::api
