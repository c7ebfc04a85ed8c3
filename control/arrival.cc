#include "control/arrival.h"

#include "control/log.h"

namespace keepline::control {

namespace {

// Those that have not been master since: who was may have been asked to hand over.
std::vector<std::size_t> newcomers(const vrrp::Speaker& speaker) {
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < speaker.size(); ++i) {
    const bool is_new = speaker.has(i) && speaker.instance(i).statistics().become_master == 0;
    if (is_new) result.push_back(i);
  }
  return result;
}

}  // namespace

Arrival::Arrival(boost::asio::any_io_executor executor, VrrpDriver& vrrp,
                 const NeighbourKeeper& neighbours, Publisher& publisher, const KernelView& view)
    : vrrp_(vrrp),
      neighbours_(neighbours),
      publisher_(publisher),
      timer_(executor),
      missing_(neighbours.missing(view)),
      is_over_(missing_.empty()) {
  if (is_over_) return;
  vrrp_.stand_by(newcomers(vrrp_.speaker()));
  timer_.expires_after(kPatience);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) give_up();
  });
}

void Arrival::look(const KernelView& view) {
  if (is_over_) return;
  missing_ = neighbours_.missing(view);
  if (!missing_.empty()) return;
  is_over_ = true;
  timer_.cancel();
  publisher_.request([this] { end(); });
}

void Arrival::end() {
  vrrp_.take_back(newcomers(vrrp_.speaker()));
}

void Arrival::give_up() {
  if (std::exchange(is_over_, true)) return;
  std::string who;
  for (const net::IpAddr& address : missing_) who += (who.empty() ? "" : ", ") + to_string(address);
  log::info("nobody answers for {}: may preempt all the same", who);
  end();
}

}  // namespace keepline::control
