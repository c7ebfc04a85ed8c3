// Workers, their lcores and stages as reports. See reports.h.
#include <algorithm>
#include <numeric>

#include "control/figures.h"
#include "control/reports.h"

namespace keepline::control {

namespace {

api::Counters drops_of(const worker::Worker& worker) {
  api::Counters drops;
  for (std::size_t i = 1; i < net::kDropReasons; ++i) {
    drops[std::string(net::to_string(static_cast<net::Drop>(i)))] =
        worker.pipeline().counters().drops[i].get();
  }
  drops["stale_mail"] = worker.counters().stale_mail.get();
  return drops;
}

api::WorkerStagesReport stages_report(unsigned worker, const lb::StageFigures& figures,
                                      std::uint64_t cycles_per_s) {
  api::WorkerStagesReport row;
  row.worker = worker;
  row.lcore = lcore_of(worker);
  row.bursts = figures.bursts;
  row.packets = figures.packets;
  const auto packets = static_cast<double>(std::max<std::uint64_t>(figures.packets, 1));
  const auto sum = std::accumulate(figures.cycles.begin(), figures.cycles.end(), 0.0);
  for (std::size_t i = 0; i < lb::kStages; ++i) {
    api::StageReport& stage = row.stages.emplace_back();
    const auto cycles = static_cast<double>(figures.cycles[i]);
    stage.stage = std::string(lb::to_string(static_cast<lb::Stage>(i)));
    stage.cycles = figures.cycles[i];
    stage.cycles_per_packet = cycles / packets;
    stage.ns_per_packet = stage.cycles_per_packet * 1e9 / static_cast<double>(cycles_per_s);
    stage.share_percent = sum > 0 ? 100 * cycles / sum : 0;
  }
  return row;
}

}  // namespace

api::WorkerReport Reports::worker_report(unsigned index) const {
  const worker::Worker& worker = from_.dataplane->worker(index);
  const worker::WorkerCounters& counters = worker.counters();
  api::WorkerReport row;
  row.id = index;
  row.lcore = lcore_of(index);
  row.bursts = counters.turns.get();
  row.packets = worker.pipeline().counters().packets.get();
  const auto turns = static_cast<double>(std::max<std::uint64_t>(counters.turns.get(), 1));
  row.idle_percent = 100.0 - 100.0 * static_cast<double>(counters.busy_turns.get()) / turns;
  row.drops = drops_of(worker);
  const lb::PipelineCounters& pipeline = worker.pipeline().counters();
  row.flows = {
      {"half_open", pipeline.half_open.get()},     {"reclaimed", pipeline.reclaimed.get()},
      {"stateless", pipeline.stateless.get()},     {"icmp_errors", pipeline.icmp_errors.get()},
      {"refusals", pipeline.refusals.get()},       {"syn_cookies", pipeline.syn_cookies.get()},
      {"proxied", pipeline.proxied.get()},         {"to_kernel", pipeline.to_kernel.get()},
      {"handed_over", counters.handed_over.get()}, {"taken_over", counters.taken_over.get()}};
  return row;
}

api::LcoreReport Reports::lcore_report(unsigned index) const {
  const worker::Worker& worker = from_.dataplane->worker(index);
  const worker::WorkerCounters& counters = worker.counters();
  const WorkRates::Totals work = work_of(worker);
  const WorkRates::Rates rates = from_.rates->work_per_second(index);
  api::LcoreReport row;
  row.worker = index;
  row.lcore = lcore_of(index);
  row.packets = work[Work::kPackets];
  row.bytes = work[Work::kBytes];
  row.connections = worker.pipeline().counters().connections.get();
  row.created = work[Work::kCreated];
  row.packets_per_s = rates[Work::kPackets];
  row.bytes_per_s = rates[Work::kBytes];
  row.created_per_s = rates[Work::kCreated];
  row.turns = work[Work::kTurns];
  row.busy_turns = work[Work::kBusyTurns];
  row.sleeps = counters.sleeps.get();
  if (rates[Work::kTurns] > 0) {
    row.busy_percent = 100 * rates[Work::kBusyTurns] / rates[Work::kTurns];
  }
  row.drops = drops_of(worker);
  for (std::size_t i = 0; i < from_.running->topology->ports.size(); ++i) {
    row.ports.push_back({from_.running->topology->ports[i].netdev, counters.received[i].get(),
                         counters.transmitted[i].get()});
  }
  return row;
}

api::LcoresReport Reports::lcores() {
  api::LcoresReport report;
  for (unsigned i = 0; i < from_.dataplane->worker_count(); ++i) {
    report.lcores.push_back(lcore_report(i));
  }
  return report;
}

api::StagesReport Reports::stages() {
  api::StagesReport report;
  report.sampling = sampling_stages_;
  report.cycles_per_s = from_.dataplane->cycles_per_s();
  for (unsigned i = 0; i < from_.dataplane->worker_count(); ++i) {
    report.workers.push_back(
        stages_report(i, from_.dataplane->stage_figures(i), report.cycles_per_s));
  }
  return report;
}

void Reports::sample_stages(bool on) {
  sampling_stages_ = on;
  from_.dataplane->sample_stages(on);
}

}  // namespace keepline::control
