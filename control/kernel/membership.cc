#include "control/kernel/membership.h"

#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace keepline::control {

Memberships::~Memberships() {
  keep_only({}, {});
}

namespace {

int join_group(int fd, unsigned ifindex, const net::IpAddr& group) {
  if (group.is_v6()) {
    ipv6_mreq request{};
    std::memcpy(&request.ipv6mr_multiaddr, group.v6().bytes.data(), sizeof(net::Ip6));
    request.ipv6mr_interface = ifindex;
    return setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &request, sizeof request);
  }
  ip_mreqn request{};
  request.imr_multiaddr.s_addr = group.v4().be().raw();
  request.imr_ifindex = static_cast<int>(ifindex);
  return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request);
}

}  // namespace

Memberships::Result Memberships::join(const Group& wanted) {
  if (groups_.contains(wanted)) return {};
  const auto& [ifindex, group] = wanted;
  const int fd = socket(group.is_v6() ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || join_group(fd, ifindex, group) != 0) {
    const std::string reason = std::strerror(errno);
    if (fd >= 0) close(fd);
    return tl::unexpected("join " + net::to_string(group) + ": " + reason);
  }
  groups_[wanted] = fd;
  return {};
}

Memberships::Result Memberships::add(const MacAddress& wanted) {
  if (macs_.contains(wanted)) return {};
  const auto& [ifindex, mac] = wanted;
  // Protocol 0: the socket receives nothing, it only holds the membership.
  const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  packet_mreq request{};
  request.mr_ifindex = static_cast<int>(ifindex);
  request.mr_type = PACKET_MR_UNICAST;
  request.mr_alen = static_cast<unsigned short>(mac.bytes.size());
  std::memcpy(request.mr_address, mac.bytes.data(), mac.bytes.size());
  if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request) != 0) {
    const std::string reason = std::strerror(errno);
    if (fd >= 0) close(fd);
    return tl::unexpected("virtual MAC " + net::to_string(mac) + ": " + reason);
  }
  macs_[wanted] = fd;
  return {};
}

void Memberships::keep_only(const std::set<Group>& groups, const std::set<MacAddress>& macs) {
  const auto drop = [](const auto& wanted) {
    return [&wanted](const auto& each) {
      if (wanted.contains(each.first)) return false;
      close(each.second);
      return true;
    };
  };
  std::erase_if(groups_, drop(groups));
  std::erase_if(macs_, drop(macs));
}

}  // namespace keepline::control
