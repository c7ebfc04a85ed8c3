// keepalived_bfd.data: see text.h.
#include <cstdio>

#include "control/dump/text.h"
#include "control/dump/words.h"

namespace keepline::control::dump {

namespace {

std::string us_text(std::uint64_t us) {
  return std::to_string(us) + " us";
}

std::string hex_text(std::uint32_t value) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%x", static_cast<unsigned>(value));
  return text;
}

void add_settings(const config::BfdInstance& instance, Lines& out) {
  out.head("BFD Instance", instance.name);
  out.line("Neighbor IP", net::to_string(instance.neighbour));
  if (instance.source) out.line("Source IP", net::to_string(*instance.source));
  out.line("Required min RX interval", us_text(std::uint64_t{instance.min_rx_ms} * 1000));
  out.line("Desired min TX interval", us_text(std::uint64_t{instance.min_tx_ms} * 1000));
  out.line("Desired idle TX interval", us_text(std::uint64_t{instance.idle_tx_ms} * 1000));
  out.line("Detection multiplier", instance.multiplier);
  out.line(instance.neighbour.is_v6() ? "hoplimit" : "TTL", instance.ttl);
  out.line("max_hops", std::to_string(*instance.max_hops));
  if (instance.is_multihop) out.words("Multihop");
  out.line("passive", true_or_false(instance.is_passive));
  out.line("send event to VRRP process", instance.tells_vrrp ? "Yes" : "No");
  out.line("send event to checker process", instance.tells_checkers ? "Yes" : "No");
}

void add_state(const config::BfdInstance& instance, const BfdState& now, Lines& out) {
  const auto words = [](auto value) { return bfd::to_string(value); };
  out.line("local state", words(now.state));
  out.line("remote state", words(now.remote_state));
  out.line("local discriminator", hex_text(now.discriminator));
  out.line("remote discriminator", hex_text(now.remote_discriminator));
  out.line("local diag", words(now.diagnostic));
  out.line("remote diag", words(now.remote_diagnostic));
  out.line("remote min tx intv", us_text(now.remote_min_tx_us));
  out.line("remote min rx intv", us_text(now.remote_min_rx_us));
  out.line("remote detect multiplier", now.remote_multiplier);
  out.line("local tx intv", us_text(now.tx_interval_us));
  out.line("remote tx intv", us_text(now.rx_interval_us));
  out.line("local detection time", us_text(now.detection_time_us));
  const std::uint64_t remote_us =
      now.remote_discriminator == 0 ? 0 : now.tx_interval_us * instance.multiplier;
  out.line("remote detection time", us_text(remote_us));
  out.line("last_seen",
           now.last_heard_unix_us == 0 ? "[never]" : time_text(now.last_heard_unix_us));
}

}  // namespace

std::string bfd_data_text(const State& state) {
  Lines out;
  add_global(state, out);
  out.section("BFD Topology");
  for (const config::BfdInstance& instance : state.config->bfd_instances) {
    add_settings(instance, out);
    const auto now = state.sessions.find(instance.name);
    add_state(instance, now == state.sessions.end() ? BfdState() : now->second, out);
  }
  return out.take();
}

}  // namespace keepline::control::dump
