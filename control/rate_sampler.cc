#include "control/rate_sampler.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

namespace keepline::control {

RateSampler::RateSampler(boost::asio::any_io_executor executor, Sources sources)
    : from_(std::move(sources)), timer_(std::move(executor)), work_(from_.workers) {}

void RateSampler::start() {
  round_begin_ = std::chrono::steady_clock::now();
  begin_round();
}

TrafficRates::Rates RateSampler::traffic_per_second(const lb::RealServer& real) const {
  if (real.slot >= traffic_.size()) return {};
  return traffic_[real.slot].per_second(real.generation);
}

WorkRates::Rates RateSampler::work_per_second(unsigned worker) const {
  return work_[worker].per_second(0);
}

void RateSampler::begin_round() {
  const std::int64_t now = from_.now_us();
  for (unsigned i = 0; i < work_.size(); ++i) work_[i].sample(0, from_.work(i), now);
  service_ = 0;
  real_ = 0;
  take_slice();
}

void RateSampler::take_slice() {
  const std::vector<PlannedService>& services = from_.services();
  std::size_t left = std::max<std::size_t>(kReadsPerSlice / from_.workers, 1);
  for (; service_ < services.size(); ++service_, real_ = 0) {
    const PlannedService& planned = services[service_];
    // The sorry server comes after the others.
    for (; real_ <= planned.reals.size(); ++real_) {
      if (left-- == 0) return next_slice();
      sample(planned, real_ < planned.reals.size() ? planned.reals[real_] : planned.sorry);
    }
  }
  const auto now = std::chrono::steady_clock::now();
  round_begin_ = std::max(round_begin_ + kPeriod, now);
  timer_.expires_at(round_begin_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) begin_round();
  });
}

void RateSampler::next_slice() {
  boost::asio::post(timer_.get_executor(), [this] { take_slice(); });
}

void RateSampler::sample(const PlannedService& planned, const lb::RealServer& real) {
  if (real.slot == 0) return;  // no such server
  if (real.slot >= traffic_.size()) traffic_.resize(real.slot + 1);
  traffic_[real.slot].sample(real.generation, from_.traffic(planned, real), from_.now_us());
}

}  // namespace keepline::control
