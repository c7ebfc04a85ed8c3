#include "dataplane/rcu/rcu.h"

#include <rte_rcu_qsbr.h>

#include <cstdlib>
#include <new>

namespace keepline::rcu {

void Domain::Free::operator()(rte_rcu_qsbr* memory) const {
  std::free(memory);
}

Domain::Domain(unsigned workers) {
  const std::size_t size = rte_rcu_qsbr_get_memsize(workers);
  const std::size_t rounded = (size + RTE_CACHE_LINE_SIZE - 1) & ~(RTE_CACHE_LINE_SIZE - 1ul);
  qsbr_.reset(static_cast<rte_rcu_qsbr*>(std::aligned_alloc(RTE_CACHE_LINE_SIZE, rounded)));
  if (qsbr_ == nullptr || rte_rcu_qsbr_init(qsbr_.get(), workers) != 0) throw std::bad_alloc();
  for (unsigned worker = 0; worker < workers; ++worker) {
    rte_rcu_qsbr_thread_register(qsbr_.get(), worker);
  }
}

Domain::~Domain() = default;

void Domain::online(unsigned worker) {
  rte_rcu_qsbr_thread_online(qsbr_.get(), worker);
}
void Domain::offline(unsigned worker) {
  rte_rcu_qsbr_thread_offline(qsbr_.get(), worker);
}
void Domain::quiescent(unsigned worker) {
  rte_rcu_qsbr_quiescent(qsbr_.get(), worker);
}
std::uint64_t Domain::start() {
  return rte_rcu_qsbr_start(qsbr_.get());
}
bool Domain::passed(std::uint64_t token) {
  return rte_rcu_qsbr_check(qsbr_.get(), token, false) == 1;
}

}  // namespace keepline::rcu
