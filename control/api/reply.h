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

enum class Refusal : std::uint8_t { kBadRequest, kUnavailable };

/// {"error": message}
boost::asio::awaitable<void> reply_error(ClientPtr client, std::chrono::milliseconds timeout,
                                         Refusal refusal, std::string_view message);

}  // namespace keepline::api
