#include "control/notify/notifier.h"

#include <stdexcept>

#include "control/log.h"

namespace keepline::control {

Notifier::Notifier(const config::Config& config, checks::Children& children)
    : config_(config),
      children_(children),
      readers_(children.executor()),
      programs_(config.global) {
  const auto inspect = [this](const config::Notify& notify) {
    for (const config::Command* command :
         {&notify.master, &notify.backup, &notify.fault, &notify.stop, &notify.any,
          &notify.master_rx_lower_pri}) {
      if (command->empty()) continue;
      const auto reason = programs_.prepare(*command);
      if (!reason) continue;
      refused_[command->arguments.front()] = *reason;
      log::error("{}:{}: notify script {} is not run: {}", command->position.file,
                 command->position.line, command->arguments.front(), *reason);
    }
  };
  for (const config::VrrpInstance& instance : config.vrrp_instances) inspect(instance.notify);
  for (const config::SyncGroup& group : config.sync_groups) inspect(group.notify);
  start_readers();
  if (!Mailer::is_configured(config.global)) return;
  mailer_ = std::make_unique<Mailer>(config.global,
                                     [](const std::string& error) { log::warn("{}", error); });
}

Notifier::~Notifier() {
  readers_.terminate();
}

void Notifier::start_readers() {
  for (const config::NotifyFifo* fifo : {&config_.global.fifo, &config_.global.vrrp_fifo}) {
    if (fifo->path.empty()) continue;
    try {
      fifos_.push_back(std::make_unique<Fifo>(*fifo));
    } catch (const std::runtime_error& error) {
      log::error("{}: left out", error.what());
      continue;
    }
    if (!fifo->script.empty()) start_reader(*fifo);
  }
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
  const config::VrrpInstance& instance = config_.vrrp_instances[index];
  tell(instance.notify, instance.smtp_alert,
       {NotifyEvent::Kind::kInstance, instance.name, told_state(to), priority});
}

void Notifier::group_changed(std::size_t index, vrrp::State to) {
  const config::SyncGroup& group = config_.sync_groups[index];
  tell(group.notify, group.smtp_alert, {NotifyEvent::Kind::kGroup, group.name, told_state(to), 0});
}

void Notifier::lower_priority_heard(std::size_t index, int priority) {
  const config::VrrpInstance& instance = config_.vrrp_instances[index];
  tell(instance.notify, instance.smtp_alert,
       {NotifyEvent::Kind::kInstance, instance.name, NotifyEvent::What::kLowerPriority, priority});
}

void Notifier::priority_changed(std::size_t index, vrrp::State state, int priority) {
  const config::VrrpInstance& instance = config_.vrrp_instances[index];
  if (!*instance.notify_priority_changes) return;
  using What = NotifyEvent::What;
  const What what = state == vrrp::State::kMaster ? What::kMasterPriority : What::kBackupPriority;
  tell(instance.notify, false, {NotifyEvent::Kind::kInstance, instance.name, what, priority});
}

void Notifier::tell(const config::Notify& notify, bool by_mail, const NotifyEvent& event) {
  const std::string line = fifo_line(event);
  for (const auto& fifo : fifos_) fifo->write(line);
  for (const config::Command& command : hooks(notify, event)) run(command);
  const bool is_fault = event.what == NotifyEvent::What::kFault;
  if (mailer_ == nullptr || !by_mail || (is_fault && config_.global.no_email_faults)) return;
  if (const Mail mail = mail_about(event); !mail.subject.empty()) mailer_->send(mail);
}

void Notifier::run(const config::Command& command) {
  const std::string& script = command.arguments.front();
  if (refused_.contains(script)) return;
  ++running_;
  children_.run(programs_.of(command), {}, [this, script](const checks::Ending& ending) {
    --running_;
    if (!ending.succeeded()) {
      log::warn("notify script {}: {}", script, checks::to_string(ending));
    }
  });
}

}  // namespace keepline::control
