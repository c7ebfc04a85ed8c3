// A server of sample reports on a real unix socket in a temporary directory, and a raw client.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/json/parse.hpp>
#include <cstring>
#include <future>
#include <optional>
#include <thread>
#include <vector>

#include "control/api/server.h"
#include "control/cli/client.h"
#include "tests/unit/api/reports.h"

namespace keepline::api {

using cli::Fetched;
using cli::FetchResult;

/// Serves the sample reports; connections in pages, at once or never.
class FakeBackend : public Backend {
 public:
  StatusReport status() override { return sample_status(); }
  LcoresReport lcores() override { return sample_lcores(); }
  ServicesReport services(std::uint64_t cursor) override {
    ServicesReport report = sample_services();
    const std::vector<ServiceReport> samples = std::move(report.services);
    const std::uint64_t end = samples.size() + extra_services;
    report.services.clear();
    for (std::uint64_t i = cursor; i < end && report.services.size() < services_per_page; ++i) {
      report.services.push_back(samples[i < samples.size() ? i : 0]);
    }
    const std::uint64_t next = cursor + report.services.size();
    report.next_cursor = next < end ? next : 0;
    return report;
  }
  VrrpsReport vrrp() override { return sample_vrrp(); }
  BfdsReport bfd() override { return sample_bfd(); }
  void connections(const lb::ConnectionFilter& filter, std::uint64_t cursor,
                   PageCallback reply) override {
    asked_client_port = filter.client.port;
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

  void reload(ReloadCallback reply) override { reply(reload_report); }
  void failover(const FailoverQuery& query, FailoverCallback reply) override {
    reply({"", {{query.instance, query.is_back ? "takes back" : "handed over"}}});
  }
  StagesReport stages() override {
    StagesReport report = sample_stages_report();
    report.sampling = sampling;
    return report;
  }
  void sample_stages(bool on) override { sampling = on; }
  StartedCapture start_capture(const CaptureQuery& query) override {
    if (query.program == "nonsense") return {nullptr, "the program is not sound"};
    struct Source final : CaptureSource {
      std::string read(std::size_t most, std::size_t& frames) override {
        frames = most == 0 ? 0 : 1;
        return most == 0 ? "head;" : "frame;";
      }
      std::string statistics() override { return "statistics;"; }
    };
    return {std::make_unique<Source>(), ""};
  }
  void explain(const ExplainQuery& query, ExplainCallback reply) override {
    ExplainReport report = sample_explain();
    report.source = net::to_string(query.source);
    report.destination = net::to_string(query.destination);
    if (explain_mode == ExplainMode::kLater) {
      boost::asio::post(*io, [reply, report] { reply(report); });
    } else if (explain_mode == ExplainMode::kFull) {
      reply(std::nullopt);
    } else if (explain_mode == ExplainMode::kNever) {
      kept_explain = std::move(reply);
    } else {
      reply(report);
    }
  }

  enum class ExplainMode : std::uint8_t { kAtOnce, kLater, kFull, kNever };
  ExplainMode explain_mode = ExplainMode::kAtOnce;
  ExplainCallback kept_explain;
  bool sampling = false;
  ReloadReport reload_report{"applied", 12, {"keepalived.conf:3:1: warning: odd"}};
  std::uint16_t asked_client_port = 0;  ///< Of the last filter.
  std::size_t extra_services = 0;
  std::size_t services_per_page = 20;
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
  void start(std::chrono::milliseconds timeout = std::chrono::seconds(5)) {
    server_.emplace(io_.get_executor(), backend_, timeout);
    ASSERT_EQ(server_->listen(path_), ListenResult::kOk);
    if (metrics_) {
      ASSERT_EQ(server_->listen_for_metrics(*metrics_), ListenResult::kOk);
    }
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
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (client_count() != count && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
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
  std::optional<net::Endpoint> metrics_;  ///< Set before start(): listens there, too.
  boost::asio::io_context io_;
  FakeBackend backend_;
  std::optional<Server> server_;
  std::thread thread_;
};

}  // namespace keepline::api
