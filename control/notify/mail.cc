#include "control/notify/mail.h"

#include <array>

namespace keepline::control {

namespace {

using What = NotifyEvent::What;

std::string group_body(const std::string& state) {
  return "=> All VRRP group instances are now in " + state + " state <=";
}

std::string instance_body(What what) {
  if (what == What::kStop) return "=> VRRP Instance stopping <=";
  return what == What::kMaster ? "=> VRRP Instance is now owning VRRP VIPs <="
                               : "=> VRRP Instance is no longer owning VRRP VIPs <=";
}

std::string date_text(std::time_t date) {
  std::tm local{};
  localtime_r(&date, &local);
  std::array<char, 64> text;
  return {text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S %z", &local)};
}

}  // namespace

Mail mail_about(const NotifyEvent& event) {
  if (event.what >= What::kLowerPriority) return {};
  const bool is_group = event.kind == NotifyEvent::Kind::kGroup;
  const std::string state(what_word(event.what));
  Mail mail;
  mail.subject = std::string(is_group ? "VRRP Group " : "VRRP Instance ") +
                 std::string(event.name) + " - " +
                 (event.what == What::kStop      ? "Stopping"
                  : event.what == What::kDeleted ? "Deleted"
                                                 : "Entering " + state + " state");
  mail.body = is_group && event.what != What::kStop ? group_body(state) : instance_body(event.what);
  return mail;
}

std::string message_text(const Mail& mail, const config::MailOptions& options,
                         const std::string& router_id, std::time_t date) {
  std::string to;
  for (const std::string& recipient : options.recipients) {
    to += (to.empty() ? "" : ", ") + recipient;
  }
  return "Date: " + date_text(date) + "\r\nFrom: " + options.from + "\r\nSubject: [" + router_id +
         "] " + mail.subject + "\r\nX-Mailer: Keepalived\r\nTo: " + to + "\r\n\r\n" + mail.body +
         "\r\n";
}

}  // namespace keepline::control
