// The keyword table of bfd_instance, and its rules.
//
// PURE. One row a keyword; bound: the table, and kMaxBfdInstances blocks.
#include <algorithm>
#include <cstdlib>

#include "control/config/named_blocks.h"
#include "control/config/schema.h"

namespace keepline::config {

namespace {

using enum Class;
using enum Status;

constexpr std::size_t kMaxNameBytes = 31;
constexpr std::size_t kMaxBfdInstances = 256;        // what one worker looks after
constexpr std::uint64_t kMaxIntervalMs = 4'294'967;  // 32 bits of microseconds on the wire
constexpr int kMaxWeight = 253;

struct BfdDraft {
  BfdInstance instance;
  bool has_neighbour = false;
  bool tells_some = false;  // vrrp or checker was written: only those
};

void read_neighbour(Args& a, BfdDraft& d) {
  const auto address = a.address();
  if (!address) return;
  if (address->is_zero() || net::is_multicast(*address)) {
    a.error("'" + a.word() + "' is nobody's address: ignored");
    return;
  }
  if (address->is_v6() && net::is_link_local(address->v6())) {
    a.error("'" + a.word() + "' is on every link: ignored", "an address of a network");
    return;
  }
  d.instance.neighbour = *address;
  d.has_neighbour = true;
}

void read_max_hops(Args& a, BfdDraft& d) {
  const auto hops = parse_signed(a.word());
  if (!hops || *hops < -1 || *hops > 255) {
    a.error("'" + a.word() + "' is not a number in -1..255: ignored", "-1 allows any");
    return;
  }
  d.instance.max_hops.set(static_cast<std::int16_t>(*hops));
}

void read_weight(Args& a, BfdDraft& d) {
  const auto weight = parse_signed(a.word());
  if (!weight || std::abs(*weight) > kMaxWeight) {
    a.error("'" + a.word() + "' is not a weight in -253..253: ignored");
    return;
  }
  d.instance.weight = static_cast<int>(*weight);
  d.instance.is_reversed = a.word(2) == "reverse";
}

// Without either of them both are told.
void tell_only(BfdDraft& d, bool BfdInstance::*whom) {
  if (!d.tells_some) d.instance.tells_vrrp = d.instance.tells_checkers = false;
  d.tells_some = true;
  d.instance.*whom = true;
}

constexpr Row<BfdDraft> kBfdRows[] = {
    {"neighbor_ip", kOneWord, kB, kActive, read_neighbour, "neighbour_ip"},
    {"source_ip", kOneWord, kB, kActive,
     [](Args& a, BfdDraft& d) {
       if (const auto address = a.address()) d.instance.source = *address;
     }},
    {"min_rx", kOneWord, kB, kActive,
     [](Args& a, BfdDraft& d) { a.number_to(d.instance.min_rx_ms, 1, kMaxIntervalMs); }},
    {"min_tx", kOneWord, kB, kActive,
     [](Args& a, BfdDraft& d) { a.number_to(d.instance.min_tx_ms, 1, kMaxIntervalMs); }},
    {"idle_tx", kOneWord, kC, kActive,
     [](Args& a, BfdDraft& d) { a.number_to(d.instance.idle_tx_ms, 1000, kMaxIntervalMs); }},
    {"multiplier", kOneWord, kB, kActive,
     [](Args& a, BfdDraft& d) { a.number_to(d.instance.multiplier, 1, 255); }},
    {"passive", kBareShape, kC, kActive, [](Args&, BfdDraft& d) { d.instance.is_passive = true; }},
    {"ttl", kOneWord, kC, kActive,
     [](Args& a, BfdDraft& d) { a.number_to(d.instance.ttl, 1, 255); }, "hoplimit"},
    {"max_hops", kOneWord, kC, kActive, read_max_hops},
    {"multihop", kFlagShape, kC, kActive,
     [](Args& a, BfdDraft& d) { a.flag_to(d.instance.is_multihop); }},
    {"weight", {1, 2}, kB, kActive, read_weight},
    {"vrrp", kBareShape, kC, kActive,
     [](Args&, BfdDraft& d) { tell_only(d, &BfdInstance::tells_vrrp); }},
    {"checker", kBareShape, kC, kActive,
     [](Args&, BfdDraft& d) { tell_only(d, &BfdInstance::tells_checkers); }},
};

void settle_hops(Args& a, BfdInstance& instance) {
  if (instance.max_hops > int{instance.ttl}) {
    a.error("bfd_instance '" + instance.name +
            "': max_hops is above ttl: " + std::to_string(instance.ttl) + " is used");
    instance.max_hops.set(instance.ttl);
  }
  // RFC 5883 leaves the distance open; who wants it bounded writes max_hops.
  if (instance.is_multihop) instance.max_hops.set_default(-1);
}

}  // namespace

void read_bfd_instance(Args& a, Draft& draft) {
  BfdDraft next;
  next.instance.name = a.word();
  next.instance.position = a.position();
  run_table(kBfdRows, "bfd_instance", a.statement().children, next, a.diagnostics());
  BfdInstance& instance = next.instance;
  const std::string which = "bfd_instance '" + instance.name + "'";
  auto& known = draft.config.bfd_instances;
  const bool is_known_neighbour = std::ranges::any_of(
      known, [&](const BfdInstance& other) { return other.neighbour == instance.neighbour; });
  if (instance.name.size() > kMaxNameBytes) {
    a.error(which + ": a name has at most 31 characters: skipped");
  } else if (has_name(known, instance.name)) {
    a.error("a second " + which + ": skipped");
  } else if (!next.has_neighbour) {
    a.error(which + " without neighbor_ip: skipped", "neighbor_ip ADDRESS");
  } else if (is_known_neighbour) {
    a.error(which + ": another one has the neighbour " + net::to_string(instance.neighbour) +
            ": skipped");
  } else if (instance.source && instance.source->is_v6() != instance.neighbour.is_v6()) {
    a.error(which + ": source_ip is of another family than neighbor_ip: skipped");
  } else if (known.size() >= kMaxBfdInstances) {
    a.error("more than " + std::to_string(kMaxBfdInstances) + " bfd_instance blocks: skipped");
  } else {
    settle_hops(a, instance);
    known.push_back(std::move(instance));
  }
}

}  // namespace keepline::config
