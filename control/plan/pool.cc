#include "control/plan/pool.h"

namespace keepline::control {

namespace {

std::uint64_t live_weight(const config::VirtualServer& server, const std::vector<Health>& health) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < server.real_servers.size(); ++i) {
    if (health[i] != Health::kDown) sum += server.real_servers[i].weight();
  }
  return sum;
}

}  // namespace

bool initial_quorum(const config::VirtualServer& server, const std::vector<Health>& health) {
  return live_weight(server, health) >= std::uint64_t{server.quorum} + server.hysteresis;
}

Pool make_pool(const config::VirtualServer& server, const std::vector<Health>& health,
               bool had_quorum) {
  const std::uint64_t weight = live_weight(server, health);
  Pool pool;
  if (had_quorum) {
    pool.has_quorum = weight > 0 && weight + server.hysteresis >= server.quorum;
  } else {
    pool.has_quorum = weight > 0 && weight >= std::uint64_t{server.quorum} + server.hysteresis;
  }
  const bool sorry = !pool.has_quorum && server.sorry_server.has_value();
  for (std::size_t i = 0; i < server.real_servers.size(); ++i) {
    const config::RealServer& real = server.real_servers[i];
    if (health[i] != Health::kDown && !sorry) {
      pool.members.push_back({i, real.weight()});
    } else if (real.inhibit_on_failure()) {
      pool.members.push_back({i, 0});
    }
  }
  if (sorry) {
    pool.members.push_back({PoolMember::kSorry, 1});
  } else if (server.sorry_server && server.sorry_server->is_inhibited) {
    // sorry_server_inhibit: when it is not needed any more it keeps the connections that it has.
    pool.members.push_back({PoolMember::kSorry, 0});
  }
  return pool;
}

}  // namespace keepline::control
