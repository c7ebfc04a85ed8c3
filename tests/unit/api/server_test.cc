// The server and the CLI's client over a real unix socket in a temporary directory.
#include <gtest/gtest.h>

#include <fstream>

#include "control/api/json.h"
#include "tests/unit/api/server_fixture.h"

namespace keepline::api {
namespace {

using namespace std::chrono_literals;

TEST_F(ServerTest, EveryReportArrives) {
  start();
  EXPECT_EQ(get("/v1/status"), to_json(sample_status()));
  EXPECT_EQ(get("/v1/lcores"), to_json(sample_lcores()));
  EXPECT_EQ(get("/v1/services"), to_json(sample_services()));
  EXPECT_EQ(get("/v1/vrrp"), to_json(sample_vrrp()));
  EXPECT_EQ(get("/v1/bfd"), to_json(sample_bfd()));
  EXPECT_EQ(connections_from_json(get("/v1/connections"))->connections.size(), 450u);
}

TEST_F(ServerTest, PagesInLaterTurnsAndEmptyOnes) {
  backend_.io = &io_;
  start();
  const auto page = connections_from_json(get("/v1/connections"));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->connections.size(), 450u);
  EXPECT_EQ(page->connections.back().client, "2");
  backend_.page_size = 0;
  EXPECT_TRUE(connections_from_json(get("/v1/connections"))->connections.empty());
}

TEST_F(ServerTest, AFilterIsHandedOnAndAWrongOneRefused) {
  start();
  get("/v1/connections?client=10.0.0.1%3A5000&state=TIME_WAIT");
  EXPECT_EQ(backend_.asked_client_port, 5000);
  for (const char* query : {"?clients=10.0.0.1", "?state=OPEN", "?client", "?server=web1"}) {
    const std::string reply =
        RawClient(path_).ask("GET /v1/connections" + std::string(query) + " HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(reply.starts_with("HTTP/1.1 400")) << query;
    EXPECT_NE(reply.find("{\"error\":"), std::string::npos);
  }
}

TEST_F(ServerTest, ManyServicesArePieced) {
  backend_.extra_services = 5000;
  start();
  EXPECT_EQ(services_from_json(get("/v1/services"))->services.size(), 5003u);
  backend_.services_per_page = 10'000;
  EXPECT_EQ(services_from_json(get("/v1/services"))->services.size(), 5003u);
}

TEST_F(ServerTest, ListsForHttp10AreNotChunked) {
  start();
  const std::string reply = RawClient(path_).ask("GET /v1/connections HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(reply.starts_with("HTTP/1.0 200 OK\r\n"));
  EXPECT_EQ(reply.find("chunked"), std::string::npos);
  EXPECT_TRUE(reply.ends_with("}]}\n"));
}

TEST_F(ServerTest, WrongRequests) {
  start();
  const auto status = [&](const std::string& request) {
    const std::string reply = RawClient(path_).ask(request);
    EXPECT_NE(reply.find("{\"error\":"), std::string::npos) << reply;
    return reply.substr(0, 12);
  };
  EXPECT_EQ(status("GET /v2/status HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 404");
  EXPECT_EQ(status("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 404");
  EXPECT_EQ(status("POST /v1/status HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"), "HTTP/1.1 405");
  EXPECT_EQ(status("DELETE /v1/vrrp HTTP/1.1\r\n\r\n"), "HTTP/1.1 405");
  EXPECT_EQ(status("nonsense\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(status("GET /v1/status HTTP/9\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(status("GET /v1/status HTTP/1.1\r\nno colon\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(status("GET /v1/status HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n"),
            "HTTP/1.1 431");
  EXPECT_EQ(status("GET /v1/" + std::string(9000, 'x')), "HTTP/1.1 431");
  EXPECT_EQ(cli::fetch(path_, "/v1/nothing").message, "the daemon says: no such path: /v1/nothing");
}

TEST_F(ServerTest, AClientThatSaysNothingIsDropped) {
  start(100ms);
  RawClient silent(path_);
  EXPECT_EQ(silent.receive_all(), "");
  RawClient half(path_);
  half.send("GET /v1/sta");
  EXPECT_EQ(half.receive_all(), "");
  wait_for_clients(0);
}

TEST_F(ServerTest, ABackendThatSaysNothing) {
  backend_.silent_from = 0;
  start(100ms);
  const Fetched fetched = cli::fetch(path_, "/v1/connections");
  EXPECT_EQ(fetched.result, FetchResult::kRefused);
  EXPECT_EQ(fetched.message, "the daemon says: the dataplane did not answer");
  stop();
  backend_.kept({});  // A late answer finds nobody.
}

TEST_F(ServerTest, AListThatIsCutIsSeenAsCut) {
  backend_.silent_from = 1;
  start(100ms);
  EXPECT_EQ(cli::fetch(path_, "/v1/connections").result, FetchResult::kBroken);
  backend_.kept = nullptr;
}

TEST_F(ServerTest, OneClientTooManyIsToldSo) {
  start();
  {
    std::vector<std::unique_ptr<RawClient>> clients;
    for (std::size_t i = 0; i < kMaxClients; ++i) {
      clients.push_back(std::make_unique<RawClient>(path_));
    }
    wait_for_clients(kMaxClients);
    const Fetched fetched = cli::fetch(path_, "/v1/status");
    EXPECT_EQ(fetched.result, FetchResult::kRefused);
    EXPECT_EQ(fetched.message, "the daemon says: too many clients");
  }
  wait_for_clients(0);
  EXPECT_EQ(cli::fetch(path_, "/v1/status").result, FetchResult::kOk);
}

TEST_F(ServerTest, StopWithWaitingClientsIsQuickAndRemovesTheFile) {
  backend_.silent_from = 0;
  start();
  RawClient idle(path_);
  RawClient waiting(path_);
  waiting.send("GET /v1/connections HTTP/1.1\r\n\r\n");
  wait_for_clients(2);
  const auto begin = std::chrono::steady_clock::now();
  stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s);
  EXPECT_NE(access(path_.c_str(), F_OK), 0);
  EXPECT_EQ(idle.receive_all(), "");
  backend_.kept = nullptr;
}

TEST_F(ServerTest, SocketFileRules) {
  start();
  struct stat info;
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_TRUE(S_ISSOCK(info.st_mode));
  EXPECT_EQ(info.st_mode & 0777, 0600u);

  boost::asio::io_context io;
  Server second(io.get_executor(), backend_);
  EXPECT_EQ(second.listen(path_), ListenResult::kInUse);
  EXPECT_EQ(second.listen("/tmp/" + std::string(200, 'x')), ListenResult::kPathTooLong);
  EXPECT_EQ(second.listen(directory_ + "/a/b/c.sock"), ListenResult::kFailed);
  EXPECT_EQ(second.error_number(), ENOENT);
  second.stop();
  EXPECT_EQ(access(path_.c_str(), F_OK), 0) << "the other daemon's socket must stay";
}

TEST_F(ServerTest, ADeadDaemonsSocketIsReplacedAndAnotherFileIsNot) {
  mkdir((directory_ + "/run").c_str(), 0755);
  std::ofstream(path_) << "precious";
  {
    Server refused(io_.get_executor(), backend_);
    EXPECT_EQ(refused.listen(path_), ListenResult::kNotASocket);
  }
  EXPECT_EQ(access(path_.c_str(), F_OK), 0);
  unlink(path_.c_str());
  {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.size());
    ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::close(fd);
  }
  const Fetched nobody = cli::fetch(path_, "/v1/status");
  EXPECT_EQ(nobody.result, FetchResult::kNotRunning);
  EXPECT_NE(nobody.message.find(path_), std::string::npos);
  start();
  EXPECT_EQ(cli::fetch(path_, "/v1/status").result, FetchResult::kOk);
}

TEST(Client, WithoutADaemon) {
  const Fetched fetched = cli::fetch("/nonexistent/keepline.sock", "/v1/status");
  EXPECT_EQ(fetched.result, FetchResult::kNotRunning);
  EXPECT_NE(fetched.message.find("/nonexistent/keepline.sock"), std::string::npos);
  EXPECT_EQ(cli::fetch(std::string(200, 'x'), "/").result, FetchResult::kNotRunning);
}

TEST(Client, ADaemonThatHangsIsATimeout) {
  char name[] = "/tmp/keepline-api-XXXXXX";
  const std::string directory = mkdtemp(name);
  const std::string path = directory + "/s";
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(fd, 4), 0);
  EXPECT_EQ(cli::fetch(path, "/v1/status", 100ms).result, FetchResult::kTimeout);
  ::close(fd);
  unlink(path.c_str());
  rmdir(directory.c_str());
}

}  // namespace
}  // namespace keepline::api
