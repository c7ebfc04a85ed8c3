// What VRRP needs of the node and says of itself: the App as VrrpHost. See app.h.
#include "control/app.h"

namespace keepline::control {

namespace {

// Where the instance stands in the configuration. VRRP has none that is not there.
std::size_t index_of(const Running& running, std::size_t instance) {
  return running.topology->instance_of(static_cast<lb::LeaseSlot>(instance)).value();
}

}  // namespace

VrrpHost::Send App::send_frame(net::PortId port, net::Bytes frame, std::int64_t valid_us) {
  return dataplane_->send(port, frame, valid_us) == worker::Dataplane::Send::kQueued
             ? Send::kQueued
             : Send::kFailed;
}

bool App::may_announce(std::size_t instance, net::PortId port) {
  return vips_->is_settled(static_cast<lb::LeaseSlot>(instance)) && dataplane_->has_room(port);
}

void App::grant_lease(std::size_t instance, std::int64_t duration_us, Answers answers) {
  if (duration_us <= 0) return;
  const auto lease = static_cast<lb::LeaseSlot>(instance);
  dataplane_->grant_lease(lease, duration_us, answers == Answers::kNo);
}

void App::revoke_lease(std::size_t instance) {
  dataplane_->revoke_lease(static_cast<lb::LeaseSlot>(instance));
}

void App::mute(std::size_t instance) {
  dataplane_->mute_lease(static_cast<lb::LeaseSlot>(instance));
}

void App::share(std::size_t instance) {
  dataplane_->share_lease(static_cast<lb::LeaseSlot>(instance));
}

void App::acquire_addresses(std::size_t instance) {
  const auto lease = static_cast<lb::LeaseSlot>(instance);
  const Topology& topology = *setup_.running.topology;
  filters_.accept(topology.instances[index_of(setup_.running, instance)], topology);
  vips_->acquire(lease);
}

void App::release_addresses(std::size_t instance) {
  const auto lease = static_cast<lb::LeaseSlot>(instance);
  const Topology& topology = *setup_.running.topology;
  filters_.refuse(topology.instances[index_of(setup_.running, instance)], topology);
  vips_->release(lease);
}

void App::state_changed(std::size_t instance, const vrrp::StateChanged& change) {
  const int priority = vrrp_->speaker().instance(instance).effective_priority();
  const std::size_t index = index_of(setup_.running, instance);
  if (reload_ && reload_->going.contains(instance) && change.to == vrrp::State::kInit) {
    notifier_->instance_removed(index, priority);
  } else {
    notifier_->instance_changed(index, change.to, priority);
  }
}

void App::lower_priority_heard(std::size_t instance) {
  const int priority = vrrp_->speaker().instance(instance).effective_priority();
  const std::size_t index = index_of(setup_.running, instance);
  notifier_->lower_priority_heard(index, priority);
}

void App::priority_changed(std::size_t instance, int priority) {
  const std::size_t index = index_of(setup_.running, instance);
  notifier_->priority_changed(index, vrrp_->speaker().instance(instance).state(), priority);
}

}  // namespace keepline::control
