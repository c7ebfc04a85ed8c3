// A Speaker whose host writes down what it is told, and a peer that speaks when a test says so.
//
// One thread, virtual time. Bound: none, tests are short.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/vrrp/support.h"
#include "vrrp/speaker.h"

namespace keepline::vrrp::testing {

/// Writes down what it is told: adverts as their priority, announcements as addresses.
class Recorder final : public Host {
 public:
  Send send_advert(std::size_t instance, const net::IpAddr&, net::Bytes packet,
                   std::int64_t) override {
    if (refuses) return Send::kFailed;
    const auto advert = parse_advert(packet);
    adverts[instance] += std::to_string(advert->priority) + ' ';
    return Send::kQueued;
  }
  bool may_announce(std::size_t instance) override {
    return is_ready && !unready.contains(instance);
  }
  void announce(std::size_t instance, const net::IpAddr& vip) override {
    announced[instance] += net::to_string(vip) + ' ';
  }
  void grant_lease(std::size_t instance, std::int64_t duration_us, Answers answers) override {
    leases[instance] = duration_us;
    if (answers == Answers::kNo) muted.insert(instance);
    if (answers == Answers::kYes) muted.erase(instance);
  }
  void revoke_lease(std::size_t instance) override { leases.erase(instance); }
  void claim(std::size_t instance) override { claimed.insert(instance); }
  void share(std::size_t instance) override { shared.insert(instance); }
  void mute(std::size_t instance) override { muted.insert(instance); }
  void succeeded(std::size_t) override {}
  void lead_to_successor(std::size_t instance) override { led.insert(instance); }
  void acquire_addresses(std::size_t instance) override { held[instance] = true; }
  void release_addresses(std::size_t instance) override { held[instance] = false; }
  void state_changed(std::size_t, const StateChanged&) override {}
  void noticed(std::size_t, const Notice&) override {}
  std::int64_t wall_us() override { return 0; }

  std::map<std::size_t, std::string> adverts;
  std::map<std::size_t, std::string> announced;
  std::map<std::size_t, std::int64_t> leases;
  std::map<std::size_t, bool> held;
  std::set<std::size_t> claimed;
  std::set<std::size_t> shared;
  std::set<std::size_t> muted;
  std::set<std::size_t> led;  ///< Whose clients it was asked to lead to the successor.
  bool refuses = false;       ///< To send adverts.
  bool is_ready = true;       ///< For announcements.
  std::set<std::size_t> unready;
};

inline const net::IpAddr kFirst = ip("10.0.0.50");
inline const net::IpAddr kSecond = ip("10.0.0.51");

inline InstanceConfig instance_of(std::uint8_t vrid) {
  InstanceConfig config;
  config.vrid = vrid;
  config.priority = kOwnerPriority;  // Master at once.
  config.vips = {kFirst};
  config.source = ip("10.0.0.1");
  config.garp.master_repeat = 1;
  config.garp.master_delay_us = 0;
  return config;
}

class SpeakerTest : public ::testing::Test {
 protected:
  void add(std::size_t number, InstanceConfig config, Port port = 0) {
    const std::vector<net::IpAddr> vips = config.vips;
    speaker.add(number, std::move(config), port, vips);
  }
  void start() {
    add(0, instance_of(50));
    add(2, instance_of(52));
    speaker.start(now_us);
  }
  /// Masters with VRIDs from 50 on, in one sync group.
  void start_group(std::size_t count) {
    std::vector<std::size_t> numbers;
    for (std::size_t number = 0; number < count; ++number) {
      InstanceConfig config = instance_of(static_cast<std::uint8_t>(50 + number));
      config.sync_grouped = true;
      add(number, config);
      numbers.push_back(number);
    }
    speaker.set_groups({numbers}, now_us);
    speaker.start(now_us);
    pass(10);
  }
  /// An advert of the other node for VRID 50 + number.
  void hear(std::size_t number, std::uint8_t priority) {
    InstanceConfig other = instance_of(static_cast<std::uint8_t>(50 + number));
    other.source = ip("10.0.0.2");
    std::array<std::uint8_t, kMaxAdvertBytes> packet;
    const auto length = encode_advert(other, priority, other.group, packet);
    speaker.handle_packet(0, std::span(packet).first(*length), now_us);
  }
  /// A worse master speaks each second, until the first instance takes over.
  void hear_worse_until_master(int most_seconds) {
    for (int second = 0; second < most_seconds && state(0) == State::kBackup; ++second) {
      hear(0, 100);
      pass(kSecond_us);
    }
  }
  State state(std::size_t number) const { return speaker.instance(number).state(); }
  /// To the next timer, at most by so much.
  void pass(std::int64_t most_us) {
    const std::int64_t end_us = now_us + most_us;
    while (const auto next_us = speaker.next_timeout()) {
      if (*next_us > end_us) break;
      now_us = std::max(now_us, *next_us);
      speaker.handle_timeout(now_us);
    }
    now_us = end_us;
  }

  Recorder host;
  Speaker speaker{host, GarpGap()};
  std::int64_t now_us = kStart_us;
};

}  // namespace keepline::vrrp::testing
