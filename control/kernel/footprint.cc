#include "control/kernel/footprint.h"

#include <net/if.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "control/kernel/ethtool.h"
#include "control/kernel/requests.h"
#include "dataplane/port/steering.h"
#include "dataplane/port/virtual_mac.h"

namespace keepline::control {

namespace {

// Lines are "KIND WORD WORD"; the kinds sort in the order in which they must be undone.
constexpr const char* kAddress = "1-address";
constexpr const char* kNetdev = "2-netdev";
constexpr const char* kNeighbour = "3-neighbour";
constexpr const char* kSysctl = "4-sysctl";
constexpr const char* kTagged = "5-tagged";

std::string undo_address(KernelRequests& requests, unsigned ifindex, const std::string& text) {
  const auto slash = text.find('/');
  const auto address = net::parse_ip(text.substr(0, slash));
  if (!address || slash == std::string::npos) return "";
  const int length = std::atoi(text.c_str() + slash + 1);
  requests.remove_address(ifindex, {*address, static_cast<std::uint8_t>(length)});
  return "address " + text;
}

std::string undo_line(const std::string& line, KernelRequests& requests) {
  std::istringstream words(line);
  std::string kind;
  std::string where;
  std::string what;
  words >> kind >> where >> what;
  if (kind == kSysctl) {
    return write_sysctl(where, what) ? "sysctl " + where + " = " + what : "";
  }
  const unsigned ifindex = if_nametoindex(where.c_str());
  if (ifindex == 0) return "";
  if (kind == kAddress) return undo_address(requests, ifindex, what) + " on " + where;
  if (kind == kNetdev) {
    port::detach_xdp(ifindex);
    port::VirtualMacs::detach(ifindex);
    return "XDP and tc programs on " + where;
  }
  if (kind == kNeighbour) {
    const auto address = net::parse_ip(what);
    if (address) requests.forget_neighbour(ifindex, *address);
    return "neighbour " + what + " on " + where;
  }
  if (kind == kTagged) {
    return take_tags_off(where, true) ? "tags left in the frames of " + where : "";
  }
  return "";
}

}  // namespace

Footprint::Footprint(std::string path) : path_(std::move(path)) {}

void Footprint::add(std::string line) {
  if (!lines_.insert(std::move(line)).second) return;
  const std::string next = path_ + ".new";
  std::error_code ignored;  // the open below says what is wrong
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);
  std::ofstream file(next);
  for (const std::string& each : lines_) file << each << '\n';
  file.close();
  if (!file) return;  // a full disk: rather the old, whole file than half a new one
  std::rename(next.c_str(), path_.c_str());
}

void Footprint::add_netdev(const std::string& netdev) {
  add(std::string(kNetdev) + ' ' + netdev);
}

void Footprint::add_tagged(const std::string& netdev) {
  add(std::string(kTagged) + ' ' + netdev);
}

void Footprint::add_address(const std::string& netdev, const net::Prefix& address) {
  add(std::string(kAddress) + ' ' + netdev + ' ' + net::to_string(address.address) + '/' +
      std::to_string(address.length));
}

void Footprint::add_neighbour(const std::string& netdev, const net::IpAddr& address) {
  add(std::string(kNeighbour) + ' ' + netdev + ' ' + net::to_string(address));
}

void Footprint::add_sysctl(const std::string& name, const std::string& original) {
  if (sysctls_.insert(name).second) add(std::string(kSysctl) + ' ' + name + ' ' + original);
}

std::vector<std::string> Footprint::undo(const std::string& path, KernelRequests& requests) {
  std::vector<std::string> done;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (std::string undone = undo_line(line, requests); !undone.empty()) {
      done.push_back(std::move(undone));
    }
  }
  std::remove(path.c_str());
  return done;
}

void Footprint::clear() {
  lines_.clear();
  sysctls_.clear();
  std::remove(path_.c_str());
}

}  // namespace keepline::control
