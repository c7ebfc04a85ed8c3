// Clients of a VIP and a real server behind it, while only planned things happen: every packet has
// a number, and none may be lost.
//
// One client on the first LAN sends to the MAC that it knows for the VIP, often around a change and
// seldom otherwise; with a second LAN a real server answers to the MAC that it knows for its
// gateway there. Nodes are looked at, not told: what becomes of a frame is what their dataplane and
// kernel are when it arrives. Fed and stepped by Monitor. Bound: what is sent within a round trip.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/node.h"
#include "tests/sim/random.h"
#include "tests/sim/schedule.h"

namespace keepline::vrrp::sim {

class Traffic {
 public:
  struct Loss {
    std::size_t node = 0;
    std::size_t lan = 0;
    std::string detail;
  };

  Traffic(const Schedule& schedule, const std::deque<Node>& nodes, Random random);

  /// Something changes hands: packets come often for a while.
  void stir(std::int64_t now_us);
  /// A master has said goodbye; whoever appears later has not heard that.
  void said_goodbye(std::int64_t now_us) { goodbye_us_ = now_us; }
  void appeared(std::size_t node, std::int64_t now_us) { appeared_us_[node] = now_us; }
  /// A frame leaves that tells the LAN that the VIP is at `owner`.
  void told(std::size_t lan, std::size_t owner, std::int64_t now_us);
  /// A frame leaves that tells the others on the LAN that `node` is about to forward as well.
  void claimed(std::size_t lan, std::size_t node, std::int64_t now_us);
  /// Nothing is demanded until all has settled again.
  void disarm() { armed_since_us_ = settled_since_us_ = kNever_us; }
  /// After nodes have run: whether packets have to arrive from now on.
  void look(std::int64_t now_us);

  std::int64_t next_us() const;
  /// Sends and delivers what is due. A packet that must not have been lost ends it.
  std::optional<Loss> step(std::int64_t now_us);
  std::uint64_t answered() const { return answered_; }

 private:
  enum class Kind : std::uint8_t {
    kNews,     ///< The LAN learns that the VIP is at `node`.
    kAsk,      ///< An ARP request reaches `node`.
    kClaim,    ///< `node` hears that another one is about to forward as well.
    kRequest,  ///< A client's packet reaches `node`.
    kServed,   ///< A request that `node` has translated reaches the real server.
    kAnswer,   ///< The server's answer reaches `node`.
  };
  struct Frame {
    std::int64_t at_us = 0;
    std::uint64_t number = 0;
    Kind kind = Kind::kNews;
    std::size_t lan = 0;
    std::size_t node = 0;
    std::uint64_t packet = 0;
    std::int64_t sent_us = 0;    ///< By the client.
    std::size_t translator = 0;  ///< Whose connection it is.
  };
  static constexpr std::size_t kNobody = kNodeLimit;

  static bool is_later(const Frame& a, const Frame& b);
  void put(Frame frame, std::int64_t now_us);
  void send(std::int64_t now_us);
  void ask(std::size_t lan, std::int64_t now_us);
  std::optional<Loss> deliver(Frame frame);
  void asked(const Frame& frame);
  std::optional<Loss> request(Frame frame);
  std::optional<Loss> answer(const Frame& frame);
  std::optional<Loss> lost(const Frame& frame, const char* why) const;
  bool translates_all(const Node& node, std::int64_t now_us) const;
  bool is_able(const Node& node, std::int64_t now_us) const;
  bool is_settled(std::int64_t now_us) const;

  const Schedule& schedule_;
  const std::deque<Node>& nodes_;
  Random random_;
  std::array<std::size_t, kLanLimit> owners_{kNobody, kNobody};  ///< As the LANs believe.
  /// When each node's dataplane last heard a claim for the clients' VIP, having answered for it.
  std::array<std::int64_t, kNodeLimit> shares_since_us_;
  std::vector<Frame> in_flight_;  ///< A heap, the earliest in front.
  std::uint64_t frames_ = 0;
  std::uint64_t packets_ = 0;
  std::uint64_t answered_ = 0;
  std::array<std::int64_t, kNodeLimit> appeared_us_{};
  std::int64_t goodbye_us_ = -kNever_us;
  std::int64_t send_us_ = 0;
  std::int64_t often_until_us_ = 0;
  std::int64_t ask_us_ = 0;
  std::int64_t settled_since_us_ = kNever_us;
  std::int64_t armed_since_us_ = kNever_us;
};

}  // namespace keepline::vrrp::sim
