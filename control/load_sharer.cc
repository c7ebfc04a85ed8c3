#include "control/load_sharer.h"

#include <algorithm>
#include <utility>

namespace keepline::control {

LoadSharer::LoadSharer(boost::asio::any_io_executor executor, Sources sources)
    : from_(std::move(sources)), timer_(std::move(executor)) {}

void LoadSharer::start() {
  if (from_.workers > 1) take_turn();
}

void LoadSharer::take_turn() {
  const std::vector<PlannedService>& services = from_.services();
  std::size_t left = std::max<std::size_t>(kReadsPerTurn / from_.workers, 1);
  if (service_ >= services.size()) service_ = real_ = 0;
  for (; left > 0 && service_ < services.size(); ++service_, real_ = 0) {
    const lb::Service& service = *services[service_].service;
    if (!service.counts_connections()) {
      --left;
      continue;
    }
    for (; left > 0 && real_ < service.pool.size(); --left) from_.share(service.pool[real_++]);
    if (real_ < service.pool.size()) break;
  }
  timer_.expires_after(kPeriod);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) take_turn();
  });
}

}  // namespace keepline::control
