#include "control/notify/mailer.h"

#include <curl/curl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

namespace keepline::control {

namespace {

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

struct Unread {
  const std::string& text;
  std::size_t at = 0;
};

std::size_t read_on(char* to, std::size_t size, std::size_t count, void* from) {
  auto* unread = static_cast<Unread*>(from);
  const std::size_t length = std::min(size * count, unread->text.size() - unread->at);
  std::copy_n(unread->text.data() + unread->at, length, to);
  unread->at += length;
  return length;
}

struct Cleanup {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

// The name for HELO stands where a web server's path would.
std::string url_of(const config::MailOptions& options, const std::string& host) {
  const bool is_v6 = options.smtp_server.find(':') != std::string::npos;
  const std::string server = is_v6 ? '[' + options.smtp_server + ']' : options.smtp_server;
  return "smtp://" + server + ':' + std::to_string(options.smtp_port) + '/' +
         (options.helo_name.empty() ? host : options.helo_name);
}

}  // namespace

bool Mailer::is_configured(const config::GlobalDefs& global) {
  return !global.mail.smtp_server.empty() && !global.mail.recipients.empty();
}

Mailer::Mailer(const config::GlobalDefs& global, std::function<void(const std::string&)> report)
    : options_(global.mail), router_id_(global.router_id), report_(std::move(report)) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::string host = host_name();
  if (router_id_.empty()) router_id_ = host;
  if (options_.from.empty()) options_.from = "keepline@" + host;
  thread_ = std::thread([this] { work(); });
}

Mailer::~Mailer() {
  {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kLastChance, [this] { return waiting_.empty(); });
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
  curl_global_cleanup();
}

void Mailer::send(const Mail& mail) {
  const std::string message = message_text(mail, options_, router_id_, std::time(nullptr));
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= kMaxWaiting) {
      report_("too many mails wait for " + options_.smtp_server + ": dropped '" + mail.subject +
              "'");
      return;
    }
    waiting_.push_back(message);
  }
  changed_.notify_all();
}

// A mail stays the first of those that wait until it is delivered or lost.
void Mailer::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const std::string message = waiting_.front();
    lock.unlock();
    if (const std::string error = deliver(message); !error.empty()) report_(error);
    lock.lock();
    waiting_.pop_front();
    changed_.notify_all();
  }
}

// Ends early when the daemon does.
std::string Mailer::deliver(const std::string& message) {
  const std::unique_ptr<CURL, Cleanup> curl(curl_easy_init());
  std::unique_ptr<curl_slist, Cleanup> recipients;
  for (const std::string& recipient : options_.recipients) {
    recipients.reset(curl_slist_append(recipients.release(), recipient.c_str()));
  }
  Unread unread{message};
  const auto progress = +[](void* mailer, curl_off_t, curl_off_t, curl_off_t, curl_off_t) -> int {
    auto* self = static_cast<Mailer*>(mailer);
    const std::lock_guard lock(self->mutex_);
    return self->stopping_ ? 1 : 0;
  };
  const std::string url = url_of(options_, host_name());
  const long limit_ms = static_cast<long>(options_.connect_timeout_us / 1000);
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_MAIL_FROM, options_.from.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_MAIL_RCPT, recipients.get());
  curl_easy_setopt(curl.get(), CURLOPT_READFUNCTION, read_on);
  curl_easy_setopt(curl.get(), CURLOPT_READDATA, &unread);
  curl_easy_setopt(curl.get(), CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT_MS, limit_ms);
  curl_easy_setopt(curl.get(), CURLOPT_SERVER_RESPONSE_TIMEOUT, std::max(limit_ms / 1000, 1L));
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(curl.get(), CURLOPT_QUICK_EXIT, 1L);  // a resolver may hang
  curl_easy_setopt(curl.get(), CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_XFERINFOFUNCTION, progress);
  curl_easy_setopt(curl.get(), CURLOPT_XFERINFODATA, this);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_OK) return {};
  return "mail by " + options_.smtp_server + ": " + curl_easy_strerror(code);
}

}  // namespace keepline::control
