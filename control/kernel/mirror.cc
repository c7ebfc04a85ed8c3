#include "control/kernel/mirror.h"

#include <linux/if_arp.h>
#include <netlink/cache.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>

#include <cstring>
#include <fstream>
#include <stdexcept>

namespace keepline::control {

namespace {

constexpr int kSocketBuffer = 4 << 20;  // room for a burst of route changes
constexpr int kUsableNeighbour =
    NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE;

void check(int code, const char* what) {
  if (code < 0) throw std::runtime_error(std::string(what) + ": " + nl_geterror(code));
}

net::Ip4 ip4_of(nl_addr* address) {
  net::be32 wire;
  if (address == nullptr || nl_addr_get_len(address) != sizeof wire) return {};
  std::memcpy(&wire, nl_addr_get_binary_addr(address), sizeof wire);
  return net::Ip4(wire);
}

net::Mac mac_of(nl_addr* address) {
  net::Mac mac;
  if (address == nullptr || nl_addr_get_len(address) != mac.bytes.size()) return mac;
  std::memcpy(mac.bytes.data(), nl_addr_get_binary_addr(address), mac.bytes.size());
  return mac;
}

net::Prefix4 prefix_of(nl_addr* address) {
  return {ip4_of(address), static_cast<std::uint8_t>(nl_addr_get_prefixlen(address))};
}

bool is_ip4(nl_addr* address) {
  return address != nullptr && nl_addr_get_family(address) == AF_INET;
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
  return link;
}

// One route per next hop. Only the main table's unicast routes: local and broadcast ones are the
// kernel's own business.
void add_routes(rtnl_route* object, std::vector<KernelRoute>& routes) {
  if (rtnl_route_get_table(object) != RT_TABLE_MAIN || rtnl_route_get_type(object) != RTN_UNICAST ||
      rtnl_route_get_family(object) != AF_INET) {
    return;
  }
  nl_addr* destination = rtnl_route_get_dst(object);
  if (destination == nullptr) return;
  KernelRoute route;
  route.destination = prefix_of(destination);
  // The default route has an address of length zero.
  if (nl_addr_get_len(destination) == 0) route.destination = {net::Ip4(), 0};
  route.metric = rtnl_route_get_priority(object);
  const int count = rtnl_route_get_nnexthops(object);
  for (int i = 0; i < count; ++i) {
    rtnl_nexthop* hop = rtnl_route_nexthop_n(object, i);
    if ((rtnl_route_nh_get_flags(hop) & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) != 0) continue;
    route.ifindex = static_cast<unsigned>(rtnl_route_nh_get_ifindex(hop));
    route.gateway = ip4_of(rtnl_route_nh_get_gateway(hop));
    routes.push_back(route);
  }
}

}  // namespace

struct Mirror::State {
  nl_cache_mngr* manager = nullptr;
  nl_cache* links = nullptr;
  nl_cache* addresses = nullptr;
  nl_cache* routes = nullptr;
  nl_cache* neighbours = nullptr;
  nl_sock* dump = nullptr;  // for asking anew
  bool changed = false;
  bool links_changed = false;

  ~State() {
    if (dump != nullptr) nl_socket_free(dump);
    if (manager != nullptr) nl_cache_mngr_free(manager);
  }
  static void on_change(nl_cache*, nl_object*, int, void* self) {
    static_cast<State*>(self)->changed = true;
  }
  static void on_link_change(nl_cache*, nl_object*, int, void* self) {
    static_cast<State*>(self)->changed = true;
    static_cast<State*>(self)->links_changed = true;
  }
};

Mirror::Mirror() : state_(std::make_unique<State>()) {
  State& s = *state_;
  check(nl_cache_mngr_alloc(nullptr, NETLINK_ROUTE, NL_AUTO_PROVIDE, &s.manager), "netlink socket");
  check(nl_cache_mngr_add(s.manager, "route/link", &State::on_link_change, &s, &s.links), "links");
  check(nl_cache_mngr_add(s.manager, "route/addr", &State::on_change, &s, &s.addresses),
        "addresses");
  check(nl_cache_mngr_add(s.manager, "route/route", &State::on_change, &s, &s.routes), "routes");
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
  s.links_changed = false;
  const bool lost = nl_cache_mngr_data_ready(s.manager) < 0;
  // The kernel drops the IPv4 routes of a link that goes down without saying so.
  if (lost || s.links_changed) nl_cache_refill(s.dump, s.routes);
  // After an overrun of the socket anything may have been missed.
  if (lost) {
    for (nl_cache* cache : {s.links, s.addresses, s.neighbours}) nl_cache_refill(s.dump, cache);
  }
  return s.changed || lost ? News::kChanged : News::kNone;
}

KernelView Mirror::view() const {
  KernelView view;
  for_each<rtnl_link>(state_->links, [&](rtnl_link* link) { view.links.push_back(link_of(link)); });
  for_each<rtnl_addr>(state_->addresses, [&](rtnl_addr* object) {
    nl_addr* local = rtnl_addr_get_local(object);
    if (!is_ip4(local)) return;
    Address address;
    address.ifindex = static_cast<unsigned>(rtnl_addr_get_ifindex(object));
    address.prefix = prefix_of(local);
    address.is_secondary = (rtnl_addr_get_flags(object) & IFA_F_SECONDARY) != 0;
    view.addresses.push_back(address);
  });
  for_each<rtnl_route>(state_->routes, [&](rtnl_route* route) { add_routes(route, view.routes); });
  for_each<rtnl_neigh>(state_->neighbours, [&](rtnl_neigh* object) {
    nl_addr* destination = rtnl_neigh_get_dst(object);
    if (!is_ip4(destination) || (rtnl_neigh_get_state(object) & kUsableNeighbour) == 0) return;
    const net::Mac mac = mac_of(rtnl_neigh_get_lladdr(object));
    if (mac.is_zero()) return;
    const bool permanent = (rtnl_neigh_get_state(object) & NUD_PERMANENT) != 0;
    view.neighbours.push_back({static_cast<unsigned>(rtnl_neigh_get_ifindex(object)),
                               ip4_of(destination), mac, permanent});
  });
  std::ifstream forward("/proc/sys/net/ipv4/ip_forward");
  int enabled = 0;
  view.ip_forward = forward >> enabled && enabled != 0;
  return view;
}

}  // namespace keepline::control
