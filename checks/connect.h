// What all TCP based probes begin with, and how errors of sockets become outcomes.
//
// Control thread, inside a probe's coroutine. Bound: connect_timeout.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "checks/outcome.h"
#include "checks/spec.h"

namespace keepline::checks {

/// The outcome of an error on a connection that is being or has been established.
Outcome outcome_of(const boost::system::error_code& error);

/// Opens, binds and connects `socket`. kOk = connected.
boost::asio::awaitable<Outcome> connect(boost::asio::ip::tcp::socket& socket,
                                        boost::asio::steady_timer& timer, const TcpTarget& target);

}  // namespace keepline::checks
