// From a real server's address and port to the NAT services that it belongs to: what return
// traffic without a connection could be.
//
// PURE. Pages by hash: a copy shares them all, and a change copies one.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "dataplane/lb/service/service.h"

namespace keepline::lb {

class NatOrigins {
 public:
  NatOrigins() : pages_(kPages) {}

  void add(const net::Endpoint& real, net::Protocol protocol, ServiceSlot service);
  void remove(const net::Endpoint& real, net::Protocol protocol, ServiceSlot service);

  /// The service, when there is exactly one, of this port (not 0) or of all.
  std::optional<ServiceSlot> only_service(const net::Endpoint& real, net::Protocol protocol) const;
  /// Whether there is any, of this port or of all.
  bool has(const net::Endpoint& real, net::Protocol protocol) const;

 private:
  static constexpr std::size_t kPages = 4096;
  struct Entry {
    net::Endpoint real;
    net::Protocol protocol;
    ServiceSlot service;
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  using Page = std::vector<Entry>;
  static std::size_t page_of(const net::Endpoint& real);

  std::vector<std::shared_ptr<const Page>> pages_;
};

}  // namespace keepline::lb
