#include "control/kernel/mirror.h"

#include <linux/if_arp.h>
#include <netlink/cache.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/vlan.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "dataplane/net/headers.h"

namespace keepline::control {

namespace {

constexpr int kSocketBuffer = 4 << 20;  // room for a burst of route changes
constexpr int kUsableNeighbour =
    NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE;

void check(int code, const char* what) {
  if (code < 0) throw std::runtime_error(std::string(what) + ": " + nl_geterror(code));
}

template <typename Wire>
Wire wire_of(nl_addr* address) {
  Wire wire{};
  // The default route has an address of length zero.
  if (nl_addr_get_len(address) != sizeof wire) return wire;
  std::memcpy(&wire, nl_addr_get_binary_addr(address), sizeof wire);
  return wire;
}

net::IpAddr ip_of(nl_addr* address) {
  if (address == nullptr) return {};
  if (nl_addr_get_family(address) == AF_INET6) return wire_of<net::Ip6>(address);
  return net::Ip4(wire_of<net::be32>(address));
}

net::Mac mac_of(nl_addr* address) {
  net::Mac mac;
  if (address == nullptr || nl_addr_get_len(address) != mac.bytes.size()) return mac;
  std::memcpy(mac.bytes.data(), nl_addr_get_binary_addr(address), mac.bytes.size());
  return mac;
}

net::Prefix prefix_of(nl_addr* address) {
  return {ip_of(address), static_cast<std::uint8_t>(nl_addr_get_prefixlen(address))};
}

bool is_ip(nl_addr* address) {
  if (address == nullptr) return false;
  const int family = nl_addr_get_family(address);
  return family == AF_INET || family == AF_INET6;
}

template <typename Object, typename Function>
void for_each(nl_cache* cache, Function&& function) {
  for (nl_object* object = nl_cache_get_first(cache); object != nullptr;
       object = nl_cache_get_next(object)) {
    function(reinterpret_cast<Object*>(object));
  }
}

Link link_of(rtnl_link* object) {
  Link link;
  link.ifindex = static_cast<unsigned>(rtnl_link_get_ifindex(object));
  link.name = rtnl_link_get_name(object);
  link.mac = mac_of(rtnl_link_get_addr(object));
  link.mtu = rtnl_link_get_mtu(object);
  const unsigned flags = rtnl_link_get_flags(object);
  link.is_up = (flags & IFF_UP) != 0 && (flags & IFF_RUNNING) != 0;
  link.is_ethernet = rtnl_link_get_arptype(object) == ARPHRD_ETHER && (flags & IFF_LOOPBACK) == 0;
  const char* kind = rtnl_link_get_type(object);
  link.kind = kind == nullptr ? "" : kind;
  link.bond = static_cast<unsigned>(rtnl_link_get_master(object));
  if (link.kind == "vlan") {
    link.lower = static_cast<unsigned>(rtnl_link_get_link(object));
    // In network order, as libnl has it.
    const bool is_8021q =
        rtnl_link_vlan_get_protocol(object) == net::be16(net::kEtherTypeVlan).raw();
    if (is_8021q) link.vlan = static_cast<std::uint16_t>(rtnl_link_vlan_get_id(object));
  }
  return link;
}

std::string line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Which NICs are a bond's, and which of these it uses: libnl knows nothing of the latter.
void look_at_bonds(std::vector<Link>& links) {
  for (Link& link : links) {
    if (link.bond == 0) continue;
    const auto master = std::ranges::find(links, link.bond, &Link::ifindex);
    if (master == links.end() || master->kind != "bond") {
      link.bond = 0;
      continue;
    }
    const std::string folder = "/sys/class/net/" + link.name + "/bonding_slave/";
    link.carries = line_of(folder + "state") == "active" && line_of(folder + "mii_status") == "up";
  }
}

// One route per next hop. Only the main table's unicast routes: local, broadcast and multicast ones
// are the kernel's own business.
void add_routes(rtnl_route* object, std::vector<KernelRoute>& routes) {
  if (rtnl_route_get_table(object) != RT_TABLE_MAIN || rtnl_route_get_type(object) != RTN_UNICAST) {
    return;
  }
  nl_addr* destination = rtnl_route_get_dst(object);
  if (!is_ip(destination)) return;
  KernelRoute route;
  route.destination = prefix_of(destination);
  route.metric = rtnl_route_get_priority(object);
  const int count = rtnl_route_get_nnexthops(object);
  for (int i = 0; i < count; ++i) {
    rtnl_nexthop* hop = rtnl_route_nexthop_n(object, i);
    if ((rtnl_route_nh_get_flags(hop) & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) != 0) continue;
    route.ifindex = static_cast<unsigned>(rtnl_route_nh_get_ifindex(hop));
    route.gateway = ip_of(rtnl_route_nh_get_gateway(hop));
    routes.push_back(route);
  }
}

bool is_set(const char* sysctl) {
  std::ifstream file(sysctl);
  int value = 0;
  return file >> value && value != 0;
}

}  // namespace

struct Mirror::State {
  nl_cache_mngr* manager = nullptr;
  nl_cache* links = nullptr;
  nl_cache* addresses = nullptr;
  nl_cache* routes = nullptr;
  nl_cache* neighbours = nullptr;
  nl_sock* news = nullptr;
  nl_sock* dump = nullptr;  // for asking anew
  bool changed = false;
  std::uint64_t changes = 0;
  bool routes_stale = false;

