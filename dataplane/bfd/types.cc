#include "dataplane/bfd/types.h"

namespace keepline::bfd {

std::string_view to_string(State state) {
  static constexpr std::array<std::string_view, kStateCount> kNames = {"AdminDown", "Down", "Init",
                                                                       "Up"};
  return kNames[static_cast<std::size_t>(state) % kStateCount];
}

std::string_view to_string(Diagnostic diagnostic) {
  static constexpr std::array<std::string_view, 9> kNames = {
      "No Diagnostic",
      "Control Detection Time Expired",
      "Echo Function Failed",
      "Neighbor Signaled Session Down",
      "Forwarding Plane Reset",
      "Path Down",
      "Concatenated Path Down",
      "Administratively Down",
      "Reverse Concatenated Path Down",
  };
  const auto index = static_cast<std::size_t>(diagnostic);
  return index < kNames.size() ? kNames[index] : "Reserved";
}

std::string_view to_string(Discard reason) {
  static constexpr std::array<std::string_view, kDiscardCount> kNames = {
      "udp",
      "checksum",
      "ttl",
      "version",
      "length",
      "multiplier",
      "multipoint",
      "discriminator",
      "unknown_session",
      "not_establishing",
      "authentication",
      "admin_down",
  };
  static_assert(!kNames.back().empty(), "every reason has a name");
  return kNames[static_cast<std::size_t>(reason)];
}

}  // namespace keepline::bfd
