// Counters with one writer: the worker adds, anybody reads.
//
// PURE apart from relaxed atomics: a load and a store, no locked instruction on the hot path.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "dataplane/net/drop.h"

namespace keepline::lb {

class Counter {
 public:
  void add(std::uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void subtract(std::uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) - n, std::memory_order_relaxed);
  }
  void set(std::uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Of one worker's pipeline.
struct PipelineCounters {
  std::array<Counter, net::kDropReasons> drops;
  Counter packets;       ///< Frames that entered the pipeline.
  Counter bytes;         ///< Of these frames, Ethernet header included.
  Counter arp_replies;   ///< ARP requests answered.
  Counter claims;        ///< Of nodes that are about to become master, see neigh/claim.h.
  Counter echo_replies;  ///< ICMP echo requests answered.
  Counter icmp_errors;   ///< ICMP errors of others passed on to a client or a real server.
  Counter refusals;      ///< ICMP errors of our own about packets that were dropped.
  Counter adverts;       ///< VRRP frames handed to control.
  Counter connections;   ///< Entries in the connection table right now.
  Counter created;       ///< Connections created since start.
  Counter expired;       ///< Connections that timed out.
  Counter reclaimed;     ///< Half-open connections given up for newer ones.
  Counter stateless;     ///< Packets forwarded by hash alone, without a connection.
  Counter syn_cookies;   ///< SYNs answered for real servers.
  Counter proxied;       ///< Connections made of a cookie that came back.
  Counter to_kernel;     ///< Frames given to the kernel, of a NIC that a DPDK driver owns.
  Counter bfd;           ///< Frames handed to the BFD sessions.
  Counter half_open;     ///< Entries of the table that nobody has answered yet, right now.

  void drop(net::Drop reason) { drops[static_cast<std::size_t>(reason)].add(); }
};

/// Of one real server, as one worker sees it: one cache line. Valid for one generation of the slot.
struct alignas(64) RealCounters {
  Counter generation;
  Counter active;    ///< ESTABLISHED connections (ipvsadm's ActiveConn).
  Counter inactive;  ///< All others (InActConn).
  Counter connections;
  Counter packets_in, bytes_in, packets_out, bytes_out;  ///< Bytes from the IP header on.

  void packet_in(std::uint64_t bytes) {
    packets_in.add();
    bytes_in.add(bytes);
  }
  void packet_out(std::uint64_t bytes) {
    packets_out.add();
    bytes_out.add(bytes);
  }
};
static_assert(sizeof(RealCounters) == 64);

}  // namespace keepline::lb
