// Blocks about interfaces: interface_up_down_delays and garp_group.
//
// PURE. Bound: kMaxInterfaces lines of delays and groups; the tables.
#include <algorithm>

#include "control/config/schema.h"

namespace keepline::config {

namespace {

using enum Class;
using enum Status;

constexpr std::uint64_t kMaxLinkDelayUs = 255 * kSecondUs;
constexpr std::size_t kMaxInterfaces = 1024;

void add_member(Args& a, GarpGroup& group, const std::string& name, std::size_t index) {
  if (std::ranges::find(group.interfaces, name) != group.interfaces.end()) {
    a.error("interface " + name + " is in this garp_group already: skipped", "", index);
    return;
  }
  group.interfaces.push_back(name);
}

constexpr std::uint64_t kMaxGapUs = 86'400 * kSecondUs;

constexpr Row<GarpGroup> kGarpGroupRows[] = {
    {"garp_interval", kOneWord, kB, kActive,
     [](Args& a, GarpGroup& g) { a.seconds_to(g.interval_us, 0, kMaxGapUs); }},
    {"gna_interval", kOneWord, kB, kActive,
     [](Args& a, GarpGroup& g) { a.seconds_to(g.gna_interval_us, 0, kMaxGapUs); }},
    {"interface", kOneWord, kB, kActive,
     [](Args& a, GarpGroup& g) { add_member(a, g, a.word(), 1); }},
    {"interfaces", kBlockShape, kB, kActive,
     [](Args& a, GarpGroup& g) {
       for (const Word& word : words_of(a.statement())) add_member(a, g, word.text, 0);
     }},
};

}  // namespace

// `IF DOWN [UP]`; without UP, what comes up is up at once, as keepalived has it (its manual says
// otherwise).
void read_link_delays(Args& args, Config& config) {
  for_each_entry(args.statement(), args.diagnostics(), [&](Args& a) {
    LinkDelay delay{a.keyword(), 0, 0, a.position()};
    if (a.count() < 1 || a.count() > 2) {
      a.error("a line has an interface and one or two delays: skipped", "IF DOWN [UP]", 0);
      return;
    }
    const auto down_us = a.seconds_us(0, kMaxLinkDelayUs, 1);
    if (!down_us) return;
    delay.down_us = *down_us;
    if (a.count() == 2) {
      const auto up_us = a.seconds_us(0, kMaxLinkDelayUs, 2);
      if (!up_us) return;
      delay.up_us = *up_us;
    }
    if (std::ranges::find(config.link_delays, delay.interface, &LinkDelay::interface) !=
        config.link_delays.end()) {
      a.error("interface " + delay.interface + " has its delays already: skipped", "", 0);
    } else if (config.link_delays.size() < kMaxInterfaces) {
      config.link_delays.push_back(std::move(delay));
    }
  });
}

void read_garp_group(Args& a, Config& config) {
  GarpGroup group;
  group.position = a.position();
  run_table(kGarpGroupRows, "garp_group", a.statement().children, group, a.diagnostics());
  std::erase_if(group.interfaces, [&](const std::string& name) {
    const bool is_taken = std::ranges::any_of(config.garp_groups, [&](const GarpGroup& other) {
      return std::ranges::find(other.interfaces, name) != other.interfaces.end();
    });
    if (is_taken) a.error("interface " + name + " is in another garp_group: skipped", "", 0);
    return is_taken;
  });
  if (group.interfaces.empty()) {
    a.error("a garp_group without an interface: skipped", "interface IF, or interfaces { IF... }",
            0);
  } else if (!group.interval_us.is_set() && !group.gna_interval_us.is_set()) {
    a.error("a garp_group without an interval: skipped", "garp_interval or gna_interval", 0);
  } else if (config.garp_groups.size() < kMaxInterfaces) {
    config.garp_groups.push_back(std::move(group));
  }
}

}  // namespace keepline::config
