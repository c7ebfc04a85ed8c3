// The typed configuration of VRRP: instances, sync groups, tracking scripts, VIPs.
//
// PURE. Plain values as they are after resolving (defaults and inheritance applied). Durations
// are in microseconds. Equality ignores positions.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/config/diagnostic.h"
#include "control/config/setting.h"
#include "dataplane/net/addr.h"

namespace keepline::config {

inline constexpr std::uint64_t kSecondUs = 1'000'000;

/// A command line split into arguments; run without a shell.
struct Command {
  std::vector<std::string> arguments;
  std::string user;  ///< Empty = script_user.
  std::string group;
  Position position;

  bool empty() const { return arguments.empty(); }
  friend bool operator==(const Command&, const Command&) = default;
};

/// Pacing of gratuitous ARP (and NA). The globals are the defaults of the instances.
struct GarpOptions {
  Setting<std::uint64_t> master_delay_us{5 * kSecondUs};  ///< 0 = no second burst.
  Setting<std::uint32_t> master_repeat{5};
  Setting<std::uint64_t> master_refresh_us{0};  ///< 0 = never.
  Setting<std::uint32_t> master_refresh_repeat{1};
  Setting<std::uint64_t> lower_prio_delay_us{5 * kSecondUs};
  Setting<std::uint32_t> lower_prio_repeat{5};
  Setting<std::uint64_t> interval_us{0};      ///< Least gap between two ARPs; global only.
  Setting<std::uint64_t> gna_interval_us{0};  ///< The same for NAs; global only.

  friend bool operator==(const GarpOptions&, const GarpOptions&) = default;
};

/// One line of virtual_ipaddress or virtual_ipaddress_excluded.
struct VipAddress {
  net::IpAddr address;
  std::uint8_t prefix_length = 32;
  std::string dev;    ///< Resolved: the instance's interface unless the line says otherwise.
  std::string label;  ///< Empty = none.
  bool no_track = false;
  Position position;

  friend bool operator==(const VipAddress&, const VipAddress&) = default;
};

enum class InitialState : std::uint8_t { kBackup, kMaster };
enum class AuthType : std::uint8_t { kNone, kPass, kHeader };

struct Authentication {
  AuthType type = AuthType::kNone;
  std::string password;  ///< At most 8 bytes.
  friend bool operator==(const Authentication&, const Authentication&) = default;
};

/// A key of auth_hmac.
struct HmacKey {
  std::uint8_t id = 0;  ///< 1..255.
  std::string bytes;    ///< 32..64 of any value, in a configuration that can run.
  std::string file;     ///< Where they were read from; empty: they stand in the configuration.
  Position position;
  friend bool operator==(const HmacKey&, const HmacKey&) = default;
};

enum class HmacMode : std::uint8_t { kEnforce, kPermissive, kReceiveOnly };

/// `auth_hmac`; without keys there is none.
struct AuthHmac {
  std::vector<HmacKey> keys;
  std::uint8_t active_key = 0;              ///< 0: none, only with kReceiveOnly.
  Setting<std::uint64_t> time_window_s{5};  ///< Resolved: 3 adverts, if that is more.
  bool is_monotonic = false;                ///< anti_replay monotonic instead of time.
  HmacMode mode = HmacMode::kEnforce;

