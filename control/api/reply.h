// Answers in one piece.
//
// Control thread only, in a session's coroutine.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>
#include <string_view>

#include "control/api/session.h"

namespace keepline::api {

/// 400 with {"error": message}.
boost::asio::awaitable<void> reply_bad_request(ClientPtr client, std::chrono::milliseconds timeout,
                                               std::string_view message);

}  // namespace keepline::api
