// The unix socket as a file: made with the right mode, taken over from a dead daemon, removed.
//
// Called by the server on the control thread, at start and stop only. Nothing here blocks.
#pragma once

#include <cstdint>
#include <string>

#include "control/api/server.h"

namespace keepline::api {

struct SocketFile {
  ListenResult result = ListenResult::kFailed;
  int fd = -1;    ///< A listening, non-blocking stream socket when result is kOk.
  int error = 0;  ///< errno when result is kFailed.
};

/// Creates the directory of `path` (0755) if it is missing, and a listening socket with mode 0600.
SocketFile open_socket_file(const std::string& path, int backlog);

void remove_socket_file(const std::string& path);

}  // namespace keepline::api
