// Tells the world of VRRP's changes of state: notify scripts, FIFOs, mail.
//
// Control thread. Scripts are started in the order of the changes and run beside each other, as
// keepalived does it; those that could not run are left out from the start, with a message.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "checks/exec/children.h"
#include "control/config/model.h"
#include "control/notify/fifo.h"
#include "control/notify/hooks.h"
#include "control/notify/mailer.h"
#include "control/programs.h"

namespace keepline::control {

class Notifier {
 public:
  /// A FIFO that cannot be made is left out, with a message, too.
  Notifier(const config::Config& config, checks::Children& children);
  /// Asks the readers of its FIFOs to end.
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  void instance_changed(std::size_t index, vrrp::State to, int priority);
  void group_changed(std::size_t index, vrrp::State to);
  /// A master heard of somebody worse.
  void lower_priority_heard(std::size_t index, int priority);
  /// With notify_priority_changes: a line for the FIFOs, as keepalived's; no script is run.
  void priority_changed(std::size_t index, vrrp::State state, int priority);
  /// No script of ours is running.
  bool is_idle() const { return running_ == 0; }

 private:
  void start_readers();
  void start_reader(const config::NotifyFifo& fifo);
  void tell(const config::Notify& notify, bool by_mail, const NotifyEvent& event);
  void run(const config::Command& command);

  const config::Config& config_;
  checks::Children& children_;
  checks::Children readers_;
  Programs programs_;
  std::map<std::string, std::string> refused_;  ///< Script to reason.
  std::vector<std::unique_ptr<Fifo>> fifos_;
  std::unique_ptr<Mailer> mailer_;  ///< nullptr: no relay, or nobody to write to.
  std::size_t running_ = 0;
};

}  // namespace keepline::control
