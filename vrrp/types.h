// The vocabulary of VRRP: states, configuration of one instance, fault causes, counters.
//
// PURE. Three kinds of data are kept apart: InstanceConfig is given and never written by the
// machine, the machine's own state lives in Instance, Statistics only ever count up. All of it
// belongs to the control thread. Times are monotonic microseconds (`_us`). Bounds: a VRID is one
// byte, an advert carries at most kMaxVips addresses.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/net/addr.h"
#include "vrrp/hmac_trailer.h"

namespace keepline::vrrp {

inline constexpr std::int64_t kSecond_us = 1'000'000;
inline constexpr std::int64_t kCentisecond_us = 10'000;
inline constexpr std::size_t kMaxVips = 255;            ///< One byte of count on the wire.
inline constexpr std::uint8_t kOwnerPriority = 255;     ///< RFC 9568 §5.2.4: the address owner.
inline constexpr std::uint8_t kReleasePriority = 0;     ///< RFC 9568 §5.2.4: "I am leaving".
inline constexpr std::size_t kMaxVips6 = 90;            ///< What fits into an Ethernet frame.
inline constexpr std::size_t kMaxSignedVips6 = 89;      ///< The same with a trailer of auth_hmac.
inline constexpr net::Ip4 kMulticastGroup{0xe0000012};  // 224.0.0.18, RFC 9568 §5.1.1.2
inline constexpr net::Ip6 kMulticastGroup6{
    {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12}};  // RFC 9568 §5.1.2.2

/// The numbers are those of keepalived's JSON.
enum class State : std::uint8_t { kInit = 0, kBackup = 1, kMaster = 2, kFault = 3 };

/// RFC 3768 and RFC 9568.
enum class Version : std::uint8_t { k2 = 2, k3 = 3 };

/// Authentication type on the wire of version 2; a password is cleartext (RFC 2338 §10.2), with an
/// IP authentication header it is the key (§10.3, auth_header.h).
enum class AuthType : std::uint8_t { kNone = 0, kPassword = 1, kHeader = 2 };

/// What `state` of the configuration asks for; only the start rule looks at it.
enum class InitialState : std::uint8_t { kBackup, kMaster };

using AuthData = std::array<std::uint8_t, 8>;

/// When and how often gratuitous ARP goes out; the announcer's settings.
struct GarpSettings {
  std::int64_t master_delay_us = 5 * kSecond_us;  ///< Second burst after taking over; 0 = none.
  std::uint32_t master_repeat = 5;                ///< Rounds over all VIPs in a burst.
  std::int64_t refresh_us = 0;                    ///< Period of refreshing; 0 = never.
  std::uint32_t refresh_repeat = 1;
  std::int64_t lower_prio_delay_us = 5 * kSecond_us;
  std::uint32_t lower_prio_repeat = 5;
  std::int64_t interval_us = 0;  ///< Least gap between two sends on one interface; 0 = none.
};

/// A router that adverts are sent to by unicast, and the TTLs that its own may have.
struct Peer {
  net::IpAddr address;
  std::uint8_t min_ttl = 0;
  std::uint8_t max_ttl = 255;
  friend bool operator==(const Peer&, const Peer&) = default;
};

/// Everything that one instance has to be told. Values are taken as valid (control/config checks
/// ranges and prints diagnostics); the machine itself only re-applies the rules that would hurt.
struct InstanceConfig {
  std::string name;
  std::uint8_t vrid = 0;
  std::uint8_t priority = 100;  ///< Base priority, 1..255.
  Version version = Version::k2;
  std::int64_t advert_interval_us = kSecond_us;
  std::vector<net::IpAddr> vips;         ///< Advertised addresses in configuration order.
  net::IpAddr source;                    ///< Primary address of the interface; IPv6: link-local.
  net::IpAddr group = kMulticastGroup;   ///< Where adverts go; its family is the instance's.
  std::vector<Peer> peers;               ///< Not empty: adverts go to them, and not to the group.
  bool lacks_peers = false;              ///< Unicast, but without a peer: FaultCause::kNoPeer.
  std::uint8_t unicast_ttl = 255;        ///< Of adverts to peers.
  bool check_unicast_src = false;        ///< Adverts must come from a peer.
  AuthType auth_type = AuthType::kNone;  ///< Version 2 only.
  AuthData auth_data{};                  ///< Password or key, padded with zeros.
  AuthHmac hmac;                         ///< Of both versions; auth_type is kNone then.
  InitialState initial_state = InitialState::kBackup;
  bool nopreempt = false;
  std::int64_t preempt_delay_us = 0;
  std::uint8_t down_timer_adverts = 3;
  bool lower_prio_no_advert = false;
  bool higher_prio_send_advert = false;
  bool skip_check_adv_addr = false;
  bool v3_checksum_as_v2 = false;
  bool owner_ignore_adverts = false;
  bool sync_grouped = false;  ///< Member of a sync group: asks before it becomes master.
  GarpSettings garp;

