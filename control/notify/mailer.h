// Hands mails to the relay, one after the other, in a thread of its own: it may wait for minutes.
//
// send() is called by the control thread and never waits. Bound: kMaxWaiting mails; more are
// dropped and counted. What still waits when the daemon stops gets kLastChance, and is then lost.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "control/config/model.h"
#include "control/notify/mail.h"

namespace keepline::control {

class Mailer {
 public:
  static constexpr std::size_t kMaxWaiting = 100;
  static constexpr std::chrono::seconds kLastChance{1};

  /// `report` is called in the mailer's thread, with what went wrong.
  Mailer(const config::GlobalDefs& global, std::function<void(const std::string&)> report);
  ~Mailer();
  Mailer(const Mailer&) = delete;
  Mailer& operator=(const Mailer&) = delete;

  /// Whether the configuration names a relay and somebody to write to.
  static bool is_configured(const config::GlobalDefs& global);
  void send(const Mail& mail);

 private:
  void work();
  std::string deliver(const std::string& message);

  config::MailOptions options_;
  std::string router_id_;
  std::function<void(const std::string&)> report_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace keepline::control
