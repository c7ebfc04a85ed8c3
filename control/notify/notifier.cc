#include "control/notify/notifier.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "control/log.h"

namespace keepline::control {

Notifier::Notifier(const Running& running, checks::Children& children)
    : running_(running),
      children_(children),
      readers_(children.executor()),
      programs_(running.config->global) {
  follow();
}

void Notifier::follow() {
  inspect();
  open_fifos();
  start_mailer();
}

void Notifier::inspect() {
  programs_ = Programs(running_.config->global);
  refused_.clear();
  const auto inspect = [this](const config::Notify& notify) {
    for (const config::Command* command :
         {&notify.master, &notify.backup, &notify.fault, &notify.stop, &notify.deleted, &notify.any,
          &notify.master_rx_lower_pri}) {
      if (command->empty()) continue;
      const auto reason = programs_.prepare(*command);
      if (!reason) continue;
      refused_[command->arguments.front()] = *reason;
      log::error("{}:{}: notify script {} is not run: {}", command->position.file,
                 command->position.line, command->arguments.front(), *reason);
    }
  };
  for (const config::VrrpInstance& instance : running_.config->vrrp_instances) {
    inspect(instance.notify);
  }
  for (const config::SyncGroup& group : running_.config->sync_groups) inspect(group.notify);
}

Notifier::~Notifier() {
  readers_.terminate();
}

void Notifier::open_fifos() {
  const config::GlobalDefs& global = running_.config->global;
  std::erase_if(fifos_, [&global](const auto& each) {
    return each.first != global.fifo && each.first != global.vrrp_fifo;
  });
  for (const config::NotifyFifo* fifo : {&global.fifo, &global.vrrp_fifo}) {
    const auto is_it = [fifo](const auto& each) { return each.first == *fifo; };
    if (!fifo->path.empty() && std::ranges::none_of(fifos_, is_it)) open_fifo(*fifo);
  }
}

void Notifier::open_fifo(const config::NotifyFifo& fifo) {
  try {
    fifos_.emplace_back(fifo, std::make_unique<Fifo>(fifo));
  } catch (const std::runtime_error& error) {
    log::error("{}: left out", error.what());
    return;
  }
  if (!fifo.script.empty()) start_reader(fifo);
}

void Notifier::start_mailer() {
  const config::GlobalDefs& global = running_.config->global;
  std::pair mails_by{global.mail, global.router_id};
  if (mailer_ != nullptr && mails_by == mails_by_) return;
  if (mailer_ != nullptr) {
    ended_mailer_ = std::async(std::launch::async, [ended = std::move(mailer_)] {});
  }
  mails_by_ = std::move(mails_by);
  if (!Mailer::is_configured(global)) return;
  mailer_ =
      std::make_unique<Mailer>(global, [](const std::string& error) { log::warn("{}", error); });
}

void Notifier::start_reader(const config::NotifyFifo& fifo) {
  config::Command reader = fifo.script;
  const std::string script = reader.arguments.front();
  if (const auto reason = programs_.prepare(reader)) {
    log::error("{}:{}: notify_fifo_script {} is not run: {}", reader.position.file,
               reader.position.line, script, *reason);
    return;
  }
  reader.arguments.push_back(fifo.path);
  readers_.run(programs_.of(reader), {}, [script](const checks::Ending& ending) {
    log::warn("notify_fifo_script {} has ended: {}", script, checks::to_string(ending));
  });
}

void Notifier::instance_changed(std::size_t index, vrrp::State to, int priority) {
  const config::VrrpInstance& instance = running_.config->vrrp_instances[index];
  tell(instance.notify, instance.smtp_alert,
       {NotifyEvent::Kind::kInstance, instance.name, told_state(to), priority});
}

void Notifier::instance_removed(std::size_t index, int priority) {
  const config::VrrpInstance& instance = running_.config->vrrp_instances[index];
  const auto what =
      instance.notify.tells_deleted ? NotifyEvent::What::kDeleted : NotifyEvent::What::kFault;
  tell(instance.notify, instance.smtp_alert,
       {NotifyEvent::Kind::kInstance, instance.name, what, priority});
}

void Notifier::group_changed(std::size_t index, vrrp::State to) {
  const config::SyncGroup& group = running_.config->sync_groups[index];
  tell(group.notify, group.smtp_alert, {NotifyEvent::Kind::kGroup, group.name, told_state(to), 0});
}

void Notifier::lower_priority_heard(std::size_t index, int priority) {
  const config::VrrpInstance& instance = running_.config->vrrp_instances[index];
  tell(instance.notify, instance.smtp_alert,
       {NotifyEvent::Kind::kInstance, instance.name, NotifyEvent::What::kLowerPriority, priority});
}

void Notifier::priority_changed(std::size_t index, vrrp::State state, int priority) {
  const config::VrrpInstance& instance = running_.config->vrrp_instances[index];
  if (!*instance.notify_priority_changes) return;
  using What = NotifyEvent::What;
  const What what = state == vrrp::State::kMaster ? What::kMasterPriority : What::kBackupPriority;
  tell(instance.notify, false, {NotifyEvent::Kind::kInstance, instance.name, what, priority});
}

void Notifier::tell(const config::Notify& notify, bool by_mail, const NotifyEvent& event) {
  const std::string line = fifo_line(event);
  for (const auto& [config, fifo] : fifos_) fifo->write(line);
  for (const config::Command& command : hooks(notify, event)) run(command);
  const bool is_fault = event.what == NotifyEvent::What::kFault;
  if (mailer_ == nullptr || !by_mail || (is_fault && running_.config->global.no_email_faults))
    return;
  if (const Mail mail = mail_about(event); !mail.subject.empty()) mailer_->send(mail);
}

void Notifier::run(const config::Command& command) {
  const std::string& script = command.arguments.front();
  if (refused_.contains(script)) return;
  ++scripts_running_;
  children_.run(programs_.of(command), {}, [this, script](const checks::Ending& ending) {
    --scripts_running_;
    if (!ending.succeeded()) {
      log::warn("notify script {}: {}", script, checks::to_string(ending));
    }
  });
}

}  // namespace keepline::control
