// Which clients a service admits: allowed and denied networks, the most specific of which decides.
//
// PURE, immutable. The networks are cut into ranges that do not overlap, so that a look-up is one
// binary search however many there are: 100,000 take some 20 steps and 6 MB. Built once for a
// configuration and shared by all snapshots.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/net/family.h"

namespace keepline::lb {

struct AccessRule {
  net::Prefix network;
  bool allow = false;
  friend bool operator==(const AccessRule&, const AccessRule&) = default;
};

class AccessList {
 public:
  /// Rules of one family; others are left out. Of an allowed and a denied network that are the
  /// same the denied one counts. Who is in none is admitted, unless something is allowed.
  AccessList(const std::vector<AccessRule>& rules, net::Family family);

  /// `client` is of that family.
  bool admits(const net::IpAddr& client) const;
  std::size_t ranges() const { return ranges_.size(); }

 private:
  __extension__ using Key = unsigned __int128;
  struct Range {  // up to the beginning of the next one
    Key first;
    bool admitted;
  };
  static Key key_of(const net::IpAddr& address);
  void append(Key first, bool admitted);

  std::vector<Range> ranges_;  // by `first`; the first one begins at zero
};

}  // namespace keepline::lb
