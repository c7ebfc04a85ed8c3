// Shared by the tests of vrrp/: configurations, adverts, and actions as readable words.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "vrrp/instance.h"
#include "vrrp/text.h"

namespace keepline::vrrp::testing {

inline constexpr std::int64_t kMs = 1000;
inline constexpr std::int64_t kStart_us = 1'000'000'000;  ///< Nothing may depend on zero.

inline net::IpAddr ip(const char* text) {
  return *net::parse_ip(text);
}

inline InstanceConfig config_of(std::uint8_t priority, Version version = Version::k2,
                                std::int64_t interval_us = kSecond_us) {
  InstanceConfig config;
  config.name = "VI_1";
  config.vrid = 51;
  config.priority = priority;
  config.version = version;
  config.advert_interval_us = interval_us;
  config.vips = {ip("10.9.0.100"), ip("10.9.0.99")};
  config.source = ip("10.9.0.5");
  return config;
}

/// What another node with the same configuration would send.
inline Advert advert_from(const InstanceConfig& config, const char* source, std::uint8_t priority) {
  Advert advert;
  advert.version = config.version;
  advert.vrid = config.vrid;
  advert.priority = priority;
  advert.auth_type = static_cast<std::uint8_t>(config.auth_type);
  advert.auth_data = config.auth_data;
  advert.interval_us = config.advert_interval_us;
  advert.source = ip(source);
  advert.destination = config.is_unicast() ? config.source : config.group;
  advert.checksum_plain = config.version == Version::k2 || config.v3_checksum_as_v2;
  advert.checksum_pseudo = config.version == Version::k3 && !config.v3_checksum_as_v2;
  advert.vips = config.vips;
  return advert;
}

inline std::string word(const Action& action) {
  return std::visit(
      [](const auto& a) -> std::string {
        using T = std::decay_t<decltype(a)>;
        if constexpr (std::is_same_v<T, SendAdvert>) {
          return "advert:" + std::to_string(a.priority);
        } else if constexpr (std::is_same_v<T, AcquireVips>) {
          return "acquire";
        } else if constexpr (std::is_same_v<T, ReleaseVips>) {
          return "release";
        } else if constexpr (std::is_same_v<T, GrantLease>) {
          return "grant";
        } else if constexpr (std::is_same_v<T, RevokeLease>) {
          return "revoke";
        } else if constexpr (std::is_same_v<T, Linger>) {
          return a.is_succeeded ? "linger" : "linger2";
        } else if constexpr (std::is_same_v<T, StartGarpBurst>) {
          return a.reason == GarpReason::kBecameMaster ? "garp" : "garp2";
        } else if constexpr (std::is_same_v<T, WantMaster>) {
          return "want";
        } else if constexpr (std::is_same_v<T, StateChanged>) {
          return std::string(to_string(a.from)) + ">" + std::string(to_string(a.to));
        } else {
          return "notice" + std::to_string(static_cast<int>(a.kind));
        }
      },
      action);
}

inline std::vector<Action> drain(Instance& instance) {
  std::vector<Action> actions;
  while (auto action = instance.poll_action()) actions.push_back(*action);
  return actions;
}

inline std::string words(const std::vector<Action>& actions) {
  std::string text;
  for (const Action& action : actions) text += (text.empty() ? "" : " ") + word(action);
  return text;
}

/// All actions so far as one line, such as "grant acquire garp advert:100 BACKUP>MASTER".
inline std::string did(Instance& instance) {
  return words(drain(instance));
}

/// The reason of the last state change among `actions`.
inline Reason reason_in(const std::vector<Action>& actions) {
  Reason reason = Reason::kNone;
  for (const Action& action : actions) {
    if (const auto* changed = std::get_if<StateChanged>(&action)) reason = changed->reason;
  }
  return reason;
}

inline constexpr const char* kBecameMaster = "grant acquire garp advert:100 BACKUP>MASTER";

/// Lets time pass as a driver does: wakes at every next_timeout up to and including `until_us`.
inline void run_until(Instance& instance, std::int64_t until_us) {
  for (auto next_us = instance.next_timeout(); next_us && *next_us <= until_us;
       next_us = instance.next_timeout()) {
    instance.handle_timeout(*next_us);
    if (instance.next_timeout() == next_us) break;  // would spin
  }
}

/// Started at kStart_us, master after its master-down interval, actions drained.
struct Master {
  explicit Master(const InstanceConfig& config) : instance(config) {
    instance.start(kStart_us);
    if (instance.state() != State::kMaster) run_until(instance, instance.deadline_us());
    now_us = instance.last_transition_us();
    drain(instance);
  }
  Instance instance;
  std::int64_t now_us = 0;
};

}  // namespace keepline::vrrp::testing
