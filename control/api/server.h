// The API server: HTTP/1 with JSON over a unix stream socket that only root can open; and
// Prometheus' metrics over that and, if asked for, over TCP.
//
// GET /v1/status, /v1/lcores, /v1/services, /v1/vrrp, /v1/bfd, /v1/connections, /v1/stages, and
// /v1/explain?source=ADDRESS:PORT&destination=ADDRESS:PORT&protocol=tcp,
// /v1/capture?program=HEX&count=N&seconds=N&bytes=N;
// POST /v1/stages?sampling=on, /v1/reload,
// /v1/failover?instance=NAME&back=on; GET /metrics; one request per connection. Owns the
// listening socket and its file. Everything happens on the executor's one thread (control), in
// small pieces: long lists are turned into JSON kItemsPerPiece at a time with a turn of the loop in
// between. Bounds: kMaxClients at a time (one more is answered 503), kMaxRequestBytes per request,
// kClientTimeout for each read, write and backend answer.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "control/api/query.h"
#include "control/api/status.h"

namespace keepline::api {

inline constexpr std::size_t kMaxClients = 16;
inline constexpr std::size_t kMaxRequestBytes = 8192;
inline constexpr std::size_t kItemsPerPiece = 64;
inline constexpr std::size_t kFramesPerPiece = 64;
inline constexpr std::chrono::milliseconds kClientTimeout{5000};
inline constexpr std::chrono::seconds kReloadTimeout{120};

/// A running capture; it ends when this does.
class CaptureSource {
 public:
  virtual ~CaptureSource() = default;
  /// The stream by now, with at most so many frames; says how many there are.
  virtual std::string read(std::size_t most, std::size_t& frames) = 0;
  /// Part of the stream: what matched, what was missed.
  virtual std::string statistics() = 0;
};
struct StartedCapture {
  std::unique_ptr<CaptureSource> source;
  std::string error;  ///< Not empty: says why there is none.
};

/// The daemon as the API sees it. All calls come from, and answers are given on, the control
/// thread. Must outlive the server.
class Backend {
 public:
  using PageCallback = std::function<void(ConnectionPage)>;
  using ExplainCallback = std::function<void(std::optional<ExplainReport>)>;

  virtual ~Backend() = default;
  virtual StatusReport status() = 0;
  virtual LcoresReport lcores() = 0;
  /// Some services, from a cursor on (as with connections()): not many more than kItemsPerPiece
  /// services and real servers together.
  virtual ServicesReport services(std::uint64_t cursor) = 0;
  virtual VrrpsReport vrrp() = 0;
  virtual BfdsReport bfd() = 0;
  using ReloadCallback = std::function<void(ReloadReport)>;
  /// Reads the configuration again; answers when it runs or has been refused.
  virtual void reload(ReloadCallback reply) = 0;
  using FailoverCallback = std::function<void(FailoverReport)>;
  /// Has instances hand over to their peers, or take back; answers when that is done.
  virtual void failover(const FailoverQuery& query, FailoverCallback reply) = 0;
  virtual StagesReport stages() = 0;
  virtual void sample_stages(bool on) = 0;
  /// Asks for the connections that the filter lets through, from a cursor on (0 = from the
  /// beginning; otherwise a next_cursor of an earlier page, with a meaning that is the backend's
  /// own). The answer may come at once or later; an answer after kClientTimeout is thrown away. The
  /// server asks for the next page when the client has taken the last one, so a page should be
  /// small (some hundred entries).
  virtual void connections(const lb::ConnectionFilter& filter, std::uint64_t cursor,
                           PageCallback reply) = 0;
  /// One at a time.
  virtual StartedCapture start_capture(const CaptureQuery& query) = 0;
  /// Asks what becomes of a packet; nullopt: the dataplane takes no more questions. As above the
  /// answer may come later.
  virtual void explain(const ExplainQuery& query, ExplainCallback reply) = 0;
};

enum class ListenResult : std::uint8_t {
  kOk,
  kPathTooLong,
  kInUse,       ///< Another daemon answers on this socket.
  kNotASocket,  ///< Something else has this name; it is not removed.
  kFailed,      ///< error_number() says why.
};

/// The server.
class Server {
 public:
  Server(boost::asio::any_io_executor executor, Backend& backend,
         std::chrono::milliseconds client_timeout = kClientTimeout);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Creates the directory (one level, 0755) and the socket file (0600), replacing the file of a
  /// daemon that is gone, and begins to accept. Called once.
  ListenResult listen(const std::string& path);
  /// Begins to answer GET /metrics, and nothing else, on this address. Called once at most.
  ListenResult listen_for_metrics(const net::Endpoint& address);
  int error_number() const;

  /// Closes everything and removes the socket file.
  void stop();
  std::size_t client_count() const;

 private:
  struct Core;
  std::shared_ptr<Core> core_;
};

/// listen(), and listen_for_metrics() where there is an address. Throws std::runtime_error that
/// names what is in the way.
void listen_or_throw(Server& server, const std::string& path,
                     const std::optional<net::Endpoint>& metrics);

}  // namespace keepline::api
