// What becomes of a packet: the worker's answer with the names that control knows. See reports.h.
#include <algorithm>

#include "control/report_text.h"
#include "control/reports.h"
#include "vrrp/text.h"

namespace keepline::control {

namespace {

std::string outcome_name(lb::Explanation::Outcome outcome) {
  using Outcome = lb::Explanation::Outcome;
  switch (outcome) {
    case Outcome::kConnection:
      return "connection";
    case Outcome::kNewConnection:
      return "new_connection";
    case Outcome::kStateless:
      return "stateless";
    case Outcome::kReturnTraffic:
      return "return_traffic";
    case Outcome::kRouted:
      return "routed";
    case Outcome::kDropped:
      return "dropped";
    case Outcome::kKernel:
      return "kernel";
  }
  return "";
}

std::string reach_name(neigh::Reach reach) {
  switch (reach) {
    case neigh::Reach::kFound:
      return "found";
    case neigh::Reach::kNoRoute:
      return "no_route";
    case neigh::Reach::kNoNeighbour:
      return "no_neighbour";
  }
  return "";
}

bool has_connection(lb::Explanation::Outcome outcome) {
  return outcome == lb::Explanation::Outcome::kConnection ||
         outcome == lb::Explanation::Outcome::kReturnTraffic;
}

api::NextHopReport hop_report(const lb::Explanation::Hop& hop, const Topology& topology) {
  api::NextHopReport report;
  report.reach = reach_name(hop.reach);
  if (hop.reach == neigh::Reach::kNoRoute) return report;
  if (hop.port < topology.ports.size()) report.port = topology.ports[hop.port].netdev;
  report.address = net::to_string(hop.address);
  if (hop.reach == neigh::Reach::kFound) report.mac = net::to_string(hop.mac);
  return report;
}

}  // namespace

void Reports::name_instance(api::ExplainReport& report, const net::IpAddr& vip) const {
  const PlacedVip* placed = from_.running->topology->find_vip(vip);
  if (placed == nullptr || from_.vrrp == nullptr) return;
  if (!from_.vrrp->speaker().has(placed->lease)) return;
  const vrrp::Instance& machine = from_.vrrp->speaker().instance(placed->lease);
  report.instance = machine.config().name;
  report.instance_state = std::string(vrrp::to_string(machine.state()));
}

void Reports::name_service(api::ExplainReport& report, const lb::Explanation& explanation) const {
  const std::vector<PlannedService>& planned = from_.publisher->services();
  const auto found = std::ranges::find_if(planned, [&](const PlannedService& each) {
    return each.service->slot == explanation.service_slot;
  });
  if (found == planned.end()) return;
  const auto& service = found->service;
  report.service = net::to_string(service->vip);
  report.scheduler = std::string(lb::to_string(service->scheduler));
  for (const lb::RealServer& real : service->pool) {
    const bool same_port = real.endpoint.port == 0 || real.endpoint.port == explanation.server.port;
    if (real.endpoint.address == explanation.server.address && same_port) {
      report.weight = real.weight;
    }
  }
}

api::ExplainReport Reports::explain_report(const api::ExplainQuery& query,
                                           const lb::Explanation& explanation) const {
  using Outcome = lb::Explanation::Outcome;
  api::ExplainReport report;
  report.protocol = protocol_name(query.protocol);
  report.source = net::to_string(query.source);
  report.destination = net::to_string(query.destination);
  report.outcome = outcome_name(explanation.outcome);
  if (explanation.outcome == Outcome::kDropped) {
    report.drop = std::string(net::to_string(explanation.drop));
  }
  if (explanation.has_server) {
    report.server = net::to_string(explanation.server);
    report.forward = forward_name(explanation.method);
  }
  net::IpAddr vip = query.destination.address;
  if (explanation.has_service) {
    name_service(report, explanation);
    if (const auto service = net::parse_endpoint(report.service)) vip = service->address;
  }
  report.is_vip = explanation.is_vip;
  report.lease_held = explanation.lease_held;
  if (explanation.is_vip) name_instance(report, vip);
  if (has_connection(explanation.outcome)) {
    report.state = std::string(lb::to_string(explanation.state));
    report.remaining_s = explanation.remaining_s;
  }
  report.worker = explanation.worker;
  report.shard = explanation.shard;
  report.next_hop = hop_report(explanation.next_hop, *from_.running->topology);
  return report;
}

void Reports::explain(const api::ExplainQuery& query, ExplainCallback reply) {
  // As with listings: questions that stay are answered late or show that a worker has stalled.
  const std::uint32_t number = next_question_++;
  const worker::ExplainRequest request{number, query.source, query.destination, query.protocol};
  if (questions_.size() >= kMaxQuestions ||
      from_.dataplane->explain(request) == worker::Dataplane::Send::kFull) {
    reply(std::nullopt);
    return;
  }
  questions_[number] = {query, std::move(reply)};
}

void Reports::handle_explanation(const worker::ExplainRecord& record) {
  const auto found = questions_.find(record.number);
  if (found == questions_.end()) return;
  const Question question = std::move(found->second);
  questions_.erase(found);
  question.reply(explain_report(question.query, record.explanation));
}

}  // namespace keepline::control
