#include "dataplane/bfd/session_table.h"

#include <algorithm>

namespace keepline::bfd {

namespace {

constexpr unsigned kNumberBits = 8;
static_assert(kMaxSessions == 1u << kNumberBits);

// Routers on the way take one each; what is sent closer by than said is welcome, too.
bool is_too_far(const SessionConfig& config, std::uint8_t ttl) {
  return config.max_hops >= 0 && int{config.ttl} - int{ttl} > config.max_hops;
}

}  // namespace

SessionTable::SessionTable(std::uint64_t seed)
    : random_(seed), slots_(std::make_unique<std::array<Slot, kMaxSessions>>()) {}

const Session* SessionTable::find(SessionNumber number) const {
  const Slot& slot = (*slots_)[number % kMaxSessions];
  return slot ? &*slot : nullptr;
}

SessionNumber SessionTable::number_of(const Slot& slot) const {
  return static_cast<SessionNumber>(&slot - slots_->data());
}

// A packet's session is found by the low bits; the others keep those apart that come one after the
// other.
std::uint32_t SessionTable::new_discriminator(SessionNumber number) {
  const auto high = static_cast<std::uint32_t>(random_.between(1, (1 << (32 - kNumberBits)) - 1));
  return high << kNumberBits | number;
}

void SessionTable::set(SessionNumber number, const SessionConfig& config, std::int64_t now_us,
                       Output& output) {
  Slot& slot = (*slots_)[number % kMaxSessions];
  const bool stays =
      slot && slot->config().has_ends_of(config) && slot->state() != State::kAdminDown;
  if (stays) {
    slot->reconfigure(config, now_us);
  } else {
    size_ += !slot;
    end_ = std::max(end_, std::size_t{number} + 1);
    slot.emplace(config, new_discriminator(number), random_, now_us);
  }
  drain(slot, output);
  find_next_timeout();
}

void SessionTable::stop(SessionNumber number, std::int64_t now_us, Output& output) {
  Slot& slot = (*slots_)[number % kMaxSessions];
  if (!slot) return;
  slot->stop(now_us);
  drain(slot, output);
  find_next_timeout();
}

SessionTable::Slot* SessionTable::at_ends(const Datagram& datagram) {
  for (std::size_t i = 0; i < end_; ++i) {
    Slot& slot = (*slots_)[i];
    if (!slot) continue;
    const SessionConfig& config = slot->config();
    const bool is_to_us = config.source.is_zero() || config.source == datagram.destination;
    if (is_to_us && config.neighbour == datagram.source &&
        config.is_multihop == datagram.is_multihop) {
      return &slot;
    }
  }
  return nullptr;
}

// The RFC would let the neighbour's address change meanwhile; here it is part of the configuration.
SessionTable::Slot* SessionTable::with_discriminator(std::uint32_t discriminator,
                                                     const Datagram& datagram) {
  Slot& slot = (*slots_)[discriminator % kMaxSessions];
  const bool is_it = slot && slot->discriminator() == discriminator &&
                     slot->config().neighbour == datagram.source &&
                     slot->config().is_multihop == datagram.is_multihop;
  return is_it ? &slot : nullptr;
}

SessionTable::Slot* SessionTable::session_of(const Datagram& datagram,
                                             const ControlPacket& packet) {
  return packet.your_discriminator == 0 ? at_ends(datagram)
                                        : with_discriminator(packet.your_discriminator, datagram);
}

void SessionTable::discard(Slot* slot, Discard reason) {
  if (slot != nullptr) {
    (*slot)->count_discard(reason);
  } else {
    unclaimed_.discard(reason);
  }
}

std::optional<SessionNumber> SessionTable::handle_frame(const net::Packet& frame,
                                                        const net::Parsed& parsed,
                                                        std::int64_t now_us, Output& output) {
  Datagram datagram;
  const auto discarded = [&](Slot* slot, Discard reason) -> std::optional<SessionNumber> {
    discard(slot, reason);
    return slot == nullptr ? std::nullopt : std::optional(number_of(*slot));
  };
  const auto read = read_datagram(frame, parsed, datagram);
  if (!read) return discarded(at_ends(datagram), read.error());
  // RFC 5881 §5: before anything else is looked at.
  Slot* const by_ends = at_ends(datagram);
  if (by_ends != nullptr && is_too_far((*by_ends)->config(), datagram.ttl)) {
    return discarded(by_ends, Discard::kTtl);
  }
  const auto packet = parse_packet(datagram.payload);
  if (!packet) return discarded(by_ends, packet.error());
  Slot* const slot = session_of(datagram, *packet);
  if (slot == nullptr) return discarded(by_ends, Discard::kUnknownSession);
  if (slot != by_ends && is_too_far((*slot)->config(), datagram.ttl)) {
    return discarded(slot, Discard::kTtl);
  }
  (*slot)->handle_packet(*packet, now_us);
  drain(*slot, output);
  find_next_timeout();
  return number_of(*slot);
}

void SessionTable::handle_timeout(std::int64_t now_us, Output& output, Inbox inbox) {
  if (!next_timeout_us_ || now_us < *next_timeout_us_) return;
  for (std::size_t i = 0; i < end_; ++i) {
    Slot& slot = (*slots_)[i];
    if (!slot) continue;
    slot->handle_timeout(now_us, inbox);
    drain(slot, output);
  }
  find_next_timeout();
}

void SessionTable::drain(Slot& slot, Output& output) {
  const SessionNumber number = number_of(slot);
  while (const auto action = slot->poll_action()) {
    if (const auto* sent = std::get_if<SendPacket>(&*action)) {
      output.send(number, *slot, sent->packet);
    } else {
      output.changed(number, *slot, std::get<StateChanged>(*action));
    }
  }
  if (!slot->is_over()) return;
  slot.reset();
  --size_;
  output.ended(number);
}

void SessionTable::find_next_timeout() {
  next_timeout_us_.reset();
  for (std::size_t i = 0; i < end_; ++i) {
    const Slot& slot = (*slots_)[i];
    const auto due_us = slot ? slot->next_timeout() : std::nullopt;
    if (due_us) next_timeout_us_ = std::min(next_timeout_us_.value_or(*due_us), *due_us);
  }
}

}  // namespace keepline::bfd
