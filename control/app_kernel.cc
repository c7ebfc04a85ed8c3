// The App when the kernel has news: links, addresses, routes, neighbours. See app.h.
#include "control/app.h"
#include "control/dataplane_config.h"
#include "control/log.h"

namespace keepline::control {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kNewsSettle{5};

}  // namespace

void App::watch_kernel() {
  if (!kernel_news_.is_open()) kernel_news_.assign(setup_.mirror->fd());
  kernel_news_.async_wait(asio::posix::stream_descriptor::wait_read,
                          [this](const boost::system::error_code& error) {
                            if (error) return;
                            handle_kernel_news();
                            watch_kernel();
                          });
}

// A burst of changes (routes of a daemon that starts, neighbours of a flood) is looked at once.
void App::handle_kernel_news() {
  if (setup_.mirror->handle_news() == Mirror::News::kNone || news_pending_) return;
  news_pending_ = true;
  news_timer_.expires_after(kNewsSettle);
  news_timer_.async_wait([this](const boost::system::error_code& error) {
    news_pending_ = false;
    if (!error) take_kernel_view();
  });
}

void App::take_kernel_view() {
  auto view = std::make_shared<const KernelView>(setup_.mirror->view());
  if (*view == *view_) {
    // Something went and came back meanwhile, or the other way round: a VIP, perhaps.
    if (watch_ != nullptr) watch_->update(view_);
    return;
  }
  view_ = std::move(view);
  note_lost_ports();
  follow_macs();
  neighbours_->update(*view_, publisher_->services());
  peer_hops_.update(setup_.running, *view_);
  publisher_->request();
  if (arrival_) arrival_->look(*view_);
  use_bonds(*dataplane_, *setup_.running.topology, *view_);
  if (watch_ != nullptr) watch_->update(view_);
}

void App::note_lost_ports() {
  for (const LostPorts::News& news : lost_ports_.look(*setup_.running.topology, *view_)) {
    if (news.is_there_again) {
      log::error(
          "another interface {} is there, which is not attached: restart keeplined to use it",
          news.netdev);
    } else {
      log::error("interface {} was removed: when it is there again, restart keeplined",
                 news.netdev);
    }
  }
}

// An interface's MAC is what VIPs without a virtual one are answered with.
void App::follow_macs() {
  auto topology = std::make_shared<const Topology>(with_macs_of(*view_, *setup_.running.topology));
  if (topology->ports == setup_.running.topology->ports) return;
  log::info("the MAC of an interface has changed");
  setup_.running.topology = std::move(topology);
  publisher_->request([this] {
    vips_->announce_own(role(), *dataplane_, nullptr);
    if (vrrp_ != nullptr) vrrp_->follow();
  });
}

}  // namespace keepline::control
