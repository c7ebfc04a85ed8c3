#include "control/log.h"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>

namespace keepline::control::log {

namespace {

constexpr std::size_t kQueuedLines = 8192;

}  // namespace

void start(const Options& options) {
  spdlog::init_thread_pool(kQueuedLines, 1);
  std::vector<spdlog::sink_ptr> sinks;
  if (options.syslog) {
    auto sink = std::make_shared<spdlog::sinks::syslog_sink_mt>("keeplined", LOG_PID,
                                                                options.facility << 3, true);
    sink->set_pattern("%v");
    sinks.push_back(std::move(sink));
  }
  if (options.console) {
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    sink->set_pattern("%Y-%m-%d %H:%M:%S.%e %l: %v");
    sinks.push_back(std::move(sink));
  }
  auto logger = std::make_shared<spdlog::async_logger>(
      "keeplined", sinks.begin(), sinks.end(), spdlog::thread_pool(),
      spdlog::async_overflow_policy::overrun_oldest);
  logger->set_level(options.detail ? spdlog::level::debug : spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

void stop() {
  spdlog::shutdown();
}

}  // namespace keepline::control::log