  bool is_used() const { return !keys.empty(); }
  const HmacKey* find(std::uint8_t id) const {
    const auto at =
        std::find_if(keys.begin(), keys.end(), [id](const HmacKey& key) { return key.id == id; });
    return at == keys.end() ? nullptr : &*at;
  }
  friend bool operator==(const AuthHmac&, const AuthHmac&) = default;
};

/// A tracker attached to an instance or group; weight 0 = its failure is a FAULT.
struct Tracker {
  std::string name;                  ///< Interface, script, file, kind of process or session.
  Setting<int> weight{0};            ///< -254..254; but of interfaces resolved from the definition.
  Setting<bool> is_reversed{false};  ///< The outcome counts inversely; resolved like the weight.
  Position position;
  friend bool operator==(const Tracker&, const Tracker&) = default;
};

struct UnicastPeer {
  net::IpAddr address;
  std::uint8_t min_ttl = 0;
  std::uint8_t max_ttl = 255;
  Position position;
  friend bool operator==(const UnicastPeer&, const UnicastPeer&) = default;
};

/// A file with a number in it, which somebody else writes.
struct TrackFile {
  std::string name;
  Position position;
  std::string path;
  int weight = 1;  ///< -254..254; 0: any number but 0 is a FAULT.
  bool is_reversed = false;
  std::optional<int> init;      ///< init_file: what it is made with, if there is none.
  bool is_overwritten = false;  ///< init_file overwrite: although there is one.

  friend bool operator==(const TrackFile&, const TrackFile&) = default;
};

/// How the parameters of a process have to compare with those that are written.
enum class ParamMatch : std::uint8_t {
  kIgnored,  ///< None are written.
  kExact,    ///< The same, and no more.
  kInitial,  ///< These first; more may follow.
  kPartial,  ///< As kInitial, but of the last one the beginning is enough.
};

/// vrrp_track_process: how many processes of a kind have to run.
struct TrackProcess {
  std::string name;
  Position position;
  std::string process;                  ///< The name, or with full_command argv[0] as it was run.
  std::vector<std::string> parameters;  ///< Of param_match.
  ParamMatch param_match = ParamMatch::kIgnored;
  bool full_command = false;  ///< Look at the command line, not at the name; so do parameters.
  int weight = 0;             ///< -254..254
  bool is_reversed = false;
  std::uint32_t quorum = 1;                 ///< At least so many, 1..65535.
  std::optional<std::uint32_t> quorum_max;  ///< At most so many, 1..65535.
  std::uint64_t fork_delay_us = 0;  ///< How long a change by a new process waits, up to 3600 s.
  std::uint64_t terminate_delay_us = 0;  ///< The same when one has ended.

