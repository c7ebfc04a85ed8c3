// Counters since they were cleared last, by the signal that keepalived has for it.
//
// PURE; control thread. The instances' own counters never go back, because monitoring takes their
// differences; what they were when somebody cleared them is kept here, by instance.
#pragma once

#include <map>
#include <string>

#include "control/dump/state.h"

namespace keepline::control::dump {

class Counters {
 public:
  /// Turns the counters of a fresh copy into those since the last clear().
  void subtract(State& state) const;
  /// From now on they begin at zero; `state` is a copy that nothing was subtracted from.
  void clear(const State& state);

 private:
  std::map<std::string, vrrp::Statistics> cleared_;
};

}  // namespace keepline::control::dump
