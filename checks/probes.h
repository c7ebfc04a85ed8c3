// The probes: each is one coroutine that talks to one server once and returns an outcome.
//
// Run on the control thread's executor with kernel sockets that never block. A probe takes at most
// connect_timeout to connect and per read, and kMaxTimeoutsPerProbe times that in all; it reads at
// most kMaxBodyBytes. Cancelling the coroutine ends it at once with kNotRun. Nothing throws.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>

#include "checks/outcome.h"
#include "checks/spec.h"

namespace keepline::checks {

inline constexpr int kMaxTimeoutsPerProbe = 12;
inline constexpr std::uint64_t kMaxBodyBytes = 64ull << 20;

/// TCP_CHECK: connects and closes.
boost::asio::awaitable<Outcome> probe_tcp(const TcpTarget& target);

/// HTTP_GET of one url (an index into target.urls, which must exist). `target` outlives the probe.
boost::asio::awaitable<Outcome> probe_http(const HttpTarget& target, std::size_t url_index);

}  // namespace keepline::checks
