// What the API answers: the daemon's state as reports.
//
// Control thread only. Reads counters and the drivers' state; changes nothing.
#pragma once

#include <map>

#include "control/api/server.h"
#include "control/options.h"
#include "control/publisher.h"
#include "control/vrrp_driver.h"

namespace keepline::control {

/// How late the control thread runs its timers.
struct ControlLag {
  std::uint64_t last_us = 0;
  std::uint64_t max_us = 0;
};

class Reports final : public api::Backend {
 public:
  struct Sources {
    const Options* options;
    const config::Config* config;
    const Topology* topology;
    const std::shared_ptr<const KernelView>* view;
    worker::Dataplane* dataplane;
    const Publisher* publisher;
    const VrrpDriver* vrrp;  ///< nullptr with -C.
    const std::function<const std::vector<std::vector<Health>>*()> health;
    const ControlLag* lag;
  };
  explicit Reports(Sources sources);

  api::StatusReport status() override;
  api::ServicesReport services() override;
  api::VrrpsReport vrrp() override;
  void connections(std::uint64_t cursor, PageCallback reply) override;

  /// An answer to connections() from the worker.
  void handle_record(const worker::ConnectionRecord& record);

 private:
  static constexpr std::size_t kMaxListings = 32;
  struct Listing {
    api::ConnectionPage page;
    PageCallback reply;
  };
  api::RealReport real_report(const config::VirtualServer& server, std::size_t service,
                              std::size_t real, const PlannedService& planned) const;
  api::RealReport sorry_report(const PlannedService& planned) const;
  void count(api::RealReport& report, const lb::RealServer& real) const;

  Sources from_;
  std::int64_t started_us_;
  std::uint32_t next_listing_ = 1;
  std::map<std::uint32_t, Listing> listings_;
};

}  // namespace keepline::control