  friend bool operator==(const TrackProcess&, const TrackProcess&) = default;
};

/// notify_fifo and vrrp_notify_fifo; an empty path is none.
struct NotifyFifo {
  std::string path;
  std::string user;  ///< Its owner; empty: the daemon's.
  std::string group;
  Command script;  ///< notify_fifo_script: runs with the path as its last argument.
  friend bool operator==(const NotifyFifo&, const NotifyFifo&) = default;
};

/// Commands on a change of state; an empty command is none.
struct Notify {
  Command master, backup, fault, stop, deleted;
  /// A removal is told as DELETED instead of FAULT.
  bool tells_deleted = false;
  Command any;  ///< `notify`: gets type, name, state and priority as further arguments.
  Command master_rx_lower_pri;
  friend bool operator==(const Notify&, const Notify&) = default;
};

/// `use_vmac`: adverts, ARP and data carry 00:00:5e:00:01:VRID.
struct VirtualMac {
  bool is_used = false;
  std::string ifname;           ///< Only a label; empty = vrrp.VRID.
  bool xmit_base = false;       ///< vmac_xmit_base: adverts leave with the NIC's own MAC.
  std::optional<net::Mac> mac;  ///< A custom MAC.
  friend bool operator==(const VirtualMac&, const VirtualMac&) = default;
};

struct VrrpInstance {
  std::string name;
  Position position;
  InitialState state = InitialState::kBackup;  ///< Only the initial wish.
  Setting<std::string> interface;
  Position interface_position;
  Setting<std::uint8_t> virtual_router_id{0};  ///< 1..255 in a configuration that can run.
  Setting<std::uint8_t> priority{100};         ///< 255 = address owner.
  Setting<std::uint64_t> advert_interval_us{kSecondUs};
  Setting<std::uint8_t> version{2};
  bool is_v6 = false;  ///< The family of the adverts: that of the first VIP.
  Authentication auth;
  AuthHmac hmac;
  std::vector<VipAddress> vips;           ///< In the order of the adverts; one family.
  std::vector<VipAddress> excluded_vips;  ///< Held but not advertised; any family.
  bool nopreempt = false;
  std::uint64_t preempt_delay_us = 0;
  std::optional<net::IpAddr> source;  ///< unicast_src_ip or mcast_src_ip: one and the same.
  net::IpAddr group;                  ///< Resolved: mcast_dst_ip or the global one of the family.
  std::vector<UnicastPeer> unicast_peers;  ///< Not empty: unicast.
  bool unicast_fault_no_peer = false;  ///< unicast_peer without a peer is a fault, not multicast.
  bool lacks_peers = false;            ///< Resolved: and there is none.
  Setting<std::uint8_t> unicast_ttl{255};
  Setting<bool> check_unicast_src{false};
  bool track_src_ip = false;  ///< Its source must be an address of the node.
  VirtualMac vmac;
  GarpOptions garp;
  Setting<bool> lower_prio_no_advert{false};
  Setting<bool> higher_prio_send_advert{false};
  Setting<bool> owner_ignore_adverts{false};
  /// A master that ran too late to be one steps back; 0 = not written, and it does so all the same.
  std::uint8_t timer_expired_backup = 0;
  Setting<std::uint8_t> down_timer_adverts{3};
  Setting<bool> skip_check_adv_addr{false};
  Setting<bool> v3_checksum_as_v2{false};
  Setting<bool> strict{false};
  Setting<bool> accept{true};
  bool no_virtual_ipaddress = false;  ///< Having no VIP is intended.
  bool dont_track_primary = false;
  std::vector<Tracker> track_interface;
  std::vector<Tracker> track_script;
  std::vector<Tracker> track_file;
  std::vector<Tracker> track_process;
  std::vector<Tracker> track_bfd;
  Notify notify;
  Setting<bool> smtp_alert{false};
  Setting<bool> notify_priority_changes{false};

  friend bool operator==(const VrrpInstance&, const VrrpInstance&) = default;
};

/// A line of interface_up_down_delays: how long a change has to last before it counts.
struct LinkDelay {
  std::string interface;
  std::uint64_t down_us = 0;  ///< Resolved: at most (down_timer_adverts - 1) * advert_int.
  std::uint64_t up_us = 0;    ///< Both up to 255 s.
  Position position;
  friend bool operator==(const LinkDelay&, const LinkDelay&) = default;
};

/// garp_group: interfaces whose announcements share their gaps.
struct GarpGroup {
  std::vector<std::string> interfaces;
  Setting<std::uint64_t> interval_us{0};  ///< As in GarpOptions, whose values are the defaults.
  Setting<std::uint64_t> gna_interval_us{0};
  Position position;
  friend bool operator==(const GarpGroup&, const GarpGroup&) = default;
};

struct SyncGroup {
  std::string name;
  Position position;
  std::vector<std::string> members;  ///< Names of existing instances.
  std::vector<Tracker> track_interface;
  std::vector<Tracker> track_script;
  std::vector<Tracker> track_file;
  std::vector<Tracker> track_process;
  std::vector<Tracker> track_bfd;
  Notify notify;
  Setting<bool> smtp_alert{false};
  Setting<bool> notify_priority_changes{false};
  bool tracking_weight = false;  ///< sync_group_tracking_weight.

  friend bool operator==(const SyncGroup&, const SyncGroup&) = default;
};

struct VrrpScript {
  std::string name;
  Position position;
  Command command;
  std::uint64_t interval_us = kSecondUs;
  Setting<std::uint64_t> timeout_us{kSecondUs};  ///< Resolved: the interval when not written.
  int weight = 0;
  bool is_reversed = false;
  std::uint32_t rise = 1;
  std::uint32_t fall = 1;
  bool init_fail = false;

  friend bool operator==(const VrrpScript&, const VrrpScript&) = default;
};

}  // namespace keepline::config
