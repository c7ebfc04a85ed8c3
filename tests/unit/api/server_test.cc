// The server and the CLI's client over a real unix socket in a temporary directory.
#include "control/api/server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/json/parse.hpp>
#include <cstring>
#include <fstream>
#include <future>
#include <optional>
#include <thread>
#include <vector>

#include "control/api/json.h"
#include "control/cli/client.h"
#include "control/cli/render.h"
#include "tests/unit/api/reports.h"

namespace keepline::api {
namespace {

using namespace std::chrono_literals;
using cli::Fetched;
using cli::FetchResult;

/// Serves the sample reports; connections in pages, at once or never.
class FakeBackend : public Backend {
 public:
  StatusReport status() override { return sample_status(); }
  ServicesReport services() override {
    ServicesReport report = sample_services();
    for (int i = 0; i < extra_services; ++i) report.services.push_back(report.services[0]);
    return report;
  }
  VrrpsReport vrrp() override { return sample_vrrp(); }
  void connections(std::uint64_t cursor, PageCallback reply) override {
    if (cursor >= silent_from) {
      kept = std::move(reply);
      return;
    }
    ConnectionPage page{std::vector<ConnectionReport>(page_size), 0};
    for (auto& connection : page.connections) connection.client = std::to_string(cursor);
    if (cursor + 1 < pages) page.next_cursor = cursor + 1;
    if (io == nullptr) return reply(page);
    boost::asio::post(*io, [reply, page] { reply(page); });
  }

  int extra_services = 0;
  std::uint64_t pages = 3;
  std::size_t page_size = 150;
  std::uint64_t silent_from = ~0ull;
  boost::asio::io_context* io = nullptr;  ///< Set = answers in a later turn.
  PageCallback kept;
};

/// A blocking client that says whatever it likes.
class RawClient {
 public:
  explicit RawClient(const std::string& path) : fd_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size());
    const timeval timeout{10, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~RawClient() { ::close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void send(const std::string& text) {
    EXPECT_GE(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL), 0);
  }
  /// Everything up to the end of the connection.
  std::string receive_all() {
    std::string text;
    char buffer[4096];
    for (ssize_t n = 1; n > 0;) {
      n = recv(fd_, buffer, sizeof buffer, 0);
      if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
    }
    return text;
  }
  std::string ask(const std::string& text) {
    send(text);
    return receive_all();
  }

 private:
  int fd_;
};

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    char name[] = "/tmp/keepline-api-XXXXXX";
    directory_ = mkdtemp(name);
    path_ = directory_ + "/run/test.sock";
  }
  ~ServerTest() override {
    stop();
    unlink(path_.c_str());
    rmdir((directory_ + "/run").c_str());
    rmdir(directory_.c_str());
  }

  /// Runs the server in a thread of its own: the clients here block.
  void start(std::chrono::milliseconds timeout = 5s) {
    server_.emplace(io_.get_executor(), backend_, timeout);
    ASSERT_EQ(server_->listen(path_), ListenResult::kOk);
    thread_ = std::thread([this] { io_.run(); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    boost::asio::post(io_, [this] { server_->stop(); });
    thread_.join();
  }
  std::size_t client_count() {
    std::promise<std::size_t> count;
    boost::asio::post(io_, [&] { count.set_value(server_->client_count()); });
    return count.get_future().get();
  }
  void wait_for_clients(std::size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (client_count() != count && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(1ms);
    }
    ASSERT_EQ(client_count(), count);
  }
  boost::json::value get(const std::string& what) {
    const Fetched fetched = cli::fetch(path_, what);
    EXPECT_EQ(fetched.result, FetchResult::kOk) << fetched.message;
    boost::system::error_code error;
    return boost::json::parse(fetched.body, error);
  }

  std::string directory_;
  std::string path_;
  boost::asio::io_context io_;
  FakeBackend backend_;
  std::optional<Server> server_;
  std::thread thread_;
};

TEST_F(ServerTest, EveryReportArrives) {
  start();
  EXPECT_EQ(get("/v1/status"), to_json(sample_status()));
  EXPECT_EQ(get("/v1/services"), to_json(sample_services()));
  EXPECT_EQ(get("/v1/vrrp"), to_json(sample_vrrp()));
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

TEST_F(ServerTest, ManyServicesArePieced) {
  backend_.extra_services = 5000;
  start();
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
