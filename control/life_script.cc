#include "control/life_script.h"

#include <signal.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>

#include "checks/exec/children.h"
#include "control/log.h"
#include "control/programs.h"

namespace keepline::control {

namespace asio = boost::asio;

namespace {

constexpr std::array kEndSignals = {SIGTERM, SIGINT};

// What the signals did before: a set of signals leaves them at their defaults.
class KeptActions {
 public:
  KeptActions() {
    for (std::size_t i = 0; i < kEndSignals.size(); ++i) {
      sigaction(kEndSignals[i], nullptr, &actions_[i]);
    }
  }
  ~KeptActions() {
    for (std::size_t i = 0; i < kEndSignals.size(); ++i) {
      sigaction(kEndSignals[i], &actions_[i], nullptr);
    }
  }
  KeptActions(const KeptActions&) = delete;
  KeptActions& operator=(const KeptActions&) = delete;

 private:
  std::array<struct sigaction, kEndSignals.size()> actions_{};
};

}  // namespace

LifeResult run_life_script(std::string_view name, const config::LifeScript& script,
                           const config::GlobalDefs& global) {
  if (script.command.empty()) return LifeResult::kGoOn;
  Programs programs(global);
  if (const auto reason = programs.prepare(script.command)) {
    log::error("{}:{}: {} {} is not run: {}", script.command.position.file,
               script.command.position.line, name, script.command.arguments.front(), *reason);
    return LifeResult::kGoOn;
  }
  log::info("running {} {}", name, script.command.arguments.front());
  const KeptActions kept;
  LifeResult result = LifeResult::kGoOn;
  asio::io_context io(1);
  checks::Children children(io.get_executor());
  asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (error) return;
    result = LifeResult::kAskedToEnd;
    children.terminate();
  });
  children.run(programs.of(script.command), std::chrono::microseconds(script.timeout_us),
               [&](const checks::Ending& ending) {
                 if (ending.succeeded()) log::info("{} succeeded", name);
                 if (!ending.succeeded()) log::warn("{}: {}", name, checks::to_string(ending));
                 io.stop();
               });
  io.run();
  return result;
}

}  // namespace keepline::control
