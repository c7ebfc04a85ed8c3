// Tells the world of VRRP's changes of state: notify scripts, FIFOs, mail.
//
// Control thread. Scripts are started in the order of the changes and run beside each other, as
// keepalived does it; those that could not run are left out from the start, with a message.
#pragma once

#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "checks/exec/children.h"
#include "control/notify/fifo.h"
#include "control/notify/hooks.h"
#include "control/notify/mailer.h"
#include "control/programs.h"
#include "control/running.h"

namespace keepline::control {

class Notifier {
 public:
  /// A FIFO that cannot be made is left out, with a message, too.
  Notifier(const Running& running, checks::Children& children);
  /// Asks the readers of its FIFOs to end.
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  /// After a reload. FIFOs that are the same as before stay open.
  void follow();

  void instance_changed(std::size_t index, vrrp::State to, int priority);
  /// A reload has removed it.
  void instance_removed(std::size_t index, int priority);
  void group_changed(std::size_t index, vrrp::State to);
  /// A master heard of somebody worse.
  void lower_priority_heard(std::size_t index, int priority);
  /// With notify_priority_changes: a line for the FIFOs, as keepalived's; no script is run.
  void priority_changed(std::size_t index, vrrp::State state, int priority);
  /// No script of ours is running.
  bool is_idle() const { return scripts_running_ == 0; }

 private:
  void inspect();
  void open_fifos();
  void open_fifo(const config::NotifyFifo& fifo);
  void start_mailer();
  void start_reader(const config::NotifyFifo& fifo);
  void tell(const config::Notify& notify, bool by_mail, const NotifyEvent& event);
  void run(const config::Command& command);

  const Running& running_;
  checks::Children& children_;
  checks::Children readers_;
  Programs programs_;
  std::map<std::string, std::string> refused_;  ///< Script to reason.
  std::vector<std::pair<config::NotifyFifo, std::unique_ptr<Fifo>>> fifos_;
  std::unique_ptr<Mailer> mailer_;  ///< nullptr: no relay, or nobody to write to.
  std::pair<config::MailOptions, std::string> mails_by_;  ///< Its options and router_id.
  std::future<void> ended_mailer_;  ///< One that a reload has ended may take a second.
  std::size_t scripts_running_ = 0;
};

}  // namespace keepline::control
