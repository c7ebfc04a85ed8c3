// Lines of value blocks: virtual IP addresses and trackers.
//
// PURE. Bounds: kMaxVips addresses and kMaxTrackers trackers in one block.
#include <algorithm>
#include <cstdlib>

#include "control/config/schema.h"

namespace keepline::config {

namespace {

constexpr std::size_t kMaxVips = 1024;
constexpr std::size_t kMaxTrackers = 256;

// Reads the word behind words[index] if there is one.
const std::string* value_behind(const Statement& entry, std::size_t& index) {
  return index + 1 < entry.words.size() ? &entry.words[++index].text : nullptr;
}

void read_vip_options(Args& a, VipAddress& vip) {
  // Words with a value that mean something to the kernel's address only.
  constexpr std::string_view kWithValue[] = {"peer", "brd", "broadcast", "scope", "preferred_lft"};
  constexpr std::string_view kFlags[] = {"home",     "-nodad",   "nodad",        "mngtmpaddr",
                                         "autojoin", "use_vmac", "noprefixroute"};
  const auto& words = a.statement().words;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i].text;
    const bool takes_value = word == "dev" || word == "label" || word == "track_group" ||
                             std::ranges::find(kWithValue, word) != std::end(kWithValue);
    if (takes_value) {
      const std::string* value = value_behind(a.statement(), i);
      if (value == nullptr) {
        a.error("'" + word + "' misses its value: ignored", "", i);
      } else if (word == "dev") {
        vip.dev = *value;
      } else if (word == "label") {
        vip.label = *value;
      }
    } else if (word == "no_track") {
      vip.no_track = true;
    } else if (std::ranges::find(kFlags, word) == std::end(kFlags)) {
      a.error("unknown word '" + word + "' behind an address: ignored",
              net::parse_ip(word) ? "one address a line" : "", i);
    }
  }
}

std::optional<VipAddress> read_vip(Args& a) {
  const std::string& text = a.keyword();
  const std::size_t slash = text.find('/');
  const auto address = net::parse_ip(std::string_view(text).substr(0, slash));
  if (!address) {
    a.error("'" + text + "' is not an IP address: the line is skipped",
            text.find('$') == 0 ? "a name before '/' must be written ${NAME}" : "", 0);
    return std::nullopt;
  }
  VipAddress vip;
  vip.address = *address;
  vip.prefix_length = static_cast<std::uint8_t>(address->max_prefix_length());
  vip.position = a.position();
  if (slash != std::string::npos) {
    const auto length = parse_number(std::string_view(text).substr(slash + 1));
    if (!length || *length > address->max_prefix_length()) {
      a.error("'" + text + "' has no valid prefix length: the line is skipped", "", 0);
      return std::nullopt;
    }
    vip.prefix_length = static_cast<std::uint8_t>(*length);
  }
  read_vip_options(a, vip);
  return vip;
}

void read_weight(Args& a, Tracker& tracker) {
  const auto weight = parse_signed(a.word(2));
  constexpr int kMaxWeight = 253;
  if (!weight || std::abs(*weight) > kMaxWeight + 1) {
    a.error("'" + a.word(2) + "' is not a weight in -253..253: ignored", "", 2);
    return;
  }
  tracker.weight.set(std::clamp(static_cast<int>(*weight), -kMaxWeight, kMaxWeight));
  if (a.word(3) == "reverse" || a.word(3) == "noreverse") {
    tracker.is_reversed.set(a.word(3) == "reverse");
  } else if (a.count() > 2) {
    a.error("unknown word '" + a.word(3) + "' behind a weight: ignored", "", 3);
  }
}

}  // namespace

void read_vips(Args& args, std::vector<VipAddress>& vips) {
  for_each_entry(args.statement(), args.diagnostics(), [&vips, &args](Args& a) {
    auto vip = read_vip(a);
    if (!vip) return;
    const bool is_known = std::ranges::any_of(
        vips, [&vip](const VipAddress& other) { return other.address == vip->address; });
    if (is_known) {
      a.error("duplicate address " + a.keyword() + ": skipped", "", 0);
    } else if (vips.size() >= kMaxVips) {
      args.error("more than " + std::to_string(kMaxVips) + " addresses: the rest is skipped");
    } else {
      vips.push_back(std::move(*vip));
    }
  });
}

void read_trackers(Args& args, std::vector<Tracker>& trackers) {
  for_each_entry(args.statement(), args.diagnostics(), [&trackers](Args& a) {
    Tracker tracker;
    tracker.name = a.keyword();
    tracker.position = a.position();
    if (a.count() >= 1 && a.word(1) != "weight") {
      a.error("unknown word '" + a.word(1) + "': ignored", "NAME [weight N [reverse]]");
    } else if (a.count() >= 1) {
      read_weight(a, tracker);
    }
    const bool is_known = std::ranges::any_of(
        trackers, [&tracker](const Tracker& other) { return other.name == tracker.name; });
    if (is_known) {
      a.error("duplicate tracker " + tracker.name + ": skipped", "", 0);
    } else if (trackers.size() < kMaxTrackers) {
      trackers.push_back(std::move(tracker));
    }
  });
}

}  // namespace keepline::config
