#include "control/plan/kernel_view.h"

#include <algorithm>

namespace keepline::control {

namespace {

template <typename Container, typename Predicate>
auto find_in(const Container& container, Predicate predicate) {
  const auto found = std::find_if(container.begin(), container.end(), predicate);
  return found == container.end() ? nullptr : &*found;
}

}  // namespace

const Link* KernelView::find_link(const std::string& name) const {
  return find_in(links, [&](const Link& link) { return link.name == name; });
}

const Link* KernelView::find_link(unsigned ifindex) const {
  return find_in(links, [&](const Link& link) { return link.ifindex == ifindex; });
}

const KernelRoute* KernelView::find_route(const net::IpAddr& destination) const {
  const KernelRoute* best = nullptr;
  for (const KernelRoute& route : routes) {
    if (!route.destination.contains(destination)) continue;
    const bool better =
        best == nullptr || route.destination.length > best->destination.length ||
        (route.destination.length == best->destination.length && route.metric < best->metric);
    if (better) best = &route;
  }
  return best;
}

bool KernelView::has_address(const net::IpAddr& address) const {
  return find_in(addresses, [&](const Address& own) { return own.prefix.address == address; }) !=
         nullptr;
}

}  // namespace keepline::control
