// What this daemon has changed in the kernel, written down before it is done, so that whoever
// comes after a crash (the next start, `keeplined --cleanup`) can undo it.
//
// Kernel executor's thread only. A small text file, one line a thing, replaced by rename; it is
// removed at an orderly stop.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "dataplane/net/addr.h"

namespace keepline::control {

class KernelRequests;

class Footprint {
 public:
  /// `path`: e.g. /run/keepline/NAME.footprint. Does not touch it before the first entry.
  explicit Footprint(std::string path);

  void add_netdev(const std::string& netdev);
  /// It usually takes the tags of VLANs off its frames.
  void add_tagged(const std::string& netdev);
  void add_address(const std::string& netdev, const net::Prefix& address);
  void add_neighbour(const std::string& netdev, const net::IpAddr& address);
  /// Remembers the value to put back; only the first one for each name counts.
  void add_sysctl(const std::string& name, const std::string& original);

  /// Undoes what the file of an earlier daemon says, in the order that keeps the node silent:
  /// addresses first, then programs. Returns a line per thing undone.
  static std::vector<std::string> undo(const std::string& path, KernelRequests& requests);
  /// Everything has been undone in order: removes the file.
  void clear();

 private:
  void add(std::string line);

  std::string path_;
  std::set<std::string> lines_;
  std::set<std::string> sysctls_;
};

}  // namespace keepline::control
