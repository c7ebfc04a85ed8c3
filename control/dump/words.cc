#include "control/dump/words.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace keepline::control::dump {

namespace {

constexpr std::int64_t kSecondUs = 1'000'000;

}  // namespace

std::string command_text(const config::Command& command) {
  std::string text;
  for (const std::string& argument : command.arguments) {
    if (!text.empty()) text += ' ';
    text += '\'' + argument + '\'';
  }
  return text;
}

std::string vip_text(const config::VipAddress& vip, bool is_held) {
  std::string text = net::to_string(vip.address);
  if (vip.prefix_length != vip.address.max_prefix_length()) {
    text += '/' + std::to_string(vip.prefix_length);
  }
  text += " dev " + vip.dev + " scope global";
  if (!vip.label.empty()) text += " label " + vip.label;
  if (vip.address.is_v6()) text += " preferred_lft forever";
  if (is_held) text += " set";
  return text;
}

std::string parameters_text(const config::TrackProcess& process) {
  std::string text;
  for (const std::string& parameter : process.parameters) {
    if (!text.empty()) text += ' ';
    text += parameter;
  }
  return text;
}

std::string_view match_word(config::ParamMatch match) {
  switch (match) {
    case config::ParamMatch::kExact:
      return "exact";
    case config::ParamMatch::kInitial:
      return "initial";
    case config::ParamMatch::kPartial:
      return "partial";
    case config::ParamMatch::kIgnored:
      break;
  }
  return "none";
}

std::string decimal_seconds(std::int64_t us) {
  std::array<char, 40> text;
  std::snprintf(text.data(), text.size(), "%lld.%06lld", static_cast<long long>(us / kSecondUs),
                static_cast<long long>(us % kSecondUs));
  return text.data();
}

std::string time_text(std::int64_t unix_us) {
  const std::time_t seconds = unix_us / kSecondUs;
  std::tm parts{};
  localtime_r(&seconds, &parts);
  std::array<char, 40> day, year, fraction;
  std::strftime(day.data(), day.size(), "%a %b %e %H:%M:%S", &parts);
  std::strftime(year.data(), year.size(), "%Y", &parts);
  std::snprintf(fraction.data(), fraction.size(), ".%06lld ",
                static_cast<long long>(unix_us % kSecondUs));
  return decimal_seconds(unix_us) + " (" + day.data() + fraction.data() + year.data() + ')';
}

std::string vmac_name(const config::VrrpInstance& instance) {
  if (!instance.vmac.is_used) return "";
  if (!instance.vmac.ifname.empty()) return instance.vmac.ifname;
  return "vrrp." + std::to_string(*instance.virtual_router_id);
}

}  // namespace keepline::control::dump
