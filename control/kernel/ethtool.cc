#include "control/kernel/ethtool.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace keepline::control {

namespace {

// `request` is one of linux/ethtool.h, with its command. 0 or errno.
template <typename Request>
int ask(const std::string& netdev, Request& request) {
  ifreq about{};
  netdev.copy(about.ifr_name, IFNAMSIZ - 1);
  about.ifr_data = reinterpret_cast<char*>(&request);
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const int error = ioctl(fd, SIOCETHTOOL, &about) == 0 ? 0 : errno;
  close(fd);
  return error;
}

}  // namespace

unsigned queue_count(const std::string& netdev) {
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  return ask(netdev, channels) == 0 ? std::max(channels.combined_count, 1u) : 1;
}

bool takes_tags_off(const std::string& netdev) {
  ethtool_value flags{};
  flags.cmd = ETHTOOL_GFLAGS;
  return ask(netdev, flags) == 0 && (flags.data & ETH_FLAG_RXVLAN) != 0;
}

tl::expected<void, std::string> take_tags_off(const std::string& netdev, bool on) {
  ethtool_value flags{};
  flags.cmd = ETHTOOL_GFLAGS;
  int error = ask(netdev, flags);
  flags.cmd = ETHTOOL_SFLAGS;
  flags.data = on ? flags.data | ETH_FLAG_RXVLAN : flags.data & ~std::uint32_t{ETH_FLAG_RXVLAN};
  if (error == 0) error = ask(netdev, flags);
  if (error == 0) return {};
  return tl::unexpected("ethtool -K " + netdev + " rxvlan " + (on ? "on" : "off") + ": " +
                        std::strerror(error));
}

}  // namespace keepline::control
