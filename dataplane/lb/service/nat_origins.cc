#include "dataplane/lb/service/nat_origins.h"

#include <algorithm>

namespace keepline::lb {

std::size_t NatOrigins::page_of(const net::Endpoint& real) {
  const std::uint64_t address =
      real.address.is_v6() ? real.address.v6().raw_high() * 31 + real.address.v6().raw_low()
                           : real.address.v4().value();
  return static_cast<std::size_t>(((address * 65537 + real.port) * 0x9e3779b97f4a7c15) >> 52) %
         kPages;
}

void NatOrigins::add(const net::Endpoint& real, net::Protocol protocol, ServiceSlot service) {
  auto& page = pages_[page_of(real)];
  auto next = page == nullptr ? std::make_shared<Page>() : std::make_shared<Page>(*page);
  next->push_back({real, protocol, service});
  page = std::move(next);
}

void NatOrigins::remove(const net::Endpoint& real, net::Protocol protocol, ServiceSlot service) {
  auto& page = pages_[page_of(real)];
  if (page == nullptr) return;
  auto next = std::make_shared<Page>(*page);
  const auto found = std::find(next->begin(), next->end(), Entry{real, protocol, service});
  if (found != next->end()) next->erase(found);
  page = std::move(next);
}

std::optional<ServiceSlot> NatOrigins::only_service(const net::Endpoint& real,
                                                    net::Protocol protocol) const {
  std::optional<ServiceSlot> found;
  for (const net::Endpoint& end : {real, net::Endpoint{real.address, 0}}) {
    const auto& page = pages_[page_of(end)];
    if (page == nullptr) continue;
    for (const Entry& entry : *page) {
      if (entry.protocol != protocol || entry.real != end) continue;
      if (found) return std::nullopt;
      found = entry.service;
    }
  }
  return found;
}

bool NatOrigins::has(const net::Endpoint& real, net::Protocol protocol) const {
  const auto is_there = [&](const net::Endpoint& end) {
    const auto& page = pages_[page_of(end)];
    return page != nullptr && std::ranges::any_of(*page, [&](const Entry& entry) {
             return entry.protocol == protocol && entry.real == end;
           });
  };
  return is_there(real) || is_there({real.address, 0});
}

}  // namespace keepline::lb
