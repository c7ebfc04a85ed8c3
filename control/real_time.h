// Real-time scheduling of the daemon's threads: vrrp_rt_priority, checker_rt_priority and
// bfd_rt_priority.
//
// Control thread only. keepalived has a process for each of the three; here VRRP and checks are the
// control thread's, and adverts and BFD packets leave by the workers.
#pragma once

#include "control/config/model.h"
#include "dataplane/worker/dataplane.h"

namespace keepline::control {

class RealTime {
 public:
  /// Gives the calling thread and the workers what the file says; takes back only what it gave, so
  /// that one who starts the daemon with `chrt` keeps that. Children do not inherit it. What the
  /// kernel refuses is logged, and the daemon runs on without.
  void follow(const config::GlobalDefs& global, const worker::Dataplane& dataplane);

 private:
  int control_ = 0;  ///< 0: not of ours.
  int workers_ = 0;
};

}  // namespace keepline::control
