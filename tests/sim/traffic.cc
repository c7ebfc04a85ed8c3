#include "tests/sim/traffic.h"

#include <algorithm>

namespace keepline::vrrp::sim {

namespace {

constexpr std::int64_t kOften_us = 600'000;  ///< Longer than who was succeeded serves on.
constexpr std::int64_t kAsks_us = 10'000;    ///< After a change, when it may go wrong.
constexpr std::int64_t kSettled_us = 400'000;
constexpr std::int64_t kHandover_us = 3'000'000;  ///< lb::LeaseTable::kHandover_s.

}  // namespace

Traffic::Traffic(const Schedule& schedule, const std::deque<Node>& nodes, Random random)
    : schedule_(schedule), nodes_(nodes), random_(random) {
  shares_since_us_.fill(-kNever_us);
}

void Traffic::stir(std::int64_t now_us) {
  often_until_us_ = now_us + kOften_us;
  ask_us_ = now_us + random_.between(0, kAsks_us);
  send_us_ = std::min(send_us_, now_us + random_.between(0, 500));
}

bool Traffic::is_later(const Frame& a, const Frame& b) {
  return a.at_us != b.at_us ? a.at_us > b.at_us : a.number > b.number;
}

void Traffic::put(Frame frame, std::int64_t now_us) {
  frame.at_us = now_us + random_.between(0, schedule_.wire_us);
  frame.number = frames_++;
  in_flight_.push_back(frame);
  std::push_heap(in_flight_.begin(), in_flight_.end(), is_later);
}

void Traffic::told(std::size_t lan, std::size_t owner, std::int64_t now_us) {
  put({.kind = Kind::kNews, .lan = lan, .node = owner}, now_us);
}

void Traffic::claimed(std::size_t lan, std::size_t node, std::int64_t now_us) {
  for (const Node& other : nodes_) {
    if (lan != 0 || other.number() == node) continue;
    put({.kind = Kind::kClaim, .lan = lan, .node = other.number()}, now_us);
  }
}

void Traffic::ask(std::size_t lan, std::int64_t now_us) {
  for (const Node& node : nodes_)
    put({.kind = Kind::kAsk, .lan = lan, .node = node.number()}, now_us);
}

void Traffic::send(std::int64_t now_us) {
  const bool often = now_us < often_until_us_;
  send_us_ = now_us + (often ? random_.between(500, 2000) : random_.between(200'000, 1'000'000));
  // Whoever knows nobody asks; and so does one whose entry is old, which is once in a change, not
  // all the time: what it is told then it believes for long.
  const bool is_old = now_us >= ask_us_;
  if (is_old) ask_us_ = kNever_us;
  for (std::size_t lan = 0; lan < schedule_.lan_count(); ++lan) {
    if (owners_[lan] == kNobody || is_old) ask(lan, now_us);
  }
  if (owners_[0] == kNobody) return;
  put({.kind = Kind::kRequest, .node = owners_[0], .packet = packets_++, .sent_us = now_us},
      now_us);
}

std::int64_t Traffic::next_us() const {
  return in_flight_.empty() ? send_us_ : std::min(send_us_, in_flight_.front().at_us);
}

std::optional<Traffic::Loss> Traffic::step(std::int64_t now_us) {
  if (send_us_ <= now_us) send(now_us);
  while (!in_flight_.empty() && in_flight_.front().at_us <= now_us) {
    std::pop_heap(in_flight_.begin(), in_flight_.end(), is_later);
    const Frame frame = in_flight_.back();
    in_flight_.pop_back();
    if (auto loss = deliver(frame)) return loss;
  }
  return std::nullopt;
}

std::optional<Traffic::Loss> Traffic::deliver(Frame frame) {
  switch (frame.kind) {
    case Kind::kNews:
      owners_[frame.lan] = frame.node;
      return std::nullopt;
    case Kind::kAsk:
      asked(frame);
      return std::nullopt;
    case Kind::kClaim:
      if (nodes_[frame.node].answers(frame.lan, frame.at_us)) {
        shares_since_us_[frame.node] = frame.at_us;
      }
      return std::nullopt;
    case Kind::kRequest:
      return request(frame);
    case Kind::kServed:
      if (owners_[1] == kNobody) return lost(frame, "the server knows no gateway");
      frame.kind = Kind::kAnswer;
      frame.node = owners_[1];
      put(frame, frame.at_us);
      return std::nullopt;
    case Kind::kAnswer:
      return answer(frame);
  }
  return std::nullopt;
}

void Traffic::asked(const Frame& frame) {
  const Node& node = nodes_[frame.node];
  if (node.answers(frame.lan, frame.at_us)) told(frame.lan, frame.node, frame.at_us);
}

// A third each: for a service of the node itself, which needs the address in the kernel; directly
// routed, so that the server answers the client; translated, where there is an inside.
std::optional<Traffic::Loss> Traffic::request(Frame frame) {
  const Node& node = nodes_[frame.node];
  if (!node.holds(0, frame.at_us)) return lost(frame, "the node does not forward");
  const std::uint64_t service = frame.packet % 3;
  if (service == 0 && !node.dataplane(0).kernel.has(frame.at_us)) {
    return lost(frame, "the kernel does not have the address");
  }
  if (service != 2 || schedule_.lan_count() == 1) {
    ++answered_;
    return std::nullopt;
  }
  frame.kind = Kind::kServed;
  frame.lan = 1;
  frame.translator = frame.node;
  put(frame, frame.at_us);
  return std::nullopt;
}

std::optional<Traffic::Loss> Traffic::answer(const Frame& frame) {
  const Node& node = nodes_[frame.node];
  if (!node.holds(0, frame.at_us)) return lost(frame, "the gateway does not forward");
  if (frame.node == frame.translator || translates_all(node, frame.at_us)) {
    ++answered_;
    return std::nullopt;
  }
  return lost(frame, "the gateway does not have its connection");
}

// lb::LeaseView::changes_hands: its lease is young or claimed, or it has been succeeded.
bool Traffic::translates_all(const Node& node, std::int64_t now_us) const {
  const Node::Dataplane& dataplane = node.dataplane(0);
  const std::int64_t since_us = std::max(dataplane.began_us, shares_since_us_[node.number()]);
  return dataplane.muted || now_us < since_us + kHandover_us;
}

std::optional<Traffic::Loss> Traffic::lost(const Frame& frame, const char* why) const {
  if (armed_since_us_ > frame.sent_us) return std::nullopt;
  return Loss{frame.node, frame.lan, "packet " + std::to_string(frame.packet) + ": " + why};
}

// --- What may be demanded --------------------------------------------------------------------

// Is master, or hears a goodbye and succeeds whoever says it.
bool Traffic::is_able(const Node& node, std::int64_t now_us) const {
  if (!node.eligible(now_us) || node.is_split()) return false;
  for (std::size_t lan = 0; lan < schedule_.lan_count(); ++lan) {
    const Instance& machine = node.instance(lan);
    const bool runs = machine.state() == State::kBackup || machine.state() == State::kMaster;
    if (!runs || machine.listening()) return false;
    const bool is_master = machine.state() == State::kMaster;
    if (!is_master && appeared_us_[node.number()] >= goodbye_us_) return false;
  }
  return true;
}

// One node is master of all, and everybody knows it.
bool Traffic::is_settled(std::int64_t now_us) const {
  std::size_t masters = 0;
  for (const Node& node : nodes_) {
    for (std::size_t lan = 0; lan < schedule_.lan_count(); ++lan) {
      if (!node.answers(lan, now_us)) continue;
      ++masters;
      if (!node.is_master(lan) || owners_[lan] != node.number()) return false;
    }
  }
  return masters == schedule_.lan_count();
}

void Traffic::look(std::int64_t now_us) {
  const bool somebody = std::any_of(nodes_.begin(), nodes_.end(),
                                    [&](const Node& node) { return is_able(node, now_us); });
  if (!somebody) {
    disarm();
  } else if (armed_since_us_ == kNever_us) {
    if (!is_settled(now_us)) {
      settled_since_us_ = kNever_us;
    } else {
      settled_since_us_ = std::min(settled_since_us_, now_us);
      if (now_us - settled_since_us_ >= kSettled_us) armed_since_us_ = now_us;
    }
  }
}

}  // namespace keepline::vrrp::sim
