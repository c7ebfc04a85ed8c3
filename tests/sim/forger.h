// What somebody on a LAN makes up who hears everything and has no key.
//
// Adverts without a trailer, with one by another key or of an unknown id, and true ones with
// another priority and number, their checksum made right again. All of them ask for something: to
// be master, or that the master has left. Used by Network, which also plays true ones again.
#pragma once

#include <vector>

#include "tests/sim/network.h"

namespace keepline::vrrp::sim {

/// `kept`: what it has heard on this LAN.
Packet make_forgery(const Schedule& schedule, std::size_t lan, const std::vector<Packet>& kept,
                    Random& random, std::int64_t now_us);

}  // namespace keepline::vrrp::sim
