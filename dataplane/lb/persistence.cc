// FlowPath's persistence: a client's new connections go to the server that it had before.
//
// A template is an entry of the connection table under the client's masked address and port 0. It
// lives for the service's time from the last new connection on, and as long as it has connections;
// it counts them in hop_epoch. One whose server is not in the pool any more, or fails, is not
// followed: the next connection is scheduled and writes it anew. A server of weight 0 keeps its
// clients.
#include <algorithm>

#include "dataplane/lb/flow_path.h"

namespace keepline::lb {

namespace {

template <typename F>
FlowKey<F> key_of(const typename F::Address& client, const typename F::Address& vip,
                  net::be16 vip_port, net::Protocol protocol) {
  return {client, vip, net::be16(0), vip_port, Connection<F>::template_protocol(protocol)};
}

}  // namespace

template <typename F>
auto FlowPath<F>::template_of(const Service& service, const typename F::Address& client) const
    -> const Entry* {
  const auto key =
      key_of<F>(net::masked(client, service.persistence_bits), F::address_of(service.vip.address),
                net::be16(service.vip.port), service.protocol);
  return table_.find(table_.hash_of(key.source, key.source_port, key.protocol), key,
                     Direction::kForward);
}

template <typename F>
const RealServer* FlowPath<F>::remembered(const Service& service,
                                          const typename F::Address& client) const {
  const Entry* its_template = template_of(service, client);
  if (its_template == nullptr) return nullptr;
  const auto real = std::ranges::find_if(service.pool, [&](const RealServer& each) {
    return each.slot == its_template->real_slot &&
           each.generation == its_template->real_generation && !each.failed;
  });
  return real == service.pool.end() ? nullptr : &*real;
}

// nullptr: there is no room for a template.
template <typename F>
auto FlowPath<F>::remember(const Service& service, const typename F::Address& client,
                           const RealServer& real, std::uint32_t now_s) -> Entry* {
  const std::uint32_t expires_s = now_s + service.persistence_s;
  auto* its_template = const_cast<Entry*>(template_of(service, client));
  const bool is_new = its_template == nullptr;
  if (is_new) {
    its_template = table_.take(Entry::template_protocol(service.protocol));
    if (its_template == nullptr) return nullptr;
    its_template->client = net::masked(client, service.persistence_bits);
    its_template->vip = F::address_of(service.vip.address);
    its_template->vip_port = net::be16(service.vip.port);
    its_template->state = FlowState::kAssured;
  }
  its_template->real = F::address_of(real.endpoint.address);
  its_template->real_port = net::be16(real.endpoint.port);
  its_template->method = real.method;
  its_template->real_slot = real.slot;
  its_template->real_generation = real.generation;
  if (!is_new) {
    table_.settle(*its_template, expires_s);
    return its_template;
  }
  const std::uint64_t hash =
      table_.hash_of(its_template->client, its_template->client_port, its_template->protocol);
  return table_.file(*its_template, hash, expires_s) == Table::File::kDone ? its_template : nullptr;
}

// A connection of the template has ended.
template <typename F>
void FlowPath<F>::leave_template(const Entry& connection) {
  // Of the port's own service, or else of the one of all ports.
  for (const net::be16 port : {connection.vip_port, net::be16(0)}) {
    const auto key = key_of<F>(net::masked(connection.client, connection.template_bits),
                               connection.vip, port, connection.protocol);
    Entry* its_template = table_.find(table_.hash_of(key.source, key.source_port, key.protocol),
                                      key, Direction::kForward);
    if (its_template == nullptr) continue;
    if (its_template->hop_epoch != 0) --its_template->hop_epoch;
    return;
  }
}

// The members of this file only; the rest of the class is instantiated where it is defined.
#define KEEPLINE_PERSISTENCE_OF(F)                                                                 \
  template const Connection<F>* FlowPath<F>::template_of(const Service&, const F::Address&) const; \
  template const RealServer* FlowPath<F>::remembered(const Service&, const F::Address&) const;     \
  template Connection<F>* FlowPath<F>::remember(const Service&, const F::Address&,                 \
                                                const RealServer&, std::uint32_t);                 \
  template void FlowPath<F>::leave_template(const Connection<F>&)
KEEPLINE_PERSISTENCE_OF(net::V4);
KEEPLINE_PERSISTENCE_OF(net::V6);
#undef KEEPLINE_PERSISTENCE_OF

}  // namespace keepline::lb
