// TCP_CHECK: a server is well when it accepts a connection; not a byte is exchanged.
//
// Control thread. Bound: connect_timeout.
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include "checks/connect.h"
#include "checks/probes.h"

namespace keepline::checks {

boost::asio::awaitable<Outcome> probe_tcp(const TcpTarget& target) {
  const auto executor = co_await boost::asio::this_coro::executor;
  boost::asio::ip::tcp::socket socket(executor);
  boost::asio::steady_timer timer(executor);
  const Outcome outcome = co_await connect(socket, timer, target);
  co_return outcome;
}

}  // namespace keepline::checks
