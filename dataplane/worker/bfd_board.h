// What the BFD sessions are doing, for everybody to read.
//
// One writer, the worker that has the sessions; any thread reads. Each number is its own: what
// belongs together may be a moment apart. Bound: bfd::kMaxSessions.
#pragma once

#include <array>

#include "dataplane/bfd/session_table.h"
#include "dataplane/lb/counters.h"

namespace keepline::worker {

/// Of one session. Times and intervals are microseconds, on the workers' clock.
struct BfdFigures {
  lb::Counter state;       ///< bfd::State
  lb::Counter diagnostic;  ///< bfd::Diagnostic
  lb::Counter discriminator;
  lb::Counter tx_interval_us;
  lb::Counter rx_interval_us;     ///< 0: nobody is heard.
  lb::Counter detection_time_us;  ///< The same.
  lb::Counter last_heard_us;      ///< 0: never.
  // What the neighbour said last; without a discriminator nothing.
  lb::Counter remote_state;
  lb::Counter remote_diagnostic;
  lb::Counter remote_discriminator;
  lb::Counter remote_multiplier;
  lb::Counter remote_min_tx_us;
  lb::Counter remote_min_rx_us;

  lb::Counter sent;
  lb::Counter unsent;  ///< Of these: there was no way to the neighbour.
  lb::Counter received;
  std::array<lb::Counter, bfd::kDiscardCount> discarded;

  void show(const bfd::Session& session) {
    const bfd::ControlPacket& remote = session.remote();
    state.set(static_cast<std::uint64_t>(session.state()));
    diagnostic.set(static_cast<std::uint64_t>(session.diagnostic()));
    discriminator.set(session.discriminator());
    tx_interval_us.set(static_cast<std::uint64_t>(session.tx_interval_us()));
    rx_interval_us.set(static_cast<std::uint64_t>(session.rx_interval_us()));
    detection_time_us.set(static_cast<std::uint64_t>(session.detection_time_us()));
    last_heard_us.set(static_cast<std::uint64_t>(session.last_heard_us()));
    remote_state.set(static_cast<std::uint64_t>(remote.state));
    remote_diagnostic.set(static_cast<std::uint64_t>(remote.diagnostic));
    remote_discriminator.set(remote.my_discriminator);
    remote_multiplier.set(remote.multiplier);
    remote_min_tx_us.set(remote.desired_min_tx_us);
    remote_min_rx_us.set(remote.required_min_rx_us);
    show(session.statistics());
  }
  void show(const bfd::Statistics& statistics) {
    sent.set(statistics.sent);
    received.set(statistics.received);
    for (std::size_t i = 0; i < discarded.size(); ++i) discarded[i].set(statistics.discarded[i]);
  }
};

struct BfdBoard {
  std::array<BfdFigures, bfd::kMaxSessions> sessions;  ///< By number.
  BfdFigures unclaimed;                                ///< Discarded packets of no session.
};

}  // namespace keepline::worker
