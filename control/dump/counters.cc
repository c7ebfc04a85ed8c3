#include "control/dump/counters.h"

namespace keepline::control::dump {

namespace {

using vrrp::Statistics;

// Those that dumps show.
constexpr std::uint64_t Statistics::*kShown[] = {
    &Statistics::advert_rcvd,       &Statistics::advert_sent,         &Statistics::become_master,
    &Statistics::release_master,    &Statistics::packet_len_err,      &Statistics::ip_ttl_err,
    &Statistics::invalid_type_rcvd, &Statistics::advert_interval_err, &Statistics::addr_list_err,
    &Statistics::invalid_authtype,  &Statistics::authtype_mismatch,   &Statistics::auth_failure,
    &Statistics::pri_zero_rcvd,     &Statistics::pri_zero_sent,
};

}  // namespace

void Counters::subtract(State& state) const {
  for (std::size_t i = 0; i < state.instances.size(); ++i) {
    const auto found = cleared_.find(state.config->vrrp_instances[i].name);
    if (found == cleared_.end()) continue;
    for (const auto counter : kShown) {
      std::uint64_t& value = state.instances[i].statistics.*counter;
      // Less than before: a reload made the instance anew.
      if (value >= found->second.*counter) value -= found->second.*counter;
    }
  }
}

void Counters::clear(const State& state) {
  cleared_.clear();
  for (std::size_t i = 0; i < state.instances.size(); ++i) {
    cleared_[state.config->vrrp_instances[i].name] = state.instances[i].statistics;
  }
}

}  // namespace keepline::control::dump
