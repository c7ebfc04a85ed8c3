// Opening, binding and connecting with a deadline. Control thread only.
#include "checks/connect.h"

#include <cerrno>

#include "checks/deadline.h"

namespace keepline::checks {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

asio::ip::address address_of(const net::IpAddr& address) {
  if (address.is_v4()) return asio::ip::address_v4(address.v4().value());
  return asio::ip::address_v6(address.v6().bytes);
}

Outcome not_run(const boost::system::error_code& error) {
  return {OutcomeKind::kNotRun, error.value()};
}

// Whatever goes wrong before the first packet is our own trouble, not the server's.
boost::system::error_code prepare(tcp::socket& socket, const TcpTarget& target) {
  boost::system::error_code error;
  const bool is_v4 = target.remote.address.is_v4();
  socket.open(is_v4 ? tcp::v4() : tcp::v6(), error);
  if (error) return error;
  socket.non_blocking(true, error);
  if (error || (!target.bind_address && target.bind_port == 0)) return error;
  // A fixed source port would otherwise be blocked by its own TIME_WAIT until the next cycle.
  socket.set_option(asio::socket_base::reuse_address(true), error);
  if (error) return error;
  const net::IpAddr any = is_v4 ? net::IpAddr(net::Ip4()) : net::IpAddr(net::Ip6());
  const tcp::endpoint local(address_of(target.bind_address.value_or(any)), target.bind_port);
  socket.bind(local, error);
  return error;
}

}  // namespace

Outcome outcome_of(const boost::system::error_code& error) {
  if (error == asio::error::operation_aborted) return {OutcomeKind::kNotRun, ECANCELED};
  if (error == asio::error::timed_out) return {OutcomeKind::kTimeout};
  if (error.category() != boost::system::system_category()) return {OutcomeKind::kIoError};
  switch (error.value()) {
    case ECONNREFUSED:
      return {OutcomeKind::kRefused};
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
      return {OutcomeKind::kReset};
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case ENONET:
      return {OutcomeKind::kUnreachable};
    // No local port left, or no memory: the server has not been asked.
    case EADDRNOTAVAIL:
    case EADDRINUSE:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return not_run(error);
    default:
      return {OutcomeKind::kIoError, error.value()};
  }
}

asio::awaitable<Outcome> connect(tcp::socket& socket, asio::steady_timer& timer,
                                 const TcpTarget& target) {
  const boost::system::error_code local_error = prepare(socket, target);
  if (local_error) co_return not_run(local_error);
  const tcp::endpoint remote(address_of(target.remote.address), target.remote.port);
  const TimePoint deadline = Clock::now() + target.connect_timeout;
  const IoResult result =
      co_await with_deadline(timer, deadline, socket.async_connect(remote, asio::deferred));
  if (result.error) co_return outcome_of(result.error);
  co_return Outcome{OutcomeKind::kOk};
}

}  // namespace keepline::checks
