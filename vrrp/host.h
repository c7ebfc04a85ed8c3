// What a Speaker needs of the node that it speaks for: the link, the dataplane, the addresses.
//
// Implemented by the control thread over real interfaces, and by the simulation over virtual ones.
// Instances are named by the number that Speaker::add() got. No call may call the Speaker back.
#pragma once

#include <cstdint>

#include "dataplane/net/addr.h"
#include "dataplane/net/bytes.h"
#include "vrrp/action.h"

namespace keepline::vrrp {

class Host {
 public:
  virtual ~Host() = default;

  enum class Send : std::uint8_t { kQueued, kFailed };
  /// Sends an IP packet to the group or to a peer. After `valid_us` it is worthless.
  virtual Send send_advert(std::size_t instance, const net::IpAddr& destination, net::Bytes packet,
                           std::int64_t valid_us) = 0;
  /// Whether clients may be led here already, and the way out has room for more than adverts.
  virtual bool may_announce(std::size_t instance) = 0;
  /// Gratuitous ARP or an unsolicited neighbour advertisement.
  virtual void announce(std::size_t instance, const net::IpAddr& vip) = 0;

  /// Whether ARP is answered; what is on its way is forwarded in any case.
  enum class Answers : std::uint8_t { kYes, kNo };
  /// The dataplane may act for the instance for so long from now on.
  virtual void grant_lease(std::size_t instance, std::int64_t duration_us, Answers answers) = 0;
  virtual void revoke_lease(std::size_t instance) = 0;
  /// Tells who serves until now that this node is about to, and nobody else.
  virtual void claim(std::size_t instance) = 0;
  /// Another node is about to forward for the VIPs as well: answers may come here whose connections
  /// it has made.
  virtual void share(std::size_t instance) = 0;
  /// Answers no more for the VIPs, but forwards on until the next grant or the lease's end.
  virtual void mute(std::size_t instance) = 0;
  /// Whoever sent the advert that is being handled serves, as far as this node can tell.
  virtual void succeeded(std::size_t instance) = 0;
  /// Tells clients where he is, if that can be told: he need not know that they were led here.
  virtual void lead_to_successor(std::size_t instance) = 0;
  /// Gives the kernel the addresses, or takes them away. The dataplane answers by the lease alone.
  virtual void acquire_addresses(std::size_t instance) = 0;
  virtual void release_addresses(std::size_t instance) = 0;

  /// What the wall clock shows: microseconds since 1970 UTC. Only auth_hmac uses it.
  virtual std::int64_t wall_us() = 0;

  // News, for logs and notifications.
  virtual void state_changed(std::size_t instance, const StateChanged& change) = 0;
  virtual void noticed(std::size_t instance, const Notice& notice) = 0;
};

}  // namespace keepline::vrrp
