// The one place that races an asynchronous operation against a timer.
//
// Called from coroutines on the control thread. The timer is the caller's and is reused from one
// operation to the next; the loser of the race is cancelled and has ended when this returns, so no
// handler outlives the coroutine.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstddef>
#include <tuple>
#include <utility>

#include "checks/damping.h"

namespace keepline::checks {

/// error is timed_out when the timer won, operation_aborted when the coroutine was cancelled.
struct IoResult {
  boost::system::error_code error;
  std::size_t bytes = 0;
};

/// Runs a deferred operation, `socket.async_read_some(buffer, boost::asio::deferred)`, that
/// completes with an error_code and possibly a byte count.
template <typename Operation>
boost::asio::awaitable<IoResult> with_deadline(boost::asio::steady_timer& timer, TimePoint deadline,
                                               Operation operation) {
  namespace asio = boost::asio;
  timer.expires_at(deadline);
  auto group = asio::experimental::make_parallel_group(std::move(operation),
                                                       timer.async_wait(asio::deferred));
  const auto results =
      co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  constexpr std::size_t kTimerIndex = std::tuple_size_v<decltype(results)> - 1;

  IoResult result{std::get<1>(results)};
  if constexpr (kTimerIndex == 3) result.bytes = std::get<2>(results);
  const bool timer_fired = !std::get<kTimerIndex>(results);
  if (timer_fired && result.error == asio::error::operation_aborted) {
    result.error = asio::error::timed_out;
  }
  // A cancellation that came when the operation had just ended would otherwise be forgotten.
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != asio::cancellation_type::none) {
    result.error = asio::error::operation_aborted;
  }
  co_return result;
}

}  // namespace keepline::checks
