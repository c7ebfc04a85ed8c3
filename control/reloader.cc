#include "control/reloader.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "control/load_file.h"
#include "control/plan/restart.h"

namespace keepline::control {

namespace {

std::shared_ptr<Reloader::Loaded> load_beside(const Options& options, const Running& running,
                                              const KernelView& view) {
  config::LoadResult read = load_file(options);
  auto loaded = std::make_shared<Reloader::Loaded>();
  loaded->diagnostics = std::move(read.diagnostics);
  auto config = std::make_shared<const config::Config>(std::move(read.config));
  if (loaded->diagnostics.can_run()) {
    check_restart(*running.config, *config, loaded->diagnostics);
    loaded->wanted.topology = std::make_shared<const Topology>(
        make_topology(*config, view, options.mode, loaded->diagnostics, running.topology.get()));
  }
  loaded->wanted.config = std::move(config);
  for (const config::Diagnostic& each : loaded->diagnostics.items()) {
    loaded->messages.push_back(config::to_string(each));
  }
  return loaded;
}

}  // namespace

void Reloader::load(const Options& options, const Running& running,
                    std::shared_ptr<const KernelView> view,
                    std::function<void(std::shared_ptr<Loaded>)> then) {
  boost::asio::post(reader_, [options, running, view = std::move(view), then = std::move(then),
                              executor = executor_] {
    boost::asio::post(executor, [loaded = load_beside(options, running, *view), then]() mutable {
      then(std::move(loaded));
    });
  });
}

void Reloader::discard(std::shared_ptr<void> old) {
  boost::asio::post(reader_, [old = std::move(old)] {});
}

}  // namespace keepline::control
