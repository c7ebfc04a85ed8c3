// The whole typed configuration: what a keepalived.conf (plus keepline's own block) means.
//
// PURE. Values only; the result of load(). Nothing here is partly resolved: defaults and
// inheritance are applied. Durations are in microseconds. Equality ignores positions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/config/model_bfd.h"
#include "control/config/model_service.h"
#include "control/config/model_vrrp.h"

namespace keepline::config {

struct MailOptions {
  std::vector<std::string> recipients;
  std::string from;
  std::string smtp_server;  ///< Empty = no mail.
  std::uint16_t smtp_port = 25;
  std::uint64_t connect_timeout_us = 30 * kSecondUs;
  std::string helo_name;
  friend bool operator==(const MailOptions&, const MailOptions&) = default;
};

/// Seconds of silence after which a connection is forgotten.
struct LvsTimeouts {
  std::uint64_t tcp_us = 900 * kSecondUs;
  std::uint64_t tcpfin_us = 120 * kSecondUs;
  std::uint64_t udp_us = 300 * kSecondUs;
  friend bool operator==(const LvsTimeouts&, const LvsTimeouts&) = default;
};

/// What keepalived's dump signals write, and where.
struct DumpOptions {
  std::string state_file;  ///< Empty, as the next two: keepalived's name in $TMPDIR or /tmp.
  std::string stats_file;
  std::string json_file;
  std::uint8_t json_version = 1;  ///< 1 or 2.
  bool use_instance = false;      ///< data_use_instance: the instance's name in the files' names.
  friend bool operator==(const DumpOptions&, const DumpOptions&) = default;
};

/// startup_script and shutdown_script.
struct LifeScript {
  Command command;
  std::uint64_t timeout_us = 10 * kSecondUs;  ///< Afterwards it is ended; 1..1000 s.
  friend bool operator==(const LifeScript&, const LifeScript&) = default;
};

struct GlobalDefs {
  std::string instance;   ///< `instance`: names the dumps with data_use_instance; may be empty.
  std::string router_id;  ///< Empty = the host name.
  MailOptions mail;
  Setting<bool> smtp_alert{false};
  Setting<bool> smtp_alert_vrrp{false};
  Setting<bool> smtp_alert_checker{false};
  bool no_email_faults = false;
  bool enable_script_security = false;
  std::string script_user;  ///< Empty = keepalived_script if it exists, else root.
  std::string script_group;
  Setting<std::uint8_t> vrrp_version{2};
  Setting<bool> vrrp_strict{false};
  Setting<bool> vrrp_skip_check_adv_addr{false};
  GarpOptions garp;
  bool vrrp_min_garp = false;
  Setting<bool> vrrp_lower_prio_no_advert{false};
  Setting<bool> vrrp_higher_prio_send_advert{false};
  Setting<bool> vrrp_owner_ignore_adverts{false};
  Setting<std::uint8_t> vrrp_down_timer_adverts{3};
  Setting<bool> v3_checksum_as_v2{false};
  net::Ip4 vrrp_mcast_group4{0xe0000012};  ///< 224.0.0.18
  net::Ip6 vrrp_mcast_group6{
      {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12}};  ///< ff02::12
  Setting<bool> vrrp_check_unicast_src{false};
  std::uint64_t vrrp_startup_delay_us = 0;     ///< Of each start; instances wait in INIT.
  std::uint64_t vrrp_delay_after_boot_us = 0;  ///< Of the machine's own start.
  NotifyFifo fifo;
  NotifyFifo vrrp_fifo;
  std::string default_interface;
  LvsTimeouts lvs_timeouts;
  bool lvs_flush = false;
  bool lvs_flush_on_stop = false;
  bool checker_log_all_failures = false;
  DumpOptions dumps;
  Setting<bool> vrrp_notify_priority_changes{false};
  std::uint8_t vrrp_rt_priority = 0;  ///< 1..99; 0: no real-time scheduling. So the others.
  std::uint8_t checker_rt_priority = 0;
  std::uint8_t bfd_rt_priority = 0;
  LifeScript startup;
  LifeScript shutdown;

  friend bool operator==(const GlobalDefs&, const GlobalDefs&) = default;
};

enum class IdlePolicy : std::uint8_t { kAdaptive, kPoll };

/// `port IF { pci ADDR | vdev "ARGS" }`: a NIC that a DPDK driver owns.
struct DataplanePort {
  std::string interface;
  std::string pci;   ///< One of pci and vdev is set.
  std::string vdev;  ///< Devargs.
  Position position;
  friend bool operator==(const DataplanePort&, const DataplanePort&) = default;
};

/// What becomes of the connections of a real server that takes no new ones any more: zero = what
/// can be goes elsewhere at once, otherwise they may go on for so long.
struct LeavingPolicy {
  std::uint32_t drain_s = 0;
  friend bool operator==(const LeavingPolicy&, const LeavingPolicy&) = default;
};

/// `local_address [INSTANCE] { ... }`: whom FULLNAT's real servers take for their clients.
struct LocalAddresses {
  std::string instance;  ///< The vrrp_instance whose services they are for; empty: the only one.
  std::vector<net::IpAddr> addresses;
  Position position;
  friend bool operator==(const LocalAddresses&, const LocalAddresses&) = default;
};

/// keepline's own block; everything has a default, so that files without it run.
struct DataplaneOptions {
  std::uint32_t workers = 1;
  std::uint32_t connections = 1U << 20;  ///< Capacity of the connection table, of each family.
  std::uint32_t half_open_percent = 25;  ///< Of the table, at most for half-open connections.
  LeavingPolicy failed_server{0};        ///< Its checks fail.
  LeavingPolicy removed_server{300};  ///< It left the pool in good order, as a sorry server does.
  std::uint32_t maglev_size = 0;      ///< At least so many slots in the rings of sh, mh and dh.
  IdlePolicy idle = IdlePolicy::kAdaptive;
  std::optional<net::Endpoint> metrics;  ///< Where Prometheus may ask; unset: nowhere.
  std::vector<LocalAddresses> local_addresses;
  std::vector<DataplanePort> ports;
  friend bool operator==(const DataplaneOptions&, const DataplaneOptions&) = default;
};

struct Config {
  GlobalDefs global;
  std::vector<VrrpScript> vrrp_scripts;
  std::vector<TrackFile> track_files;
  std::vector<TrackProcess> track_processes;
  std::vector<LinkDelay> link_delays;
  std::vector<GarpGroup> garp_groups;
  std::vector<BfdInstance> bfd_instances;
  std::vector<VrrpInstance> vrrp_instances;
  std::vector<SyncGroup> sync_groups;
  std::vector<VirtualServer> virtual_servers;
  DataplaneOptions dataplane;

  friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace keepline::config