  bool is_owner() const { return priority == kOwnerPriority; }
  bool is_unicast() const { return !peers.empty(); }
  /// nopreempt and preempt_delay mean nothing for an owner or with `state MASTER`.
  bool may_yield() const { return initial_state == InitialState::kBackup && !is_owner(); }
  bool never_preempts() const { return nopreempt && may_yield(); }
  /// nopreempt clears the delay.
  std::int64_t effective_preempt_delay_us() const {
    return may_yield() && !nopreempt ? preempt_delay_us : 0;
  }
};

/// Why an instance may not take part. Causes are independent: each is set and cleared by its own
/// observer, and the instance leaves FAULT when the last one is gone.
enum class FaultCause : std::uint8_t {
  kInterfaceDown = 1,
  kNoSourceAddress = 2,
  kWorkerStalled = 4,  ///< The dataplane lcore that carries the traffic does not run.
  kTracker = 8,        ///< A tracked object without weight; control counts how many.
  kSyncGroup = 16,     ///< Another member of the group is at fault.
  kNoPeer = 32,        ///< unicast_fault_no_peer: the configuration's, and so the instance's own.
};

/// A set of causes.
class FaultSet {
 public:
  constexpr void add(FaultCause cause) { bits_ |= static_cast<std::uint8_t>(cause); }
  constexpr void remove(FaultCause cause) {
    bits_ = static_cast<std::uint8_t>(bits_ & ~static_cast<std::uint8_t>(cause));
  }
  constexpr bool has(FaultCause cause) const {
    return (bits_ & static_cast<std::uint8_t>(cause)) != 0;
  }
  constexpr bool empty() const { return bits_ == 0; }
  /// At fault by itself, not only because the group is.
  constexpr bool own() const {
    return (bits_ & ~static_cast<unsigned>(FaultCause::kSyncGroup)) != 0;
  }
  friend constexpr bool operator==(FaultSet, FaultSet) = default;

 private:
  std::uint8_t bits_ = 0;
};

/// Why an advert was dropped. Each value but the last has a counter of the same name in
/// Statistics.
enum class Reject : std::uint8_t {
  kIpHeader,      ///< No sound IP header, a fragment, or not protocol 112.
  kPacketLength,  ///< Shorter or longer than version and address count say.
  kIpTtl,         ///< TTL other than 255: it came through a router.
  kVersion,       ///< Unknown version, or not the instance's.
  kType,          ///< Not an ADVERTISEMENT.
  kChecksum,
  kDestination,      ///< Not sent to our multicast group; with unicast: not to our address.
  kVrid,             ///< Nobody here has this VRID.
  kAuthTypeInvalid,  ///< A type that no RFC defines.
  kAuthTypeMismatch,
  kAuthFailure,     ///< Wrong password.
  kAdvertInterval,  ///< Version 2: not ours. Version 3: zero.
  kOwnAdvert,       ///< Our own packet came back, or somebody uses our address.
  kPeer,            ///< Unicast: the sender is no peer.
  // auth_hmac, in the order of the checks.
  kTrailerMissing,    ///< HmacMode::kEnforce, and there is none.
  kTrailerMalformed,  ///< Of an unknown type.
  kTrailerKey,        ///< Its key's id is none of ours.
  kTrailerDigest,     ///< Another key, or changed on its way, or forged.
  kTrailerStale,      ///< Authentic, but its time is not near ours.
  kTrailerReplay,     ///< Authentic, but not newer than the last one of its sender.
};
inline constexpr std::size_t kRejectCount = 20;

/// Counters of one instance, named as in keepalived's JSON where that has them.
struct Statistics {
  std::uint64_t advert_rcvd = 0;
  std::uint64_t advert_sent = 0;
  std::uint64_t become_master = 0;
  std::uint64_t release_master = 0;
  std::uint64_t packet_len_err = 0;
  std::uint64_t advert_interval_err = 0;
  std::uint64_t ip_ttl_err = 0;
  std::uint64_t invalid_type_rcvd = 0;
  std::uint64_t addr_list_err = 0;
  std::uint64_t invalid_authtype = 0;
  std::uint64_t authtype_mismatch = 0;
  std::uint64_t auth_failure = 0;
  std::uint64_t checksum_err = 0;
  std::uint64_t version_err = 0;
  std::uint64_t vrid_err = 0;
  std::uint64_t pri_zero_rcvd = 0;
  std::uint64_t pri_zero_sent = 0;
  std::uint64_t ip_header_err = 0;  ///< keepline only, as are those below.
  std::uint64_t destination_err = 0;
  std::uint64_t own_advert = 0;
  std::uint64_t unicast_src_err = 0;
  std::uint64_t auth_ext_missing = 0;  ///< Those that were taken all the same count as well.
  std::uint64_t auth_ext_malformed = 0;
  std::uint64_t auth_ext_unknown_key = 0;
  std::uint64_t auth_ext_failure = 0;
  std::uint64_t auth_ext_stale = 0;
  std::uint64_t auth_ext_replay = 0;
  std::uint64_t advert_unsent = 0;  ///< Of advert_sent: the dataplane did not take them.
  std::uint64_t time_jump = 0;      ///< Left MASTER because the lease had run out.
  std::uint64_t pause = 0;          ///< Noticed in BACKUP that the node had not been running.
  std::uint64_t action_lost = 0;    ///< Queue overflow: the driver did not drain it.
};

/// Adds one to the counter that belongs to a reason.
void count(Statistics& statistics, Reject reason);

}  // namespace keepline::vrrp
