#include "control/kernel/requests.h"

#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>

#include <array>
#include <cstring>
#include <fstream>
#include <memory>
#include <stdexcept>

namespace keepline::control {

namespace {

using Result = KernelRequests::Result;

constexpr std::uint32_t kForever = 0xffffffff;  // of an address's lifetime

struct FreeAddress {
  void operator()(rtnl_addr* address) const { rtnl_addr_put(address); }
};
struct FreeMessage {
  void operator()(nl_msg* message) const { nlmsg_free(message); }
};

int family_of(const net::IpAddr& address) {
  return address.is_v6() ? AF_INET6 : AF_INET;
}

/// As it goes over the wire.
struct WireAddress {
  std::array<std::uint8_t, sizeof(net::Ip6)> bytes{};
  std::size_t length = 0;

  explicit WireAddress(const net::IpAddr& address) {
    const net::be32 v4 = address.v4().be();
    length = address.is_v6() ? sizeof(net::Ip6) : sizeof v4;
    const void* from = &v4;
    if (address.is_v6()) from = address.v6().bytes.data();
    std::memcpy(bytes.data(), from, length);
  }
};

std::unique_ptr<rtnl_addr, FreeAddress> make_address(unsigned ifindex, const net::Prefix& address) {
  std::unique_ptr<rtnl_addr, FreeAddress> object(rtnl_addr_alloc());
  const WireAddress wire(address.address);
  nl_addr* local = nl_addr_build(family_of(address.address), wire.bytes.data(), wire.length);
  nl_addr_set_prefixlen(local, address.length);
  rtnl_addr_set_ifindex(object.get(), static_cast<int>(ifindex));
  rtnl_addr_set_local(object.get(), local);
  nl_addr_put(local);
  return object;
}

Result result_of(int code, int harmless, const std::string& what) {
  if (code >= 0 || code == -harmless) return {};
  return tl::unexpected(what + ": " + nl_geterror(code));
}

}  // namespace

KernelRequests::KernelRequests() : socket_(nl_socket_alloc()) {
  if (socket_ == nullptr || nl_connect(socket_, NETLINK_ROUTE) < 0) {
    throw std::runtime_error("netlink socket");
  }
}

KernelRequests::~KernelRequests() {
  nl_socket_free(socket_);
}

Result KernelRequests::add_address(unsigned ifindex, const net::Prefix& address,
                                   const std::string& label) {
  const auto object = make_address(ifindex, address);
  if (address.address.is_v6()) {
    rtnl_addr_set_flags(object.get(), IFA_F_NODAD);
    // Deprecated, so that the node's own connections do not take a VIP for their source.
    rtnl_addr_set_valid_lifetime(object.get(), kForever);
    rtnl_addr_set_preferred_lifetime(object.get(), 0);
  } else if (!label.empty() && rtnl_addr_set_label(object.get(), label.c_str()) < 0) {
    return tl::unexpected("label " + label + " is too long: " + net::to_string(address.address));
  }
  return result_of(rtnl_addr_add(socket_, object.get(), 0), NLE_EXIST,
                   "add address " + net::to_string(address.address));
}

Result KernelRequests::remove_address(unsigned ifindex, const net::Prefix& address) {
  const auto object = make_address(ifindex, address);
  return result_of(rtnl_addr_delete(socket_, object.get(), 0), NLE_NOADDR,
                   "remove address " + net::to_string(address.address));
}

// libnl-route 3.7 knows no extended neighbour flags, so the message is put together here.
Result KernelRequests::send_neighbour(int type, int flags, unsigned ifindex,
                                      const net::IpAddr& address, bool managed,
                                      const net::Mac* mac) {
  const std::unique_ptr<nl_msg, FreeMessage> message(nlmsg_alloc_simple(type, flags));
  ndmsg header{};
  header.ndm_family = static_cast<std::uint8_t>(family_of(address));
  header.ndm_ifindex = static_cast<int>(ifindex);
  header.ndm_state = mac != nullptr ? NUD_STALE : NUD_NONE;
  const WireAddress wire(address);
  const std::uint32_t extended = NTF_EXT_MANAGED;
  nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO);
  nla_put(message.get(), NDA_DST, static_cast<int>(wire.length), wire.bytes.data());
  if (mac != nullptr) nla_put(message.get(), NDA_LLADDR, 6, mac->bytes.data());
  if (managed) nla_put(message.get(), NDA_FLAGS_EXT, sizeof extended, &extended);
  int code = nl_send_auto(socket_, message.get());
  if (code >= 0) code = nl_wait_for_ack(socket_);
  return result_of(code, NLE_OBJ_NOTFOUND, "neighbour " + net::to_string(address));
}

Result KernelRequests::manage_neighbour(unsigned ifindex, const net::IpAddr& address) {
  return send_neighbour(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, ifindex, address, true,
                        nullptr);
}

Result KernelRequests::forget_neighbour(unsigned ifindex, const net::IpAddr& address) {
  return send_neighbour(RTM_DELNEIGH, 0, ifindex, address, false, nullptr);
}

Result KernelRequests::learn_neighbour(unsigned ifindex, const net::IpAddr& address,
                                       const net::Mac& mac, bool managed) {
  return send_neighbour(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, ifindex, address, managed,
                        &mac);
}

tl::expected<std::string, std::string> read_sysctl(const std::string& name) {
  std::ifstream file("/proc/sys/" + name);
  std::string value;
  if (!std::getline(file, value)) return tl::unexpected("cannot read sysctl " + name);
  return value;
}

tl::expected<void, std::string> write_sysctl(const std::string& name, const std::string& value) {
  std::ofstream file("/proc/sys/" + name);
  file << value << std::flush;
  if (!file) return tl::unexpected("cannot write sysctl " + name + " (read-only /proc/sys?)");
  return {};
}

}  // namespace keepline::control
