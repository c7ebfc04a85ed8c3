// One request to the daemon over its unix socket.
//
// Blocks the calling thread (the CLI's only one) for at most kReplyTimeout per piece of the answer;
// fetch() keeps at most kMaxReplyBytes of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace keepline::cli {

inline constexpr std::chrono::milliseconds kReplyTimeout{5000};
inline constexpr std::chrono::milliseconds kReloadTimeout{125'000};  ///< More than the daemon's.
inline constexpr std::uint64_t kMaxReplyBytes = 512ull << 20;

enum class FetchResult : std::uint8_t {
  kOk,
  kNotRunning,  ///< No socket file, or nobody listens on it.
  kForbidden,   ///< The socket is root's.
  kTimeout,     ///< The daemon does not answer.
  kRefused,     ///< The daemon answered with an error.
  kBroken,      ///< The answer was cut or is no HTTP.
};

struct Fetched {
  FetchResult result = FetchResult::kBroken;
  std::string body;     ///< The JSON text when result is kOk.
  std::string message;  ///< For people, with the socket path and what to do, when it is not.
};

/// What is asked for.
enum class Method : std::uint8_t {
  kGet,
  kPost,  ///< Changes something; all of it is in the path.
};

/// Asks for `path` ("/v1/status") of the daemon behind `socket_path`.
Fetched fetch(const std::string& socket_path, const std::string& path,
              std::chrono::milliseconds timeout = kReplyTimeout, Method method = Method::kGet);

/// The same for an answer that goes on and on: `sink` gets each piece of it and may end it by
/// false. The daemon has kReplyTimeout for each.
Fetched stream(const std::string& socket_path, const std::string& path,
               const std::function<bool(std::string_view)>& sink);

}  // namespace keepline::cli
