#include "control/figures.h"

namespace keepline::control {

unsigned lcore_of(unsigned worker) {
  return worker + 1;
}

std::uint64_t connection_capacity(const worker::Dataplane& dataplane) {
  std::uint64_t sum = 0;
  for (unsigned i = 0; i < dataplane.worker_count(); ++i) {
    sum += dataplane.worker(i).pipeline().connections4().capacity();
  }
  return sum;
}

RealFigures real_figures(const worker::Dataplane& dataplane, const lb::RealServer& real) {
  RealFigures sum;
  for (unsigned i = 0; i < dataplane.worker_count(); ++i) {
    const lb::RealCounters& counters = dataplane.worker(i).pipeline().real_counters(real.slot);
    if (counters.generation.get() != real.generation) continue;
    sum.active += counters.active.get();
    sum.inactive += counters.inactive.get();
    sum.traffic[Traffic::kConnections] += counters.connections.get();
    sum.traffic[Traffic::kPacketsIn] += counters.packets_in.get();
    sum.traffic[Traffic::kPacketsOut] += counters.packets_out.get();
    sum.traffic[Traffic::kBytesIn] += counters.bytes_in.get();
    sum.traffic[Traffic::kBytesOut] += counters.bytes_out.get();
  }
  return sum;
}

std::uint64_t local_ports(const PlannedService& planned, const lb::RealServer& real) {
  if (real.method != lb::Method::kFullNat) return 0;
  return planned.service->locals.size() * std::uint64_t{lb::LocalPorts<net::V4>::kCount};
}

WorkRates::Totals work_of(const worker::Worker& worker) {
  const lb::PipelineCounters& pipeline = worker.pipeline().counters();
  WorkRates::Totals work{};
  work[Work::kPackets] = pipeline.packets.get();
  work[Work::kBytes] = pipeline.bytes.get();
  work[Work::kCreated] = pipeline.created.get();
  work[Work::kTurns] = worker.counters().turns.get();
  work[Work::kBusyTurns] = worker.counters().busy_turns.get();
  return work;
}

PortFigures port_figures(const worker::Dataplane& dataplane, net::PortId port) {
  PortFigures sum;
  for (unsigned i = 0; i < dataplane.worker_count(); ++i) {
    const worker::WorkerCounters& counters = dataplane.worker(i).counters();
    sum.received += counters.received[port].get();
    sum.transmitted += counters.transmitted[port].get();
  }
  return sum;
}

}  // namespace keepline::control
