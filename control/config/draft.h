// The configuration between reading and resolving: what the model does not need to keep.
//
// PURE. Pointers into the tree are valid while load() runs.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "control/config/model.h"
#include "control/config/tree.h"

namespace keepline::config {

/// After expanding groups; as many as the dataplane and its steering maps have room for.
inline constexpr std::size_t kMaxVirtualServers = 65'536;
inline constexpr std::size_t kMaxNamedBlocks = 1024;  ///< Of one kind: instances, groups...

struct InstanceDraft {
  VrrpInstance instance;
  const Statement* block = nullptr;
  std::optional<InitialState> state;  ///< As written.
  std::optional<bool> preempt_off;    ///< nopreempt / preempt as written.
  std::optional<net::IpAddr> mcast_dst;
  bool is_unicast = false;  ///< unicast_peer was written, with peers or without.
};

struct GroupDraft {
  std::string name;
  Position position;
  std::vector<Target> targets;
  bool has_fwmark = false;
};

struct ServiceDraft {
  enum class Head { kAddress, kGroup, kFwmark };
  Head head = Head::kAddress;
  std::string group;
  VirtualServer server;
  const Statement* block = nullptr;
  std::vector<AccessRule> access;            ///< As written.
  std::vector<std::string> scheduler_flags;  ///< sh-port and the like, as written.
  bool has_sorry_method = false;
  bool has_sorry_inhibit = false;
  Forwarding sorry_forwarding;
};

struct Draft {
  Config config;
  std::vector<InstanceDraft> instances;
  std::vector<GroupDraft> groups;
  std::vector<ServiceDraft> services;
};

}  // namespace keepline::config
