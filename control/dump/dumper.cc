#include "control/dump/dumper.h"

#include <boost/asio/post.hpp>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <utility>

#include "control/dump/file.h"
#include "control/dump/json.h"
#include "control/dump/signals.h"
#include "control/dump/text.h"
#include "control/log.h"

namespace keepline::control::dump {

namespace asio = boost::asio;

namespace {

std::string temporary_folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder == nullptr || *folder == '\0' ? "/tmp" : folder;
}

void write(const std::string& path, const std::string& text) {
  if (const std::string error = replace_file(path, text); !error.empty()) {
    log::warn("dump: {}", error);
  }
}

}  // namespace

Dumper::Dumper(asio::any_io_executor executor, Sources from)
    : executor_(executor), signals_(executor), from_(from), folder_(temporary_folder()) {
  for (const int signal : dump_signals()) signals_.add(signal);
  wait();
}

Dumper::~Dumper() {
  *alive_ = false;
  signals_.clear();
  for (const int signal : dump_signals()) std::signal(signal, SIG_IGN);
  writer_.join();
}

void Dumper::wait() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    note(signal);
    wait();
  });
}

void Dumper::note(int signal) {
  wanted_.data |= signal == kDataSignal;
  wanted_.json |= signal == json_signal();
  wanted_.clear |= signal == stats_clear_signal();
  wanted_.stats |= signal == kStatsSignal || signal == stats_clear_signal();
  if (!is_writing_) begin();
}

void Dumper::begin() {
  const Wanted wanted = std::exchange(wanted_, {});
  State state = collect(from_);
  std::optional<State> before = wanted.clear ? std::optional(state) : std::nullopt;
  counters_.subtract(state);
  if (before) counters_.clear(*before);
  const config::GlobalDefs& global = state.config->global;
  const std::string& instance = global.instance.empty() ? from_.options.instance : global.instance;
  const Paths paths = paths_of(global.dumps, folder_, instance);
  is_writing_ = true;
  asio::post(writer_,
             [this, wanted, paths, state = std::move(state), alive = alive_, executor = executor_] {
               const bool has_vrrp = state.mode.vrrp && !state.instances.empty();
               if (wanted.data && has_vrrp) write(paths.data, data_text(state));
               if (wanted.data && state.mode.services)
                 write(paths.check_data, check_data_text(state));
               if (wanted.data) write(paths.parent_data, parent_data_text(state));
               if (wanted.data && state.mode.bfd && !state.config->bfd_instances.empty()) {
                 write(paths.bfd_data, bfd_data_text(state));
               }
               if (wanted.stats && has_vrrp) write(paths.stats, stats_text(state));
               if (wanted.json && has_vrrp) write(paths.json, json_text(state));
               asio::post(executor, [this, alive] {
                 if (!*alive) return;
                 is_writing_ = false;
                 if (wanted_.any()) begin();
               });
             });
}

}  // namespace keepline::control::dump
