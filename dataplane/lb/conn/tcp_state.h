// What a balancer between two TCP ends knows of their connection.
//
// PURE. States and their names are those of kernel LVS (net/netfilter/ipvs/ip_vs_proto_tcp.c),
// so that listings read as users expect; timeouts are its defaults.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace keepline::lb {

enum class TcpState : std::uint8_t {
  kNone,
  kSynReceived,
  kEstablished,
  kFinWait,
  kTimeWait,
  kClose,
  kCloseWait,
  kLastAck,
  kUdp,      ///< Not TCP: a UDP flow.
  kAssured,  ///< No flow at all: a persistence template, which remembers a client's server.
};

inline constexpr std::size_t kTcpStates = 10;

/// "ESTABLISHED", "TIME_WAIT"...
std::string_view to_string(TcpState state);

/// Which end sent the segment, and whether the other end's segments are seen at all: with direct
/// routing the server answers past the balancer.
enum class Sender : std::uint8_t { kClient, kServer, kClientOnly };

/// State after a segment with these flags (kTcp* bits).
TcpState next_state(TcpState state, std::uint8_t flags, Sender sender);

/// Seconds without a packet after which a connection is forgotten.
struct Timeouts {
  std::uint32_t tcp_s = 900;      ///< ESTABLISHED (`lvs_timeouts tcp`).
  std::uint32_t tcp_fin_s = 120;  ///< FIN_WAIT (`lvs_timeouts tcpfin`).
  std::uint32_t udp_s = 300;      ///< `lvs_timeouts udp`.

  std::uint32_t of(TcpState state) const;
};

}  // namespace keepline::lb
