// Which connections a listing is about.
//
// PURE, a value. Looked at by a worker for each connection that it passes: cheap questions first.
#pragma once

#include <optional>

#include "dataplane/lb/conn/connection.h"

namespace keepline::lb {

struct ConnectionFilter {
  /// An address, a network or any; a port or any (0).
  struct End {
    std::optional<net::Prefix> network;
    std::uint16_t port = 0;

    template <typename F>
    bool matches(const typename F::Address& address, net::be16 at) const {
      if (port != 0 && at.value() != port) return false;
      return !network || network->contains(F::generic(address));
    }
  };

  std::optional<net::Protocol> protocol;
  std::optional<FlowState> state;
  End client;
  End vip;
  End real;

  template <typename F>
  bool matches(const Connection<F>& c) const {
    return (!protocol || c.flow_protocol() == *protocol) && (!state || c.state == *state) &&
           client.matches<F>(c.client, c.client_port) && vip.matches<F>(c.vip, c.vip_port) &&
           real.matches<F>(c.real, c.real_port);
  }
};

}  // namespace keepline::lb
