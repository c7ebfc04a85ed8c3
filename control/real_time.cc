#include "control/real_time.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "control/log.h"

namespace keepline::control {

namespace {

enum class Scheduled : bool { kNo, kYes };

// SCHED_RR as in keepalived. `thread` 0 is the calling one.
Scheduled schedule(pid_t thread, int priority, const char* whose) {
  const sched_param parameters{priority};
  const int policy = priority == 0 ? SCHED_OTHER : SCHED_RR | SCHED_RESET_ON_FORK;
  if (sched_setscheduler(thread, policy, &parameters) == 0) return Scheduled::kYes;
  log::warn(
      "{} runs without real-time priority {}: {} (it takes CAP_SYS_NICE, and a cgroup that "
      "has real-time bandwidth)",
      whose, priority, std::strerror(errno));
  return Scheduled::kNo;
}

}  // namespace

void RealTime::follow(const config::GlobalDefs& global, const worker::Dataplane& dataplane) {
  const int control = std::max(global.vrrp_rt_priority, global.checker_rt_priority);
  const int workers = std::max(global.vrrp_rt_priority, global.bfd_rt_priority);
  if (control != control_) {
    const Scheduled done = schedule(0, control, "the control thread");
    control_ = done == Scheduled::kYes ? control : 0;
  }
  if (workers == workers_) return;
  workers_ = workers;
  for (const int thread : dataplane.threads()) {
    if (schedule(thread, workers, "a worker") == Scheduled::kNo) workers_ = 0;
  }
}

}  // namespace keepline::control
