// How many queues a netdev has.
#pragma once

#include <string>

namespace keepline::control {

/// Combined channels (ethtool -l) of the netdev; 1 where the driver does not say.
unsigned queue_count(const std::string& netdev);

}  // namespace keepline::control
