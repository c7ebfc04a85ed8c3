#include "tests/golden/stage.h"

#include <algorithm>

namespace keepline::testing {

namespace {

std::vector<std::pair<std::string, std::uint64_t>> read(const lb::PipelineCounters& c) {
  std::vector<std::pair<std::string, std::uint64_t>> all = {{"packets", c.packets.get()},
                                                            {"arp_replies", c.arp_replies.get()},
                                                            {"echo_replies", c.echo_replies.get()},
                                                            {"adverts", c.adverts.get()},
                                                            {"created", c.created.get()},
                                                            {"expired", c.expired.get()},
                                                            {"reclaimed", c.reclaimed.get()},
                                                            {"stateless", c.stateless.get()},
                                                            {"icmp_errors", c.icmp_errors.get()},
                                                            {"refusals", c.refusals.get()},
                                                            {"syn_cookies", c.syn_cookies.get()},
                                                            {"proxied", c.proxied.get()},
                                                            {"to_kernel", c.to_kernel.get()},
                                                            {"bfd", c.bfd.get()},
                                                            {"claims", c.claims.get()}};
  for (std::size_t i = 0; i < net::kDropReasons; ++i) {
    all.emplace_back(net::to_string(static_cast<net::Drop>(i)), c.drops[i].get());
  }
  return all;
}

template <typename F>
std::string line_of(const lb::Connection<F>& c, std::uint32_t now_s) {
  const bool tcp = c.flow_protocol() == net::Protocol::kTcp;
  const auto end = [](const typename F::Address& address, net::be16 port) {
    return to_string(net::Endpoint{F::generic(address), port.value()});
  };
  const bool sctp = c.flow_protocol() == net::Protocol::kSctp;
  return std::string(tcp    ? "TCP "
                     : sctp ? "SCTP "
                            : "UDP ") +
         end(c.client, c.client_port) + ' ' + end(c.vip, c.vip_port) + ' ' +
         (c.has_own_local() ? "by " + end(c.local, c.local_port) + ' ' : "") +
         end(c.real, c.real_port) + ' ' + std::string(to_string(c.state)) + ' ' +
         (c.method == lb::Method::kDirectRouting ? "dr " : "") + (c.replied ? "replied " : "") +
         std::to_string(c.expires_s - now_s) + "s";
}

}  // namespace

Stage::Stage(std::size_t capacity, unsigned half_open_percent) {
  lb::PipelineConfig config;
  config.connections = capacity;
  config.half_open_percent = half_open_percent;
  config.hash_key = 0x0123456789abcdef;
  config.full_nat = true;
  pipeline_ = std::make_unique<lb::Pipeline>(config, now_s);
  counted_.resize(read(pipeline_->counters()).size());
  make_master();
  publish();
}

constexpr lb::ServiceSlot kMostServices = 64;

std::unique_ptr<const lb::Snapshot> snapshot_of(const World& world) {
  lb::SnapshotBuilder builder;
  return snapshot_of(world, builder);
}

std::unique_ptr<const lb::Snapshot> snapshot_of(const World& world, lb::SnapshotBuilder& builder) {
  // Those of the world before; what is not there is passed over.
  for (lb::ServiceSlot slot = 0; slot < kMostServices; ++slot) builder.remove_service(slot);
  builder.set_ports(world.ports);
  builder.set_vips(world.vips);
  builder.set_own(world.own);
  builder.set_bfd_neighbours(world.bfd_neighbours);
  for (const lb::Service& each : world.services) {
    auto sealed = std::make_shared<lb::Service>(each);
    sealed->seal();
    sealed->build_ring();
    builder.set_service(std::move(sealed));
  }
  builder.set_next_hops(std::make_shared<const neigh::NextHops>(world.routes, world.neighbours));
  builder.set_ip_forward(world.ip_forward, world.ip_forward);
  builder.set_shard_workers(world.shard_workers);
  return builder.build();
}

void Stage::publish() {
  snapshot_ = snapshot_of(world, builder_);
}

std::vector<FrameBytes> Stage::put(net::PortId port, FrameBytes frame) {
  arrive(port, std::move(frame));
  turn();
  std::vector<FrameBytes> sent;
  for (auto& each : ports_) {
    for (auto& bytes : each.take_sent()) sent.push_back(std::move(bytes));
  }
  return sent;
}

std::vector<FrameBytes> Stage::refused(net::PortId port, FrameBytes frame) {
  const FrameBytes came_from(frame.begin() + 6, frame.begin() + 12);
  std::vector<FrameBytes> sent = put(port, std::move(frame));
  std::erase_if(sent, [&](const FrameBytes& each) {
    return std::equal(came_from.begin(), came_from.end(), each.begin());
  });
  return sent;
}

void Stage::turn() {
  const lb::LeaseView leases(leases_, now_s, 0, 0);
  // All are begun before the first is finished, as a worker overlaps them.
  for (net::PortId id = 0; id < world.ports.size(); ++id) {
    lb::Burst& burst = bursts_[id];
    ports_[id].limit_transmit(port::MemoryPort::kCapacity);
    burst.port = id;
    burst.count = ports_[id].receive(burst.packets);
    pipeline_->begin(*snapshot_, leases, burst, now_s);
  }
  for (net::PortId id = 0; id < world.ports.size(); ++id) {
    pipeline_->finish(*snapshot_, leases, bursts_[id], now_s);
    carry_out(bursts_[id]);
  }
}

void Stage::carry_out(const lb::Burst& burst) {
  for (std::size_t i = 0; i < burst.count; ++i) {
    const lb::Verdict verdict = burst.verdicts[i];
    if (verdict.action == lb::Action::kTransmitResized) {
      ports_[verdict.port].resize({&burst.packets[i], 1});
    }
    if (verdict.action == lb::Action::kTransmit || verdict.action == lb::Action::kTransmitResized) {
      ports_[verdict.port].transmit({&burst.packets[i].buffer, 1});
      continue;
    }
    if (verdict.action == lb::Action::kToControl) ++to_control_;
    if (verdict.action == lb::Action::kHandOff) {
      handed_off_ += (handed_off_.empty() ? "" : " ") + std::to_string(verdict.worker);
    }
    ports_[burst.port].release({&burst.packets[i].buffer, 1});
  }
  for (std::size_t i = 0; i < burst.made_count; ++i) {
    if (burst.made[i].length == 0) continue;
    const auto packet = ports_[burst.made[i].port].make(burst.made[i].view());
    ports_[burst.made[i].port].transmit({&packet->buffer, 1});
  }
  for (std::size_t i = 0; i < burst.neighbour_count; ++i) {
    const lb::NeighbourSeen& seen = burst.neighbours[i];
    neighbours_ += (neighbours_.empty() ? "" : " ") + to_string(seen.address) + '@' +
                   to_string(seen.mac) + '%' + std::to_string(seen.port);
  }
}

std::string Stage::counters() {
  std::string text;
  const auto all = read(pipeline_->counters());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::uint64_t more = all[i].second - counted_[i];
    counted_[i] = all[i].second;
    if (more != 0) text += (text.empty() ? "" : " ") + all[i].first + '=' + std::to_string(more);
  }
  const std::uint64_t entries = pipeline_->counters().connections.get();
  if (entries != 0) text += " connections=" + std::to_string(entries);
  return text;
}

std::string Stage::real(lb::RealSlot slot) const {
  const lb::RealCounters& c = pipeline_->real_counters(slot);
  const auto number = [](const lb::Counter& counter) { return std::to_string(counter.get()); };
  return "active=" + number(c.active) + " inactive=" + number(c.inactive) +
         " connections=" + number(c.connections) + " in=" + number(c.packets_in) + '/' +
         number(c.bytes_in) + " out=" + number(c.packets_out) + '/' + number(c.bytes_out);
}

std::string Stage::connections() const {
  std::vector<std::string> lines;
  const auto list = [&](const auto& table) {
    for (std::size_t i = 0; i < table.high_water(); ++i) {
      if (const auto* connection = table.at(i)) {
        lines.push_back(line_of(*connection, now_s) + '\n');
      }
    }
  };
  list(pipeline_->connections4());
  list(pipeline_->connections6());
  std::sort(lines.begin(), lines.end());
  std::string all;
  for (const std::string& line : lines) all += line;
  return all;
}

std::string text(const std::vector<FrameBytes>& frames) {
  std::string all;
  for (const FrameBytes& frame : frames) all += text(frame);
  return all;
}

}  // namespace keepline::testing