  ~State() {
    if (dump != nullptr) nl_socket_free(dump);
    if (manager != nullptr) nl_cache_mngr_free(manager);
    if (news != nullptr) nl_socket_free(news);
  }
  // Which NIC a bond uses is nothing that libnl would call a change. Nor is it one for libnl that
  // an IPv6 address goes which it did not know of: the kernel tells of one only after its DAD work,
  // without DAD, too, and never when it has been removed before that.
  static int on_message(nl_msg* message, void* self) {
    const int type = nlmsg_hdr(message)->nlmsg_type;
    if (type == RTM_NEWLINK || type == RTM_DELADDR) static_cast<State*>(self)->changed = true;
    return NL_OK;
  }
  static void on_change(nl_cache*, nl_object*, int, void* self) {
    static_cast<State*>(self)->changed = true;
  }
  // The kernel drops the IPv4 routes of a link that goes down without saying so.
  static void on_link_change(nl_cache*, nl_object*, int, void* self) {
    static_cast<State*>(self)->changed = true;
    static_cast<State*>(self)->routes_stale = true;
  }
  // libnl takes every IPv6 route to a network that it knows for one more next hop of it, a replaced
  // one too, and does not find what is deleted: only asking anew tells the truth.
  static void on_route_change(nl_cache*, nl_object* object, int, void* self) {
    static_cast<State*>(self)->changed = true;
    if (rtnl_route_get_family(reinterpret_cast<rtnl_route*>(object)) == AF_INET6) {
      static_cast<State*>(self)->routes_stale = true;
    }
  }
};

Mirror::Mirror() : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.news = nl_socket_alloc();
  if (s.news == nullptr) throw std::runtime_error("netlink socket");
  nl_socket_modify_cb(s.news, NL_CB_MSG_IN, NL_CB_CUSTOM, &State::on_message, &s);
  check(nl_cache_mngr_alloc(s.news, NETLINK_ROUTE, NL_AUTO_PROVIDE, &s.manager), "netlink socket");
  check(nl_cache_mngr_add(s.manager, "route/link", &State::on_link_change, &s, &s.links), "links");
  check(nl_cache_mngr_add(s.manager, "route/addr", &State::on_change, &s, &s.addresses),
        "addresses");
  check(nl_cache_mngr_add(s.manager, "route/route", &State::on_route_change, &s, &s.routes),
        "routes");
  check(nl_cache_mngr_add(s.manager, "route/neigh", &State::on_change, &s, &s.neighbours),
        "neighbours");
  s.dump = nl_socket_alloc();
  if (s.dump == nullptr) throw std::runtime_error("netlink socket");
  check(nl_connect(s.dump, NETLINK_ROUTE), "netlink socket");
  const int size = kSocketBuffer;
  setsockopt(fd(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
}

Mirror::~Mirror() = default;

int Mirror::fd() const {
  return nl_cache_mngr_get_fd(state_->manager);
}

Mirror::News Mirror::handle_news() {
  State& s = *state_;
  s.changed = false;
  const bool lost = nl_cache_mngr_data_ready(s.manager) < 0;
  // After an overrun of the socket anything may have been missed.
  if (lost) {
    s.routes_stale = true;
    for (nl_cache* cache : {s.links, s.addresses, s.neighbours}) nl_cache_refill(s.dump, cache);
  }
  if (!s.changed && !lost) return News::kNone;
  ++s.changes;
  return News::kChanged;
}

std::uint64_t Mirror::changes() const {
  return state_->changes;
}

std::vector<Address> Mirror::addresses() const {
  std::vector<Address> result;
  for_each<rtnl_addr>(state_->addresses, [&](rtnl_addr* object) {
    nl_addr* local = rtnl_addr_get_local(object);
    if (!is_ip(local)) return;
    Address address;
    address.ifindex = static_cast<unsigned>(rtnl_addr_get_ifindex(object));
    address.prefix = prefix_of(local);
    address.is_secondary = (rtnl_addr_get_flags(object) & IFA_F_SECONDARY) != 0;
    result.push_back(address);
  });
  return result;
}

KernelView Mirror::view() {
  State& s = *state_;
  // Here and not with each piece of news: a burst of them costs one dump.
  if (s.routes_stale) s.routes_stale = nl_cache_refill(s.dump, s.routes) < 0;
  KernelView view;
  for_each<rtnl_link>(state_->links, [&](rtnl_link* link) { view.links.push_back(link_of(link)); });
  view.addresses = addresses();
  for_each<rtnl_route>(state_->routes, [&](rtnl_route* route) { add_routes(route, view.routes); });
  for_each<rtnl_neigh>(state_->neighbours, [&](rtnl_neigh* object) {
    nl_addr* destination = rtnl_neigh_get_dst(object);
    if (!is_ip(destination) || (rtnl_neigh_get_state(object) & kUsableNeighbour) == 0) return;
    const net::Mac mac = mac_of(rtnl_neigh_get_lladdr(object));
    if (mac.is_zero()) return;
    const bool permanent = (rtnl_neigh_get_state(object) & NUD_PERMANENT) != 0;
    view.neighbours.push_back({static_cast<unsigned>(rtnl_neigh_get_ifindex(object)),
                               ip_of(destination), mac, permanent});
  });
  look_at_bonds(view.links);
  view.ip_forward = is_set("/proc/sys/net/ipv4/ip_forward");
  view.ip6_forward = is_set("/proc/sys/net/ipv6/conf/all/forwarding");
  return view;
}

}  // namespace keepline::control
