// What `ethtool` tells and sets: queues, and whether VLAN tags stay in the frames.
//
// A short request each; queue_count() at start, the others on the kernel executor's thread.
#pragma once

#include <string>

#include <tl/expected.hpp>

namespace keepline::control {

/// Combined channels (ethtool -l) of the netdev; 1 where the driver does not say.
unsigned queue_count(const std::string& netdev);

/// Whether it takes the tags of VLANs off what it receives (ethtool -k: rx-vlan-offload).
bool takes_tags_off(const std::string& netdev);
tl::expected<void, std::string> take_tags_off(const std::string& netdev, bool on);

}  // namespace keepline::control
