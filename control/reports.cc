#include "control/reports.h"

#include <unistd.h>

#include "control/clock.h"
#include "vrrp/text.h"

namespace keepline::control {

namespace {

std::string protocol_name(net::Protocol protocol) {
  return protocol == net::Protocol::kUdp ? "UDP" : "TCP";
}

std::string health_name(Health health) {
  switch (health) {
    case Health::kUnchecked:
      return "unchecked";
    case Health::kUp:
      return "up";
    case Health::kDown:
      return "down";
  }
  return "unchecked";
}

api::Counters vrrp_counters(const vrrp::Statistics& s) {
  return {{"advert_rcvd", s.advert_rcvd},
          {"advert_sent", s.advert_sent},
          {"become_master", s.become_master},
          {"release_master", s.release_master},
          {"packet_len_err", s.packet_len_err},
          {"advert_interval_err", s.advert_interval_err},
          {"ip_ttl_err", s.ip_ttl_err},
          {"invalid_type_rcvd", s.invalid_type_rcvd},
          {"addr_list_err", s.addr_list_err},
          {"invalid_authtype", s.invalid_authtype},
          {"authtype_mismatch", s.authtype_mismatch},
          {"auth_failure", s.auth_failure},
          {"checksum_err", s.checksum_err},
          {"version_err", s.version_err},
          {"vrid_err", s.vrid_err},
          {"pri_zero_rcvd", s.pri_zero_rcvd},
          {"pri_zero_sent", s.pri_zero_sent},
          {"ip_header_err", s.ip_header_err},
          {"destination_err", s.destination_err},
          {"own_advert", s.own_advert},
          {"time_jump", s.time_jump},
          {"pause", s.pause}};
}

std::string mode_name(Mode mode) {
  if (!mode.services) return "vrrp only";
  return mode.vrrp ? "full" : "services only";
}

std::string endpoint(net::be32 address, net::be16 port) {
  return net::to_string(net::Endpoint4{net::Ip4(address), port.value()});
}

}  // namespace

Reports::Reports(Sources sources) : from_(std::move(sources)), started_us_(now_us()) {}

api::StatusReport Reports::status() {
  api::StatusReport report;
  report.version = KEEPLINE_VERSION;
  report.pid = getpid();
  report.instance = from_.options->instance;
  report.uptime_s = static_cast<std::uint64_t>((now_us() - started_us_) / 1'000'000);
  report.config_path = from_.options->config_file;
  report.mode = mode_name(from_.options->mode);
  report.control_lag_us = from_.lag->last_us;
  report.control_lag_max_us = from_.lag->max_us;

  const worker::Worker& worker = from_.dataplane->worker();
  const worker::WorkerCounters& counters = worker.counters();
  api::WorkerReport row;
  row.lcore = 1;
  row.bursts = counters.turns.get();
  row.packets = worker.pipeline().counters().packets.get();
  const auto turns = static_cast<double>(std::max<std::uint64_t>(counters.turns.get(), 1));
  row.idle_percent = 100.0 - 100.0 * static_cast<double>(counters.busy_turns.get()) / turns;
  for (std::size_t i = 1; i < net::kDropReasons; ++i) {
    row.drops[std::string(net::to_string(static_cast<net::Drop>(i)))] =
        worker.pipeline().counters().drops[i].get();
  }
  row.drops["stale_mail"] = counters.stale_mail.get();
  if (from_.vrrp != nullptr) row.drops["unknown_vrid"] = from_.vrrp->unknown_vrid();
  report.workers.push_back(std::move(row));

  for (std::size_t i = 0; i < from_.topology->ports.size(); ++i) {
    const PlacedPort& placed = from_.topology->ports[i];
    const Link* link = (*from_.view)->find_link(placed.ifindex);
    api::PortReport port;
    port.name = placed.netdev;
    port.driver = "af_xdp";
    port.mac = net::to_string(placed.mac);
    port.link_up = link != nullptr && link->is_up;
    port.rx_packets = counters.received[i].get();
    port.tx_packets = counters.transmitted[i].get();
    port.rx_missed = from_.dataplane->missed(static_cast<net::PortId>(i));
    report.ports.push_back(std::move(port));
  }
  return report;
}

void Reports::count(api::RealReport& report, const lb::RealServer& real) const {
  const lb::RealCounters& counters = from_.dataplane->worker().pipeline().real_counters(real.slot);
  if (counters.generation.get() != real.generation) return;
  report.active = counters.active.get();
  report.inactive = counters.inactive.get();
}

api::RealReport Reports::real_report(const config::VirtualServer& server, std::size_t service,
                                     std::size_t real, const PlannedService& planned) const {
  const config::RealServer& configured = server.real_servers[real];
  const lb::RealServer& running = planned.reals[real];
  api::RealReport report;
  report.address = net::to_string(configured.address);
  report.port = configured.port;
  report.forward = running.method == lb::Method::kNat ? "Masq" : "Route";
  report.weight = running.weight;
  report.health = health_name((*from_.health())[service][real]);
  for (const PoolMember& member : planned.pool.members) report.in_pool |= member.real == real;
  count(report, running);
  return report;
}

api::RealReport Reports::sorry_report(const PlannedService& planned) const {
  api::RealReport report;
  report.address = net::to_string(planned.sorry.endpoint.address);
  report.port = planned.sorry.endpoint.port;
  report.forward = planned.sorry.method == lb::Method::kNat ? "Masq" : "Route";
  report.health = "unchecked";
  report.is_sorry = true;
  for (const PoolMember& member : planned.pool.members) {
    if (member.real != PoolMember::kSorry) continue;
    report.in_pool = true;
    report.weight = member.weight;
  }
  count(report, planned.sorry);
  return report;
}

api::ServicesReport Reports::services() {
  api::ServicesReport report;
  report.version = KEEPLINE_VERSION;
  report.connection_table_size = from_.dataplane->worker().pipeline().connections().capacity();
  const std::vector<PlannedService>& planned = from_.publisher->services();
  for (std::size_t i = 0; i < planned.size(); ++i) {
    if (planned[i].service == nullptr) continue;
    const config::VirtualServer& server = from_.config->virtual_servers[i];
    api::ServiceReport row;
    row.protocol = protocol_name(planned[i].service->protocol);
    row.vip = net::to_string(planned[i].service->vip.address);
    row.port = planned[i].service->vip.port;
    row.scheduler = std::string(lb::to_string(planned[i].service->scheduler));
    for (std::size_t real = 0; real < planned[i].reals.size(); ++real) {
      row.reals.push_back(real_report(server, i, real, planned[i]));
      const lb::RealCounters& counters =
          from_.dataplane->worker().pipeline().real_counters(planned[i].reals[real].slot);
      row.packets += counters.packets_in.get();
      row.bytes += counters.bytes_in.get();
    }
    if (server.sorry_server) row.reals.push_back(sorry_report(planned[i]));
    report.services.push_back(std::move(row));
  }
  return report;
}

api::VrrpsReport Reports::vrrp() {
  api::VrrpsReport report;
  if (from_.vrrp == nullptr) return report;
  const auto& members = from_.vrrp->members();
  for (std::size_t i = 0; i < members.size(); ++i) {
    const vrrp::Instance& machine = members[i].machine;
    api::VrrpReport row;
    row.name = machine.config().name;
    row.state = std::string(vrrp::to_string(machine.state()));
    row.interface = *from_.config->vrrp_instances[i].interface;
    row.vrid = machine.config().vrid;
    row.version = static_cast<std::uint16_t>(machine.config().version);
    row.priority = machine.config().priority;
    row.effective_priority = machine.effective_priority();
    if (!machine.master_address().is_zero()) {
      row.master_address = net::to_string(machine.master_address());
    }
    row.advert_interval_us = static_cast<std::uint64_t>(machine.config().advert_interval_us);
    for (const net::Ip4 vip : machine.config().vips) row.vips.push_back(net::to_string(vip));
    row.since_unix_s = members[i].since_unix_s;
    row.statistics = vrrp_counters(machine.statistics());
    report.instances.push_back(std::move(row));
  }
  return report;
}

void Reports::connections(std::uint64_t cursor, PageCallback reply) {
  // Listings whose client went away are answered all the same; too many at once means that the
  // worker does not answer any more.
  const std::uint32_t number = next_listing_++;
  const worker::ListingRequest request{number, cursor};
  if (listings_.size() >= kMaxListings ||
      from_.dataplane->list_connections(request) == worker::Dataplane::Send::kFull) {
    reply({});
    return;
  }
  listings_[number].reply = std::move(reply);
}

void Reports::handle_record(const worker::ConnectionRecord& record) {
  const auto found = listings_.find(record.listing);
  if (found == listings_.end()) return;
  if (record.is_end) {
    Listing listing = std::move(found->second);
    listings_.erase(found);
    listing.page.next_cursor = record.next_position;
    listing.reply(std::move(listing.page));
    return;
  }
  const lb::Connection& connection = record.connection;
  api::ConnectionReport row;
  row.protocol = protocol_name(connection.protocol);
  row.expires_s = record.remaining_s;
  row.state = std::string(lb::to_string(connection.state));
  row.client = endpoint(connection.client, connection.client_port);
  row.virtual_end = endpoint(connection.vip, connection.vip_port);
  row.destination = endpoint(connection.real, connection.real_port);
  found->second.page.connections.push_back(std::move(row));
}

}  // namespace keepline::control
