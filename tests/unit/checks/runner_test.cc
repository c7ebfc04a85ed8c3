// The runner with real probes against servers on the loopback: verdicts, sharing, limits, stop.
#include "checks/runner.h"

#include <gtest/gtest.h>

#include "tests/unit/checks/test_server.h"

namespace keepline::checks {
namespace {

using namespace std::chrono_literals;

class RunnerTest : public ::testing::Test {
 protected:
  RunnerCallbacks callbacks() {
    return {[this](const VerdictReport& report) { verdicts_.push_back(report); },
            [this](const FailureReport& report) { failures_.push_back(report.outcome); }};
  }

  static CheckSpec tcp_check(const Endpoint& endpoint) {
    CheckSpec spec{{TcpTarget{endpoint}, {}}, "test"};
    spec.key.damping.start_delay = 0ms;
    spec.key.damping.warmup = 0ms;
    spec.key.damping.delay_loop = 5ms;
    spec.key.damping.delay_before_retry = 2ms;
    return spec;
  }

  void wait_for_verdicts(std::size_t count) {
    run_until(io_, [&] { return verdicts_.size() >= count; });
    ASSERT_EQ(verdicts_.size(), count);
  }

  void run_for(std::chrono::milliseconds time) {
    io_.restart();
    io_.run_for(time);
  }

