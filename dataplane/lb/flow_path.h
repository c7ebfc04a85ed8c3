// The way of TCP and UDP packets of one family: find or make the connection, forward.
//
// PURE; one object per worker and family, called by the worker's pipeline. A burst goes through
// three stages, so that memory is fetched for all packets while nothing waits: classify() hashes
// and asks for the index buckets, look_up() compares tags and asks for the entries, forward()
// compares exactly and forwards.
//
// When the share of half-open entries or the table is used up, the worker is overloaded for
// kOverload_s: new flows then go to the server that their hash alone leads to, so that packets of a
// flow whose entry is gone (or never was) still reach the server that knows it, and its answers are
// translated back without an entry where the server's port belongs to one service only.
#pragma once

#include <array>
#include <span>

#include "dataplane/lb/accounts.h"
#include "dataplane/lb/conn/connection_table.h"
#include "dataplane/lb/explanation.h"
#include "dataplane/lb/turn.h"

namespace keepline::lb {

/// The packets of one family in a burst, by their index in it.
template <typename F>
struct Lane {
  std::size_t count = 0;
  std::array<std::uint8_t, net::kBurstSize> index;
  std::array<const typename ServiceIndex<F>::Entry*, net::kBurstSize> service;  // nullptr: none
  std::array<std::uint64_t, net::kBurstSize> hash;
  std::array<std::uint32_t, net::kBurstSize> candidate;

  void add(std::size_t packet) { index[count++] = static_cast<std::uint8_t>(packet); }
};

template <typename F>
class FlowPath {
 public:
  using Table = ConnectionTable<F>;
  using Entry = Connection<F>;

  /// How long packets without a connection are forwarded by hash after the last overload, seconds.
  static constexpr std::uint32_t kOverload_s = 120;

  FlowPath(const typename Table::Config& config, const Timeouts& timeouts, std::uint8_t worker,
           Accounts& accounts, std::uint32_t now_s);

  /// A burst's frames, what they are, and where their verdicts go.
  struct Burst {
    std::span<const net::Packet> packets;
    const net::Parsed* parsed;
    Verdict* verdicts;
  };
  /// Packets that are not for this worker get their verdict here and leave the lane.
  void classify(Turn& turn, const Burst& burst, Lane<F>& lane);
  void look_up(Lane<F>& lane);
  void forward(Turn& turn, const Burst& burst, const Lane<F>& lane);

  /// Forgets connections whose time is up, looking at no more than `limit`.
  void expire(std::uint32_t now_s, std::size_t limit, PipelineCounters& counters);

  /// Of the client's end, whichever that is.
  std::uint64_t hash_of(const Snapshot& snapshot, const net::Endpoint& source,
                        const net::Endpoint& destination, net::Protocol protocol) const;
  /// See Pipeline::explain.
  Explanation explain(const Snapshot& snapshot, const LeaseView& leases,
                      const net::Endpoint& source, const net::Endpoint& destination,
                      net::Protocol protocol, std::uint32_t now_s) const;

  const Table& table() const { return table_; }
  bool overloaded(std::uint32_t now_s) const { return now_s < overloaded_until_s_; }

 private:
  void note_overload(std::uint32_t now_s) { overloaded_until_s_ = now_s + kOverload_s; }
  using ServiceEntry = typename ServiceIndex<F>::Entry;
  struct Arrival {  // one packet in hand, off the straight way
    const net::Packet& packet;
    const net::Parsed& parsed;
    std::uint64_t hash;
  };

  Verdict to_server(Turn& turn, const net::Packet& packet, const net::Parsed& parsed,
                    std::uint64_t hash, const ServiceEntry& service, std::uint32_t candidate);
  Verdict to_server_with_care(Turn& turn, const Arrival& arrival, const ServiceEntry& service,
                              Entry* connection, const RealEntry* real);
  Verdict to_client(Turn& turn, const net::Packet& packet, const net::Parsed& parsed,
                    std::uint64_t hash, std::uint32_t candidate);
  Verdict deliver(Turn& turn, const net::Packet& packet, const net::Parsed& parsed,
                  Entry& connection, const RealEntry& real);
  Entry* find(const net::Packet& packet, const net::Parsed& parsed, std::uint64_t hash,
              Direction direction);
  Entry* admit(Turn& turn, const Arrival& arrival, const RealServer& real);
  Entry* take(Turn& turn, net::Protocol protocol);
  Verdict without_entry(Turn& turn, const Arrival& arrival, const RealServer& real);
  Verdict answer_without_entry(Turn& turn, const Arrival& arrival);
  Verdict route(Turn& turn, const Arrival& arrival);
  void resolve_client(const Turn& turn, Entry& connection);
  void track(Entry& connection, const net::Parsed& parsed, Sender sender, std::uint32_t now_s);
  void forget(Entry& connection);
  void explain_connection(const Snapshot& snapshot, const Entry& connection, std::uint32_t now_s,
                          Explanation& result) const;
  void explain_new(const Snapshot& snapshot, std::uint64_t hash, std::uint32_t now_s,
                   Explanation& result) const;
  std::uint32_t timeout_s(TcpState state) const {
    return timeouts_s_[static_cast<std::size_t>(state)];
  }

  Table table_;
  std::array<std::uint32_t, kTcpStates> timeouts_s_;
  std::uint8_t worker_;
  std::uint32_t overloaded_until_s_ = 0;
  Accounts& accounts_;
};

}  // namespace keepline::lb
