// What the API answers: the daemon's state as reports.
//
// Control thread only. Reads counters and the drivers' state, and switches the sampling of stages
// on and off; changes nothing else. In several files:
// report_services.cc has the services, report_bfd.cc BFD, report_lcores.cc the workers,
// report_explain.cc `explain`, reports.cc the rest.
#pragma once

#include <map>

#include "control/api/server.h"
#include "control/bfd_driver.h"
#include "control/options.h"
#include "control/publisher.h"
#include "control/rate_sampler.h"
#include "control/running.h"
#include "control/vrrp_driver.h"

namespace keepline::control {

/// What became of the configuration since the start.
struct ReloadHistory {
  std::int64_t loaded_unix_s = 0;  ///< The one that runs.
  std::uint64_t applied = 0;
  std::uint64_t refused = 0;
  bool last_refused = false;
};

/// How late the control thread runs its timers.
struct ControlLag {
  std::uint64_t last_us = 0;
  std::uint64_t max_us = 0;
};

class Reports final : public api::Backend {
 public:
  struct Sources {
    const Options* options;
    const Running* running;
    const std::shared_ptr<const KernelView>* view;
    worker::Dataplane* dataplane;
    const Publisher* publisher;
    const VrrpDriver* vrrp;  ///< nullptr with -C.
    const BfdDriver* bfd;
    const ControlLag* lag;
    const RateSampler* rates;
    const ReloadHistory* reloads;
    std::function<void(ReloadCallback)> reload;
    std::function<void(const api::FailoverQuery&, FailoverCallback)> failover;
  };
  explicit Reports(Sources sources);

  api::StatusReport status() override;
  api::LcoresReport lcores() override;
  api::ServicesReport services(std::uint64_t cursor) override;
  api::VrrpsReport vrrp() override;
  api::BfdsReport bfd() override;
  api::StagesReport stages() override;
  void sample_stages(bool on) override;
  void reload(ReloadCallback reply) override { from_.reload(std::move(reply)); }
  void failover(const api::FailoverQuery& query, FailoverCallback reply) override {
    from_.failover(query, std::move(reply));
  }
  void connections(const lb::ConnectionFilter& filter, std::uint64_t cursor,
                   PageCallback reply) override;
  void explain(const api::ExplainQuery& query, ExplainCallback reply) override;
  api::StartedCapture start_capture(const api::CaptureQuery& query) override;

  /// An answer to connections() from the worker.
  void handle_record(const worker::ConnectionRecord& record);
  /// An answer to explain() from a worker.
  void handle_explanation(const worker::ExplainRecord& record);

 private:
  static constexpr std::size_t kMaxListings = 32;
  static constexpr unsigned kCursorWorkerShift = 40;
  static constexpr std::size_t kMaxQuestions = 32;
  struct Listing {
    unsigned worker = 0;
    api::ConnectionPage page;
    PageCallback reply;
  };
  struct Question {
    api::ExplainQuery query;
    ExplainCallback reply;
  };
  api::ExplainReport explain_report(const api::ExplainQuery& query,
                                    const lb::Explanation& explanation) const;
  void name_instance(api::ExplainReport& report, const net::IpAddr& vip) const;
  void name_service(api::ExplainReport& report, const lb::Explanation& explanation) const;
  api::WorkerReport worker_report(unsigned index) const;
  api::LcoreReport lcore_report(unsigned index) const;
  api::ServiceReport service_report(const PlannedService& planned) const;
  api::RealReport real_report(std::size_t real, const PlannedService& planned) const;
  api::RealReport sorry_report(const PlannedService& planned) const;
  void count(api::RealReport& report, const lb::RealServer& real) const;

  Sources from_;
  std::int64_t started_us_;
  bool sampling_stages_ = false;
  std::uint32_t next_listing_ = 1;
  std::map<std::uint32_t, Listing> listings_;
  std::weak_ptr<void> capturing_;
  std::uint32_t next_question_ = 1;
  std::map<std::uint32_t, Question> questions_;
};

}  // namespace keepline::control
