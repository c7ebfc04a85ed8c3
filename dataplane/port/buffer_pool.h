// The packet buffers (mbufs) of the daemon.
#pragma once

struct rte_mempool;

namespace keepline::port {

/// Who else has to know where a buffer lies.
enum class Reach : bool { kKernel, kNics };

/// Packet buffers shared by all ports of the daemon.
///
/// They lie without gaps in one piece of memory: net_af_xdp registers with the kernel as many bytes
/// as that takes, and the kernel loses, without a word, each frame whose buffer lies behind them.
class BufferPool {
 public:
  /// Room for `buffers` frames of up to `mtu` bytes of IP. For NICs each takes 4 KiB, and hugepages
  /// are needed. Throws std::runtime_error.
  BufferPool(unsigned buffers, unsigned mtu, Reach reach = Reach::kKernel);
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  rte_mempool* get() const { return pool_; }

 private:
  rte_mempool* pool_;
};

}  // namespace keepline::port
