// The words of reports that more than one of them uses.
//
// PURE.
#pragma once

#include <string>

#include "dataplane/lb/service/service.h"

namespace keepline::control {

inline std::string protocol_name(net::Protocol protocol) {
  if (protocol == net::Protocol::kSctp) return "SCTP";
  return protocol == net::Protocol::kUdp ? "UDP" : "TCP";
}

/// ipvsadm's words.
inline std::string forward_name(lb::Method method) {
  switch (method) {
    case lb::Method::kNat:
      return "Masq";
    case lb::Method::kFullNat:
      return "FullNat";
    case lb::Method::kDirectRouting:
      return "Route";
    case lb::Method::kTunnel:
      return "Tunnel";
  }
  return "Masq";
}

}  // namespace keepline::control
