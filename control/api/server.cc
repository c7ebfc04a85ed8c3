// Accepting clients and counting them. Control thread only; see server.h for the bounds.
#include "control/api/server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <exception>
#include <set>
#include <stdexcept>
#include <utility>

#include "control/api/session.h"
#include "control/api/socket_file.h"

namespace keepline::api {

namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;

constexpr int kBacklog = 16;
/// Clients that are being told to come back later; beyond them connections are simply closed.
constexpr std::size_t kMaxTurnedAway = 16;
/// The wait after an accept that failed for want of file descriptors.
constexpr std::chrono::milliseconds kAcceptPause{200};

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

}  // namespace

struct Server::Core : std::enable_shared_from_this<Core> {
  Core(asio::any_io_executor an_executor, Backend& a_backend, std::chrono::milliseconds a_timeout)
      : executor(std::move(an_executor)),
        backend(a_backend),
        timeout(a_timeout),
        acceptor(executor),
        metrics_acceptor(executor),
        pause(executor) {}

  using Scope = SessionContext::Scope;
  template <typename Acceptor>
  static asio::awaitable<void> accept(std::shared_ptr<Core> self, Acceptor& from, Scope scope);
  void admit(asio::generic::stream_protocol::socket socket, Scope scope);
  int listen_on(const asio::ip::tcp::endpoint& endpoint);

  asio::any_io_executor executor;
  Backend& backend;
  std::chrono::milliseconds timeout;
  stream_protocol::acceptor acceptor;
  asio::ip::tcp::acceptor metrics_acceptor;
  asio::steady_timer pause;
  std::set<ClientPtr> clients;
  std::set<ClientPtr> turned_away;
  std::string path;
  int error = 0;
  bool stopped = false;
};

template <typename Acceptor>
asio::awaitable<void> Server::Core::accept(std::shared_ptr<Core> self, Acceptor& from,
                                           Scope scope) {
  while (!self->stopped) {
    auto [error, socket] = co_await from.async_accept(kAwait);
    if (self->stopped) co_return;
    if (!error) {
      self->admit(std::move(socket), scope);
      continue;
    }
    self->pause.expires_after(kAcceptPause);
    co_await self->pause.async_wait(kAwait);
  }
}

void Server::Core::admit(asio::generic::stream_protocol::socket socket, Scope scope) {
  auto client = std::make_shared<Client>(std::move(socket));
  if (clients.size() < kMaxClients) {
    clients.insert(client);
    SessionContext context{scope, backend, timeout,
                           [self = shared_from_this()] { return self->stopped; }};
    asio::co_spawn(
        executor, serve(client, std::move(context)),
        [self = shared_from_this(), client](std::exception_ptr) { self->clients.erase(client); });
  } else if (turned_away.size() < kMaxTurnedAway) {
    turned_away.insert(client);
    asio::co_spawn(executor, turn_away(client, timeout),
                   [self = shared_from_this(), client](std::exception_ptr) {
                     self->turned_away.erase(client);
                   });
  }
}

Server::Server(asio::any_io_executor executor, Backend& backend,
               std::chrono::milliseconds client_timeout)
    : core_(std::make_shared<Core>(std::move(executor), backend, client_timeout)) {}

Server::~Server() {
  stop();
}

ListenResult Server::listen(const std::string& path) {
  const SocketFile file = open_socket_file(path, kBacklog);
  core_->error = file.error;
  if (file.result != ListenResult::kOk) return file.result;
  core_->path = path;
  boost::system::error_code error;
  core_->acceptor.assign(stream_protocol(), file.fd, error);
  if (error) {
    core_->error = error.value();
    return ListenResult::kFailed;
  }
  asio::co_spawn(core_->executor,
                 Core::accept(core_, core_->acceptor, SessionContext::Scope::kEverything),
                 [core = core_](std::exception_ptr) {});
  return ListenResult::kOk;
}

// The error's number, or 0.
int Server::Core::listen_on(const asio::ip::tcp::endpoint& endpoint) {
  boost::system::error_code failed;
  metrics_acceptor.open(endpoint.protocol(), failed);
  if (!failed) metrics_acceptor.set_option(asio::socket_base::reuse_address(true), failed);
  if (!failed) metrics_acceptor.bind(endpoint, failed);
  if (!failed) metrics_acceptor.listen(kBacklog, failed);
  return failed.value();
}

ListenResult Server::listen_for_metrics(const net::Endpoint& address) {
  const auto where = asio::ip::make_address(net::to_string(address.address));
  core_->error = core_->listen_on({where, address.port});
  if (core_->error != 0) return ListenResult::kFailed;
  asio::co_spawn(core_->executor,
                 Core::accept(core_, core_->metrics_acceptor, SessionContext::Scope::kMetrics),
                 [core = core_](std::exception_ptr) {});
  return ListenResult::kOk;
}

int Server::error_number() const {
  return core_->error;
}

void listen_or_throw(Server& server, const std::string& path,
                     const std::optional<net::Endpoint>& metrics) {
  switch (server.listen(path)) {
    case ListenResult::kOk:
      break;
    case ListenResult::kInUse:
      throw std::runtime_error("control socket " + path + " is in use by another daemon");
    case ListenResult::kPathTooLong:
      throw std::runtime_error("control socket path is too long: " + path);
    case ListenResult::kNotASocket:
      throw std::runtime_error(path + " is there and is no socket: remove it or use --socket");
    case ListenResult::kFailed:
      throw std::runtime_error("control socket " + path + ": " +
                               std::strerror(server.error_number()));
  }
  if (metrics && server.listen_for_metrics(*metrics) != ListenResult::kOk) {
    throw std::runtime_error("metrics " + net::to_string(*metrics) + ": " +
                             std::strerror(server.error_number()));
  }
}

void Server::stop() {
  if (std::exchange(core_->stopped, true)) return;
  boost::system::error_code ignored;
  core_->acceptor.close(ignored);
  core_->metrics_acceptor.close(ignored);
  core_->pause.cancel();
  for (const auto& client : core_->clients) client->abort();
  for (const auto& client : core_->turned_away) client->abort();
  if (!core_->path.empty()) remove_socket_file(core_->path);
}

std::size_t Server::client_count() const {
  return core_->clients.size();
}

}  // namespace keepline::api
