// The kernel's links, addresses, routes and neighbours, kept current by netlink.
//
// Owned by the control thread. The first dump is made at construction, before the event loop
// runs; afterwards changes arrive. libnl-route's caches do the bookkeeping.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "control/plan/kernel_view.h"

namespace keepline::control {

class Mirror {
 public:
  Mirror();  ///< Throws std::runtime_error.
  ~Mirror();
  Mirror(const Mirror&) = delete;
  Mirror& operator=(const Mirror&) = delete;

  /// Readable when the kernel has news; then call handle_news().
  int fd() const;
  enum class News : std::uint8_t { kNone, kChanged };
  News handle_news();
  /// Grows with each News::kChanged.
  std::uint64_t changes() const;
  /// Those of view() alone. The kernel tells of an IPv6 address when it can be reached, which is
  /// later than it answers whoever has added it.
  std::vector<Address> addresses() const;

  /// A copy of what is known now; routes are asked for anew when libnl cannot follow them.
  KernelView view();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace keepline::control
