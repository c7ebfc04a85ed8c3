#include "control/publisher.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "control/log.h"
#include "dataplane/port/steer_maps.h"

namespace keepline::control {

namespace {

std::uint32_t flags_of(const DeviceSteering::AddressUse& use) {
  return (use.answer ? KL_ANSWER : 0u) | (use.service ? KL_SERVICE : 0u) | (use.own ? KL_OWN : 0u) |
         (use.vrrp ? KL_VRRP : 0u) | (use.real ? KL_REAL : 0u) | (use.local ? KL_LOCAL : 0u) |
         (use.tunnel ? KL_TUNNEL : 0u) | (use.refuse ? KL_REFUSE : 0u) | (use.bfd ? KL_BFD : 0u) |
         (use.bfd_multihop ? KL_BFD_MULTIHOP : 0u);
}

port::SteerTable table_of(const DeviceSteering& wanted) {
  port::SteerTable table;
  for (const auto& [address, use] : wanted.addresses) table.addresses[address] = flags_of(use);
  for (const auto& each : wanted.services) table.services.insert({each.endpoint, each.protocol});
  for (const auto& each : wanted.reals) table.reals.insert({each.endpoint, each.protocol});
  table.macs.insert(wanted.macs.begin(), wanted.macs.end());
  table.vlans.insert(wanted.vlans.begin(), wanted.vlans.end());
  return table;
}

}  // namespace

Publisher::Publisher(boost::asio::io_context& io, worker::Dataplane& dataplane,
                     const Topology& topology, std::function<PlanInput()> input)
    : io_(io), timer_(io), dataplane_(dataplane), input_(std::move(input)) {
  for (std::size_t device = 0; device < topology.devices.size(); ++device) {
    for (const PlacedNic& nic : topology.devices[device].nics) {
      auto maps = port::Steering::open(nic.ifindex);
      if (!maps) throw std::runtime_error("interface " + nic.netdev + ": " + maps.error());
      steering_.push_back({device, std::move(*maps)});
    }
  }
}

Publisher::~Publisher() {
  stop();
}

void Publisher::stop() {
  if (stopped_) return;
  stopped_ = true;
  timer_.cancel();
  builder_.join();
}

Publisher::Built Publisher::build(const PlanInput& input) {
  Built built;
  built.plan = planner_.make(input);
  for (const DeviceSteering& wanted : built.plan.steering) {
    built.tables.push_back(table_of(wanted));
  }
  for (NicSteering& nic : steering_) {
    if (built.widened) built.widened = nic.maps.widen(built.tables[nic.device]);
  }
  return built;
}

void Publisher::narrow(const Tables& tables) {
  for (NicSteering& nic : steering_) {
    if (const auto result = nic.maps.narrow(tables[nic.device]); !result) {
      log::error("{}", result.error());
    }
  }
}

tl::expected<void, std::string> Publisher::publish_first() {
  Built built = build(input_());
  if (!built.widened) return built.widened;
  dataplane_.publish(built.plan.snapshot);
  services_ = std::move(built.plan.services);
  narrow(built.tables);
  return {};
}

void Publisher::request(std::function<void()> then) {
  if (stopped_) return;
  if (then) asked_.push_back(std::move(then));
  if (building_) {
    again_ = true;
    return;
  }
  if (!waiting_) begin_after(kSettle);
}

void Publisher::begin_after(std::chrono::milliseconds delay) {
  waiting_ = true;
  timer_.expires_after(delay);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && !stopped_) begin();
  });
}

void Publisher::begin() {
  waiting_ = false;
  building_ = true;
  std::ranges::move(std::exchange(asked_, {}), std::back_inserter(building_for_));
  boost::asio::post(builder_, [this, input = input_()] {
    auto built = std::make_shared<Built>(build(input));
    boost::asio::post(io_, [this, built] {
      if (!stopped_) finish(std::move(*built));
    });
  });
}

void Publisher::finish(Built built) {
  building_ = false;
  if (!built.widened) {
    // Without its steering entry a service would not be reached: better the old state than half.
    log::error("not published yet: {}", built.widened.error());
    begin_after(kRetry);
    return;
  }
  if (dataplane_.publish(built.plan.snapshot) == rcu::Publish::kBacklogFull) {
    log::warn("a worker has stalled: publishing waits");
    begin_after(kRetry);
    return;
  }
  // What is gone may be large: it is freed where it was made.
  std::swap(services_, built.plan.services);
  boost::asio::post(builder_, [this, gone = std::move(built.plan.services),
                               tables = std::move(built.tables)] { narrow(tables); });
  for (const auto& then : std::exchange(building_for_, {})) then();
  if (std::exchange(again_, false)) request();
}

}  // namespace keepline::control
