// What the driver of instances needs from the world; control implements both.
//
// Interfaces only. All calls come from the control thread and must not block: they queue frames
// to a worker or requests to the kernel.
#pragma once

#include <cstdint>

#include "dataplane/net/addr.h"
#include "dataplane/net/bytes.h"

namespace keepline::vrrp {

/// The way an instance's packets leave: through the port that carries its traffic.
class Link {
 public:
  enum class Send : std::uint8_t { kQueued, kFailed };

  virtual ~Link() = default;
  /// `packet` begins with its IPv4 header and goes to the multicast group.
  virtual Send send_advert(net::Bytes packet) = 0;
  virtual Send send_gratuitous_arp(net::Ip4 vip) = 0;

 protected:
  Link() = default;
  Link(const Link&) = default;
  Link& operator=(const Link&) = default;
};

/// The addresses of an instance: dataplane first, the kernel afterwards.
class Addresses {
 public:
  virtual ~Addresses() = default;
  virtual void acquire() = 0;
  virtual void release() = 0;
  /// Workers act for the instance until then.
  virtual void grant_lease(std::int64_t until_us) = 0;
  virtual void revoke_lease() = 0;

 protected:
  Addresses() = default;
  Addresses(const Addresses&) = default;
  Addresses& operator=(const Addresses&) = default;
};

}  // namespace keepline::vrrp
