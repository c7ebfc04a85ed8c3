// What the API answers about BFD. See reports.h.
#include "control/reports.h"

namespace keepline::control {

namespace {

api::Counters discards_of(const worker::BfdFigures& figures, const std::string& prefix) {
  api::Counters result;
  for (std::size_t i = 0; i < bfd::kDiscardCount; ++i) {
    const auto name = bfd::to_string(static_cast<bfd::Discard>(i));
    result[prefix + std::string(name)] = figures.discarded[i].get();
  }
  return result;
}

void fill(api::BfdReport& row, const worker::BfdFigures& figures) {
  const auto text = [](auto value) { return std::string(bfd::to_string(value)); };
  row.state = text(static_cast<bfd::State>(figures.state.get()));
  row.diagnostic = text(static_cast<bfd::Diagnostic>(figures.diagnostic.get()));
  row.discriminator = figures.discriminator.get();
  row.remote_discriminator = figures.remote_discriminator.get();
  if (row.remote_discriminator != 0) {
    row.remote_state = text(static_cast<bfd::State>(figures.remote_state.get()));
    row.remote_diagnostic = text(static_cast<bfd::Diagnostic>(figures.remote_diagnostic.get()));
  }
  row.tx_interval_us = figures.tx_interval_us.get();
  row.rx_interval_us = figures.rx_interval_us.get();
  row.detection_time_us = figures.detection_time_us.get();
  row.remote_multiplier = figures.remote_multiplier.get();
  row.counters = discards_of(figures, "discarded_");
  row.counters["sent"] = figures.sent.get();
  row.counters["unsent"] = figures.unsent.get();
  row.counters["received"] = figures.received.get();
}

}  // namespace

api::BfdsReport Reports::bfd() {
  api::BfdsReport report;
  for (const BfdDriver::Status& status : from_.bfd->statuses()) {
    api::BfdReport row;
    row.name = status.config->name;
    row.neighbour = net::to_string(status.config->neighbour);
    if (status.config->source) row.source = net::to_string(*status.config->source);
    row.multihop = status.config->is_multihop;
    row.since_unix_s = status.since_unix_s;
    row.state_age_s = status.state_age_s;
    fill(row, *status.figures);
    report.sessions.push_back(std::move(row));
  }
  report.unclaimed = discards_of(from_.dataplane->bfd_board().unclaimed, "");
  return report;
}

}  // namespace keepline::control
