// The BFD sessions of the node, as worker lb::kBfdWorker runs them: orders in, frames and news out.
//
// That worker alone calls it; the board may be read by anybody. No allocation after construction.
// Bounds: bfd::kMaxSessions; kOrdersPerTurn.
#pragma once

#include "dataplane/lb/snapshot.h"
#include "dataplane/worker/bfd_board.h"
#include "dataplane/worker/mailbox.h"
#include "dataplane/worker/ticks.h"

namespace keepline::worker {

/// Takes away what is to be sent.
class FrameSender {
 public:
  virtual ~FrameSender() = default;
  /// A whole frame; it may be dropped, which is counted as any other's.
  virtual void send_frame(net::PortId port, net::Bytes frame) = 0;
};

class BfdDesk final : private bfd::Output {
 public:
  static constexpr std::size_t kOrdersPerTurn = 64;

  BfdDesk(Mailbox& mailbox, Doorbell& doorbell, const TickSource& ticks, FrameSender& sender);

  /// A frame with the verdict lb::Action::kToBfd.
  void receive(const lb::Snapshot& snapshot, const net::Packet& frame);
  /// Orders, and what is due. After what came in was looked at, as far as `inbox` says: a neighbour
  /// that has spoken while this worker was away is not dead.
  void turn(const lb::Snapshot* snapshot, bfd::Inbox inbox);
  /// No more than `sleep_us`, and not beyond what is due next.
  std::uint32_t bounded_sleep_us(std::uint32_t sleep_us) const;

  const BfdBoard& board() const { return *board_; }

 private:
  void send(bfd::SessionNumber number, const bfd::Session& session,
            const bfd::ControlPacket& packet) override;
  void changed(bfd::SessionNumber number, const bfd::Session& session,
               const bfd::StateChanged& change) override;
  void ended(bfd::SessionNumber number) override;

  void take_orders(std::int64_t now_us);
  std::int64_t now_us() const { return to_us(ticks_.now(), ticks_.hz()); }
  void tell(const BfdEvent& event);

  Mailbox& mailbox_;
  Doorbell& doorbell_;
  const TickSource& ticks_;
  FrameSender& sender_;
  bfd::SessionTable table_;
  std::unique_ptr<BfdBoard> board_ = std::make_unique<BfdBoard>();  // too large for a stack
  const lb::Snapshot* snapshot_ = nullptr;                          // while something is handled
  /// Of each session, before what is handled changed it.
  std::array<std::int64_t, bfd::kMaxSessions> rx_interval_us_{};
};

}  // namespace keepline::worker
