#include "dataplane/bfd/session.h"

#include <algorithm>

namespace keepline::bfd {

Session::Session(const SessionConfig& config, std::uint32_t discriminator, net::Random& random,
                 std::int64_t now_us)
    : config_(config), discriminator_(discriminator), random_(&random), next_send_us_(now_us) {
  forget_remote();
  settle_intervals();
}

void Session::reconfigure(const SessionConfig& config, std::int64_t now_us) {
  const SessionConfig before = std::exchange(config_, config);
  if (state_ == State::kAdminDown) return;
  const bool is_new = before.min_tx_us != config.min_tx_us || before.min_rx_us != config.min_rx_us;
  settle_intervals();
  // A multiplier goes out with the next packet and needs no poll (§6.8.3 speaks of intervals).
  if (is_new && state_ == State::kUp) begin_poll();
  schedule();
  next_send_us_ = std::max(next_send_us_, now_us);
}

void Session::stop(std::int64_t now_us) {
  if (state_ == State::kAdminDown) return;
  const bool is_heard = is_remote_known() || !config_.is_passive;
  farewells_left_ = is_heard ? kFarewells : std::uint8_t{0};
  change_state(State::kAdminDown, Diagnostic::kAdministrativelyDown, now_us);
}

// --- What comes in ---------------------------------------------------------------------------

std::optional<Discard> Session::check(const ControlPacket& packet) const {
  const bool is_establishing = packet.state == State::kDown || packet.state == State::kAdminDown;
  if (packet.your_discriminator == 0 && !is_establishing) return Discard::kNotEstablishing;
  if (packet.has_authentication) return Discard::kAuthentication;
  if (state_ == State::kAdminDown) return Discard::kAdminDown;
  return std::nullopt;
}

// RFC 5880 §6.8.6.
std::optional<Discard> Session::handle_packet(const ControlPacket& packet, std::int64_t now_us) {
  if (const auto reason = check(packet)) {
    statistics_.discard(*reason);
    return reason;
  }
  ++statistics_.received;
  const std::int64_t tx_before_us = tx_interval_us();
  const bool was_silent = !sends_periodically();
  remote_ = packet;
  last_heard_us_ = now_us;
  if (packet.final) end_poll();
  follow(packet, now_us);
  if (packet.poll) send(true, now_us);
  // An interval that has changed counts from the last packet on (§6.8.3).
  if (tx_interval_us() != tx_before_us || was_silent) schedule();
  return std::nullopt;
}

void Session::follow(const ControlPacket& packet, std::int64_t now_us) {
  if (packet.state == State::kAdminDown) {
    if (state_ == State::kDown) return;
    return change_state(State::kDown, Diagnostic::kNeighbourSignaledDown, now_us);
  }
  switch (state_) {
    case State::kAdminDown:
      return;
    case State::kDown:
      if (packet.state == State::kDown) change_state(State::kInit, diagnostic_, now_us);
      if (packet.state == State::kInit) change_state(State::kUp, Diagnostic::kNone, now_us);
      return;
    case State::kInit:
      if (packet.state == State::kDown) return;
      return change_state(State::kUp, Diagnostic::kNone, now_us);
    case State::kUp:
      if (packet.state != State::kDown) return;
      return change_state(State::kDown, Diagnostic::kNeighbourSignaledDown, now_us);
  }
}

void Session::change_state(State to, Diagnostic diagnostic, std::int64_t now_us) {
  const State from = std::exchange(state_, to);
  diagnostic_ = diagnostic;
  poll_ = Poll::kNone;
  settle_intervals();
  // It speaks faster than before from now on, which the neighbour has to agree to.
  if (to == State::kUp) begin_poll();
  emit(StateChanged{from, to, diagnostic});
  // Told at once, not only when the next packet is due (§6.8.7).
  if (sends_periodically()) send(false, now_us);
}

// --- Intervals -------------------------------------------------------------------------------

std::uint32_t Session::desired_min_tx_us() const {
  if (state_ == State::kUp) return config_.min_tx_us;
  const auto slowest = static_cast<std::uint32_t>(kSlowest_us);
  return std::max({config_.min_tx_us, config_.idle_tx_us, slowest});
}

// §6.8.3: while Up, to send less often, or to expect packets more often, waits for the end of the
// poll; the reverse holds at once.
void Session::settle_intervals() {
  const bool is_up = state_ == State::kUp;
  const std::uint32_t tx_us = desired_min_tx_us();
  if (!is_up || tx_us < active_tx_us_) active_tx_us_ = tx_us;
  if (!is_up || config_.min_rx_us > active_rx_us_) active_rx_us_ = config_.min_rx_us;
}

void Session::begin_poll() {
  poll_ = poll_ == Poll::kNone ? Poll::kUnderWay : Poll::kOnceMore;
}

// What changed meanwhile was not what the neighbour has answered: it is asked once more.
void Session::end_poll() {
  const Poll ended = std::exchange(poll_, Poll::kNone);
  if (ended == Poll::kOnceMore) poll_ = Poll::kUnderWay;
  if (ended != Poll::kUnderWay) return;
  active_tx_us_ = desired_min_tx_us();
  active_rx_us_ = config_.min_rx_us;
}

std::int64_t Session::tx_interval_us() const {
  return std::max(active_tx_us_, remote_.required_min_rx_us);
}

std::int64_t Session::rx_interval_us() const {
  if (!is_remote_known()) return 0;
  return std::max(active_rx_us_, remote_.desired_min_tx_us);
}

// bfd.RemoteMinRxInterval begins as 1 (§6.8.1), so that somebody begins.
void Session::forget_remote() {
  remote_ = ControlPacket();
  remote_.required_min_rx_us = 1;
}

// --- Time ------------------------------------------------------------------------------------

void Session::handle_timeout(std::int64_t now_us, Inbox inbox) {
  const int times = inbox == Inbox::kEmpty ? 1 : 2;
  if (is_remote_known() && now_us - last_heard_us_ >= times * detection_time_us()) {
    // §6.8.4, and §6.8.1 of bfd.RemoteDiscr.
    forget_remote();
    if (state_ == State::kUp || state_ == State::kInit) {
      change_state(State::kDown, Diagnostic::kDetectionTimeExpired, now_us);
    }
  }
  if (!sends_periodically() || now_us < next_send_us_) return;
  send(false, now_us);
}

std::optional<std::int64_t> Session::next_timeout() const {
  std::optional<std::int64_t> earliest_us;
  if (sends_periodically()) earliest_us = next_send_us_;
  if (is_remote_known()) {
    const std::int64_t end_us = last_heard_us_ + detection_time_us();
    earliest_us = std::min(earliest_us.value_or(end_us), end_us);
  }
  return earliest_us;
}

// §6.8.7: what forbids to send periodically.
bool Session::sends_periodically() const {
  if (state_ == State::kAdminDown) return farewells_left_ != 0;
  if (config_.is_passive && !is_remote_known()) return false;
  if (remote_.required_min_rx_us == 0) return false;
  const bool is_unwanted = remote_.demand && state_ == State::kUp && remote_.state == State::kUp;
  return !is_unwanted || poll_ != Poll::kNone;
}

// §6.8.7: less by 0 to 25 %, with a multiplier of 1 by 10 to 25 %.
std::int64_t Session::jittered(std::int64_t interval_us) const {
  const std::int64_t most_us = config_.multiplier == 1 ? interval_us * 9 / 10 : interval_us;
  return random_->between(interval_us * 3 / 4, most_us);
}

void Session::schedule() {
  const bool is_leaving = state_ == State::kAdminDown;
  next_send_us_ = last_sent_us_ + (is_leaving ? kFarewell_us : jittered(tx_interval_us()));
}

void Session::send(bool is_final, std::int64_t now_us) {
  ControlPacket packet;
  packet.diagnostic = diagnostic_;
  packet.state = state_;
  packet.final = is_final;
  packet.poll = !is_final && poll_ != Poll::kNone;  // §6.8.7: never both
  packet.multiplier = config_.multiplier;
  packet.my_discriminator = discriminator_;
  packet.your_discriminator = remote_.my_discriminator;
  packet.desired_min_tx_us = desired_min_tx_us();
  packet.required_min_rx_us = config_.min_rx_us;
  ++statistics_.sent;
  emit(SendPacket{packet});
  if (state_ == State::kAdminDown && farewells_left_ > 0) --farewells_left_;
  if (is_final) return;  // it comes besides the others
  last_sent_us_ = now_us;
  schedule();
}

// --- What goes out ---------------------------------------------------------------------------

// Who does not poll loses news, never memory.
void Session::emit(const Action& action) {
  if (action_count_ == kActionLimit) return;
  actions_[(first_action_ + action_count_++) % kActionLimit] = action;
}

std::optional<Action> Session::poll_action() {
  if (action_count_ == 0) return std::nullopt;
  const Action action = actions_[first_action_];
  first_action_ = (first_action_ + 1) % kActionLimit;
  --action_count_;
  return action;
}

}  // namespace keepline::bfd