  asio::io_context io_;
  std::vector<VerdictReport> verdicts_;
  std::vector<Outcome> failures_;
};

TEST_F(RunnerTest, UpDownUp) {
  TestServer server(io_, stay_silent());
  Runner runner(io_.get_executor(), callbacks());
  const CheckId id = *runner.add(tcp_check(server.endpoint()));
  runner.start();
  run_until(io_, [&] { return server.accepted() >= 3; });
  EXPECT_TRUE(verdicts_.empty());
  EXPECT_EQ(runner.health(id), Health::kUp);

  server.close();
  wait_for_verdicts(1);
  EXPECT_EQ(verdicts_[0].id, id);
  EXPECT_EQ(verdicts_[0].health, Health::kDown);
  EXPECT_EQ(verdicts_[0].outcome.kind, OutcomeKind::kRefused);
  EXPECT_EQ(failures_.size(), 2u);
  EXPECT_EQ(runner.health(id), Health::kDown);

  server.reopen();
  wait_for_verdicts(2);
  EXPECT_EQ(verdicts_[1].health, Health::kUp);
  EXPECT_TRUE(verdicts_[1].outcome.is_ok());
}

TEST_F(RunnerTest, AlphaReportsTheFirstSuccess) {
  TestServer server(io_, stay_silent());
  Runner runner(io_.get_executor(), callbacks());
  CheckSpec spec = tcp_check(server.endpoint());
  spec.key.damping.alpha = true;
  const CheckId id = *runner.add(spec);
  EXPECT_EQ(runner.health(id), Health::kDown);
  runner.start();
  wait_for_verdicts(1);
  EXPECT_EQ(verdicts_[0].health, Health::kUp);
}

TEST_F(RunnerTest, EqualChecksRunOnceAndReportToAll) {
  TestServer server(io_, stay_silent());
  Runner runner(io_.get_executor(), callbacks());
  CheckSpec spec = tcp_check(server.endpoint());
  spec.key.damping.alpha = true;
  spec.key.damping.delay_loop = 1h;
  const CheckId first = *runner.add(spec);
  spec.name = "the same under another name";
  const CheckId second = *runner.add(spec);
  EXPECT_NE(first, second);
  EXPECT_EQ(runner.check_count(), 1u);
  runner.start();
  wait_for_verdicts(2);
  EXPECT_EQ(verdicts_[0].id, first);
  EXPECT_EQ(verdicts_[1].id, second);
  EXPECT_EQ(server.accepted(), 1);

  spec.key.damping.retry = 7;
  runner.add(spec);
  EXPECT_EQ(runner.check_count(), 2u);
}

TEST_F(RunnerTest, ALateSubscriberHearsTheStateOfTheSharedCheck) {
  TestServer server(io_, stay_silent());
  server.close();
  Runner runner(io_.get_executor(), callbacks());
  CheckSpec spec = tcp_check(server.endpoint());
  spec.key.damping.delay_loop = 1h;
  runner.add(spec);
  runner.start();
  wait_for_verdicts(1);
  const CheckId late = *runner.add(spec);
  EXPECT_EQ(verdicts_.size(), 1u) << "never from inside add()";
  wait_for_verdicts(2);
  EXPECT_EQ(verdicts_[1].id, late);
  EXPECT_EQ(verdicts_[1].health, Health::kDown);
}

TEST_F(RunnerTest, RemoveEndsACheckWithItsLastSubscriber) {
  TestServer server(io_, stay_silent());
  Runner runner(io_.get_executor(), callbacks());
  const CheckSpec spec = tcp_check(server.endpoint());
  const CheckId first = *runner.add(spec);
  const CheckId second = *runner.add(spec);
  runner.start();
  runner.remove(first);
  EXPECT_EQ(runner.check_count(), 1u);
  run_until(io_, [&] { return server.accepted() >= 2; });
  runner.remove(second);
  runner.remove(second);
  EXPECT_EQ(runner.check_count(), 0u);
  run_for(30ms);
  const int accepted = server.accepted();
  run_for(30ms);
  EXPECT_EQ(server.accepted(), accepted);
  EXPECT_EQ(runner.health(second), std::nullopt);
}

TEST_F(RunnerTest, StopInTheMiddleOfAProbeIsQuickAndSilent) {
  TestServer server(io_, stay_silent());
  Runner runner(io_.get_executor(), callbacks());
  CheckSpec spec = tcp_check(server.endpoint());
  HttpTarget target;
  target.connection.remote = server.endpoint();
  target.urls.emplace_back();
  spec.key.target = target;
  runner.add(spec);
  runner.start();
  run_until(io_, [&] { return server.accepted() == 1; });
  server.close();
  runner.stop();
  const auto start = Clock::now();
  io_.restart();
  io_.run_for(kTestTimeout);
  EXPECT_TRUE(io_.stopped()) << "something is still waiting";
  EXPECT_LT(Clock::now() - start, 2s);
  EXPECT_TRUE(verdicts_.empty());
  EXPECT_TRUE(failures_.empty());
  EXPECT_FALSE(runner.add(spec));
}

TEST_F(RunnerTest, StopAndRemoveFromInsideACallback) {
  TestServer server(io_, stay_silent());
  server.close();
  std::optional<Runner> runner;
  int calls = 0;
  runner.emplace(io_.get_executor(), RunnerCallbacks{[&](const VerdictReport&) {
                                                       ++calls;
                                                       runner.reset();
                                                     },
                                                     {}});
  runner->add(tcp_check(server.endpoint()));
  runner->add(tcp_check(server.endpoint()));
  runner->start();
  run_until(io_, [&] { return calls > 0; });
  run_for(30ms);
  EXPECT_EQ(calls, 1);
}

TEST_F(RunnerTest, ProbesWaitForASlotAndNoneIsLost) {
  TestServer server(io_, stay_silent());
  Runner runner(io_.get_executor(), callbacks(), {.concurrent_probes = 2});
  std::vector<CheckId> ids;
  for (unsigned i = 0; i < 10; ++i) {
    CheckSpec spec = tcp_check(server.endpoint());
    HttpTarget target;
    target.connection.remote = server.endpoint();
    target.connection.connect_timeout = 30ms;
    target.urls.emplace_back();
    spec.key.target = target;
    spec.key.damping.delay_loop = 1h;
    spec.key.damping.retry = i;  // Makes them distinct.
    ids.push_back(*runner.add(spec));
  }
  runner.start();
  run_until(io_, [&] { return server.accepted() >= 2; });
  run_for(5ms);
  EXPECT_EQ(server.accepted(), 2);
  runner.remove(ids.back());  // While it waits for its turn.
  wait_for_verdicts(9);
  EXPECT_EQ(server.accepted(), 9);
}

TEST_F(RunnerTest, HttpUrlsTakeTurns) {
  std::vector<std::string> paths;
  TestServer server(io_, [&](tcp::socket socket) -> asio::awaitable<void> {
    const std::string request = co_await read_request(socket);
    paths.push_back(request.substr(4, 2));
    const std::string text = "HTTP/1.0 200 OK\r\n\r\n";
    co_await asio::async_write(socket, asio::buffer(text), kAwait);
  });
  HttpTarget target;
  target.connection.remote = server.endpoint();
  target.urls = {{"/a", "", {}, {}}, {"/b", "", {}, {}}};
  CheckSpec spec = tcp_check(server.endpoint());
  spec.key.target = target;
  spec.key.damping.alpha = true;
  Runner runner(io_.get_executor(), callbacks());
  runner.add(spec);
  runner.start();
  wait_for_verdicts(1);
  EXPECT_EQ(paths, (std::vector<std::string>{"/a", "/b"}));
  target.urls.clear();
  spec.key.target = target;
  EXPECT_FALSE(runner.add(spec)) << "no url";
}

}  // namespace
}  // namespace keepline::checks
