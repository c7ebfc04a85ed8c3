#include "control/reports.h"

#include <unistd.h>

#include "control/capture.h"
#include "control/clock.h"
#include "control/figures.h"
#include "control/report_text.h"
#include "vrrp/text.h"

namespace keepline::control {

namespace {

// As `keepline status` names it: "af_xdp", "0000:3b:00.0" or a virtual device's driver and number.
std::string driver_of(const PlacedDevice& device) {
  if (!device.is_owned()) return "af_xdp";
  const std::string& vdev = device.owned.vdev;
  return device.owned.pci.empty() ? vdev.substr(0, vdev.find(',')) : device.owned.pci;
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
          {"unicast_src_err", s.unicast_src_err},
          {"auth_ext_missing", s.auth_ext_missing},
          {"auth_ext_malformed", s.auth_ext_malformed},
          {"auth_ext_unknown_key", s.auth_ext_unknown_key},
          {"auth_ext_failure", s.auth_ext_failure},
          {"auth_ext_stale", s.auth_ext_stale},
          {"auth_ext_replay", s.auth_ext_replay},
          {"advert_unsent", s.advert_unsent},
          {"time_jump", s.time_jump},
          {"pause", s.pause}};
}

// A connection of one family has no room for an address of the other.
net::Endpoint far_end(const std::vector<PlannedService>& services,
                      const worker::ConnectionView& connection) {
  for (const PlannedService& planned : services) {
    if (planned.service->vip != connection.vip) continue;
    for (const lb::RealServer& real : planned.reals) {
      if (real.slot == connection.real_slot) return real.endpoint;
    }
    if (planned.sorry.slot == connection.real_slot) return planned.sorry.endpoint;
  }
  return connection.real;
}

std::string mode_name(Mode mode) {
  if (!mode.services) return "vrrp only";
  return mode.vrrp ? "full" : "services only";
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
  report.config_loaded_unix_s = from_.reloads->loaded_unix_s;
  report.reloads = from_.reloads->applied;
  report.reloads_refused = from_.reloads->refused;
  report.last_reload_refused = from_.reloads->last_refused;
  report.control_lag_us = from_.lag->last_us;
  report.control_lag_max_us = from_.lag->max_us;

  const lb::Pipeline& pipeline = from_.dataplane->worker(0).pipeline();
  report.connection_capacity = connection_capacity(*from_.dataplane);
  report.bytes_per_connection4 = pipeline.connections4().bytes_per_connection();
  report.bytes_per_connection6 = pipeline.connections6().bytes_per_connection();
  report.index_load_percent = pipeline.connections4().index_load_percent();
  for (unsigned i = 0; i < from_.dataplane->worker_count(); ++i) {
    report.workers.push_back(worker_report(i));
  }
  if (from_.vrrp != nullptr) {
    report.workers.front().drops["unknown_vrid"] = from_.vrrp->speaker().unknown_vrid();
  }

  for (std::size_t i = 0; i < from_.running->topology->ports.size(); ++i) {
    const PlacedPort& placed = from_.running->topology->ports[i];
    const Link* link = (*from_.view)->find_link(placed.ifindex);
    api::PortReport port;
    port.name = placed.netdev;
    port.driver = driver_of(from_.running->topology->devices[placed.device]);
    port.mac = net::to_string(placed.mac);
    port.link_up = link != nullptr && link->is_up;
    port.needs_restart = link == nullptr;
    const PortFigures figures = port_figures(*from_.dataplane, static_cast<net::PortId>(i));
    port.rx_packets = figures.received;
    port.tx_packets = figures.transmitted;
    port.rx_missed = from_.dataplane->missed(static_cast<net::PortId>(i));
    report.ports.push_back(std::move(port));
  }
  return report;
}

api::VrrpsReport Reports::vrrp() {
  api::VrrpsReport report;
  if (from_.vrrp == nullptr) return report;
  const vrrp::Speaker& speaker = from_.vrrp->speaker();
  for (std::size_t i = 0; i < from_.running->topology->instances.size(); ++i) {
    const std::size_t number = from_.running->topology->instances[i].lease;
    const vrrp::Instance& machine = speaker.instance(number);
    api::VrrpReport row;
    row.name = machine.config().name;
    row.state = std::string(vrrp::to_string(machine.state()));
    row.interface = *from_.running->config->vrrp_instances[i].interface;
    row.vrid = machine.config().vrid;
    row.version = static_cast<std::uint16_t>(machine.config().version);
    row.priority = machine.config().priority;
    row.effective_priority = machine.effective_priority();
    if (!machine.master_address().is_zero()) {
      row.master_address = net::to_string(machine.master_address());
    }
    row.advert_interval_us = static_cast<std::uint64_t>(machine.config().advert_interval_us);
    for (const net::IpAddr& vip : machine.config().vips) row.vips.push_back(net::to_string(vip));
    row.since_unix_s = from_.vrrp->since_unix_s(number);
    row.state_age_s = from_.vrrp->state_age_s(number);
    row.statistics = vrrp_counters(machine.statistics());
    report.instances.push_back(std::move(row));
  }
  return report;
}

// A cursor is a worker and a position in its tables; zero is where a listing begins.
void Reports::connections(const lb::ConnectionFilter& filter, std::uint64_t cursor,
                          PageCallback reply) {
  // Listings whose client went away are answered all the same; too many at once means that the
  // worker does not answer any more.
  const std::uint32_t number = next_listing_++;
  const auto worker = static_cast<unsigned>(cursor >> kCursorWorkerShift);
  const worker::ListingRequest request{number, cursor & ((1ull << kCursorWorkerShift) - 1), filter};
  if (listings_.size() >= kMaxListings || worker >= from_.dataplane->worker_count() ||
      from_.dataplane->list_connections(worker, request) == worker::Dataplane::Send::kFull) {
    reply({});
    return;
  }
  listings_[number].reply = std::move(reply);
  listings_[number].worker = worker;
}

void Reports::handle_record(const worker::ConnectionRecord& record) {
  const auto found = listings_.find(record.listing);
  if (found == listings_.end()) return;
  if (record.is_end) {
    Listing listing = std::move(found->second);
    listings_.erase(found);
    const bool more = record.next_position != 0;
    const unsigned next = more ? listing.worker : listing.worker + 1;
    if (next < from_.dataplane->worker_count()) {
      listing.page.next_cursor = (std::uint64_t{next} << kCursorWorkerShift) | record.next_position;
    }
    listing.reply(std::move(listing.page));
    return;
  }
  const worker::ConnectionView& connection = record.connection;
  api::ConnectionReport row;
  row.protocol = protocol_name(connection.protocol);
  row.expires_s = record.remaining_s;
  row.state = std::string(lb::to_string(connection.state));
  row.client = net::to_string(connection.client);
  row.virtual_end = net::to_string(connection.vip);
  row.destination = net::to_string(connection.method == lb::Method::kTunnel
                                       ? far_end(from_.publisher->services(), connection)
                                       : connection.real);
  if (connection.method == lb::Method::kFullNat) row.local = net::to_string(connection.local);
  found->second.page.connections.push_back(std::move(row));
}

api::StartedCapture Reports::start_capture(const api::CaptureQuery& query) {
  if (!capturing_.expired()) return {nullptr, "another capture is running"};
  std::vector<std::string> ports;
  for (const PlacedPort& port : from_.running->topology->ports) ports.push_back(port.netdev);
  auto live = LiveCapture::start(*from_.dataplane, ports, query);
  if (!live) return {nullptr, live.error()};
  capturing_ = (*live)->life();
  return {std::move(*live), {}};
}

}  // namespace keepline::control
