// Publishing immutable values to workers: read-copy-update by quiescent states.
//
// Control thread: publish() and reclaim(); never waits for a worker. Each worker: online(),
// quiescent() once per turn, offline() while it sleeps. A value is freed when every worker that
// was online at its replacement has passed a quiescent state. DPDK's rte_rcu_qsbr is hidden in
// the .cc file.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>

struct rte_rcu_qsbr;

namespace keepline::rcu {

class Domain {
 public:
  /// `workers`: number of readers, with ids 0..workers-1.
  explicit Domain(unsigned workers);
  ~Domain();
  Domain(const Domain&) = delete;
  Domain& operator=(const Domain&) = delete;

  void online(unsigned worker);
  void offline(unsigned worker);
  void quiescent(unsigned worker);

  /// A token for "everything unlinked before now"; control thread.
  std::uint64_t start();
  /// Whether all workers have passed a quiescent state since start() returned `token`.
  bool passed(std::uint64_t token);

 private:
  struct Free {
    void operator()(rte_rcu_qsbr* memory) const;
  };
  std::unique_ptr<rte_rcu_qsbr, Free> qsbr_;
};

enum class Publish : std::uint8_t { kDone, kBacklogFull };

/// One published value. A stalled worker keeps old values alive: at most kMaxBacklog of them,
/// then publish() refuses and the caller tries again with its newest value.
template <typename T>
class Cell {
 public:
  static constexpr std::size_t kMaxBacklog = 64;

  explicit Cell(Domain& domain) : domain_(domain) {}
  ~Cell() { delete current_.load(std::memory_order_relaxed); }
  Cell(const Cell&) = delete;
  Cell& operator=(const Cell&) = delete;

  /// Worker: the value of this turn; valid until its next quiescent(). May be nullptr.
  const T* load() const { return current_.load(std::memory_order_acquire); }

  /// Control thread. On kBacklogFull `next` is left as it was.
  Publish publish(std::unique_ptr<const T>& next) {
    reclaim();
    if (retired_.size() >= kMaxBacklog) return Publish::kBacklogFull;
    std::unique_ptr<const T> old(current_.exchange(next.release(), std::memory_order_acq_rel));
    if (old != nullptr) retired_.push_back({std::move(old), domain_.start()});
    return Publish::kDone;
  }

  /// Control thread: frees what no worker can see any more. Returns how many values still wait.
  std::size_t reclaim() {
    while (!retired_.empty() && domain_.passed(retired_.front().token)) retired_.pop_front();
    return retired_.size();
  }

 private:
  struct Retired {
    std::unique_ptr<const T> value;
    std::uint64_t token;
  };
  Domain& domain_;
  std::atomic<const T*> current_{nullptr};
  std::deque<Retired> retired_;
};

}  // namespace keepline::rcu
