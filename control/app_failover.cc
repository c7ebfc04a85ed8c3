// The App when it is asked to hand over. See app.h.
#include "control/app.h"
#include "control/log.h"

namespace keepline::control {

tl::expected<std::vector<std::size_t>, std::string> App::meant_by(const api::FailoverQuery& query) {
  if (vrrp_ == nullptr) return tl::unexpected(std::string("this daemon does not speak VRRP (-C)"));
  if (stopping_ || reload_ || failover_reply_) {
    return tl::unexpected(std::string("the daemon is about to change already: try again"));
  }
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < setup_.running.topology->instances.size(); ++i) {
    const std::string& name = setup_.running.config->vrrp_instances[i].name;
    if (!query.instance.empty() && name != query.instance) continue;
    result.push_back(setup_.running.topology->instances[i].lease);
  }
  if (!result.empty()) return result;
  const std::string none = "there are no VRRP instances";
  return tl::unexpected(query.instance.empty() ? none : "no vrrp_instance " + query.instance);
}

void App::failover(const api::FailoverQuery& query, api::Backend::FailoverCallback reply) {
  const auto meant = meant_by(query);
  if (!meant) return reply({meant.error(), {}});
  std::set<std::size_t> masters;
  for (const std::size_t number : *meant) {
    if (is_master(static_cast<lb::LeaseSlot>(number))) masters.insert(number);
  }
  failover_reply_ = std::move(reply);
  const auto tell = [this, meant = *meant, masters, is_back = query.is_back] {
    answer_failover(handed_over(meant, masters, is_back));
  };
  if (!query.is_back) return vrrp_->hand_over(*meant, tell);
  vrrp_->take_back(*meant);
  tell();
}

api::FailoverReport App::handed_over(const std::vector<std::size_t>& meant,
                                     const std::set<std::size_t>& masters, bool is_back) const {
  api::FailoverReport report;
  for (const std::size_t number : meant) {
    const vrrp::Instance& machine = vrrp_->speaker().instance(number);
    std::string outcome = "handed over";
    if (machine.state() == vrrp::State::kMaster) {
      outcome = "no successor";
    } else if (machine.state() != vrrp::State::kBackup || !machine.stands_by()) {
      // A fault, or adverts that do not leave: it has gone, but not to anybody who has been heard.
      outcome = "lost meanwhile";
    }
    if (!masters.contains(number)) outcome = "not master";
    if (is_back) outcome = "takes back";
    log::info("({}) failover: {}", machine.config().name, outcome);
    report.instances.push_back({machine.config().name, std::move(outcome)});
  }
  return report;
}

void App::answer_failover(api::FailoverReport report) {
  if (const auto reply = std::exchange(failover_reply_, nullptr)) reply(std::move(report));
  if (is_reload_asked_ && !reload_ && !stopping_) begin_reload();
}

}  // namespace keepline::control
