// All sessions of a node: whose packet it is (RFC 5880 §6.3), who is due, what goes out.
//
// PURE; belongs to one thread, which says what time it is (monotonic microseconds, never
// decreasing) and implements Output. Memory is taken at construction. Bound: kMaxSessions; finding
// a packet's session by addresses, and the next timeout, looks at all of them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "dataplane/bfd/datagram.h"
#include "dataplane/bfd/session.h"

namespace keepline::bfd {

inline constexpr std::size_t kMaxSessions = 256;
/// What a session is called outside: below kMaxSessions, chosen by who adds it.
using SessionNumber = std::uint16_t;

/// What the table wants done. No call may call the table back.
class Output {
 public:
  virtual ~Output() = default;
  virtual void send(SessionNumber number, const Session& session, const ControlPacket& packet) = 0;
  virtual void changed(SessionNumber number, const Session& session,
                       const StateChanged& change) = 0;
  /// A session that was stopped has said all.
  virtual void ended(SessionNumber number) = 0;
};

class SessionTable {
 public:
  explicit SessionTable(std::uint64_t seed);

  /// A new one, or another configuration of one with the same ends (else it begins anew).
  void set(SessionNumber number, const SessionConfig& config, std::int64_t now_us, Output& output);
  /// Says goodbye, then ends. No such session: nothing.
  void stop(SessionNumber number, std::int64_t now_us, Output& output);

  /// A packet from the wire. A discarded one is counted by its session if it can be told, else by
  /// unclaimed(). The session that it was for.
  std::optional<SessionNumber> handle_frame(const net::Packet& frame, const net::Parsed& parsed,
                                            std::int64_t now_us, Output& output);
  /// Does what is due; calling it early is harmless.
  void handle_timeout(std::int64_t now_us, Output& output, Inbox inbox = Inbox::kEmpty);
  /// When handle_timeout() wants to be called.
  std::optional<std::int64_t> next_timeout() const { return next_timeout_us_; }

  /// nullptr: none has the number.
  const Session* find(SessionNumber number) const;
  std::size_t size() const { return size_; }
  /// Discarded packets of nobody.
  const Statistics& unclaimed() const { return unclaimed_; }

 private:
  using Slot = std::optional<Session>;

  Slot* at_ends(const Datagram& datagram);
  Slot* with_discriminator(std::uint32_t discriminator, const Datagram& datagram);
  Slot* session_of(const Datagram& datagram, const ControlPacket& packet);
  void discard(Slot* slot, Discard reason);
  SessionNumber number_of(const Slot& slot) const;
  std::uint32_t new_discriminator(SessionNumber number);
  void drain(Slot& slot, Output& output);
  void find_next_timeout();

  net::Random random_;
  std::unique_ptr<std::array<Slot, kMaxSessions>> slots_;
  std::size_t size_ = 0;
  std::size_t end_ = 0;  ///< One past the last that was ever used.
  std::optional<std::int64_t> next_timeout_us_;
  Statistics unclaimed_;
};

}  // namespace keepline::bfd
