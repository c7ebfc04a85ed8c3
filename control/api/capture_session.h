// GET /v1/capture: frames as a pcapng stream, until there are enough of them, the time is up or the
// client has gone.
//
// Control thread only, in a session's coroutine. Bounds: one capture at a time, kMostSeconds.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string_view>

#include "control/api/session.h"

namespace keepline::api {

boost::asio::awaitable<void> send_capture(ClientPtr client, const SessionContext& context,
                                          std::string_view query_text, unsigned version);

}  // namespace keepline::api
