// What all ports have in common whose buffers are DPDK's mbufs.
#pragma once

#include "dataplane/port/port.h"

struct rte_mempool;

namespace keepline::port {

class MbufPort : public Port {
 public:
  explicit MbufPort(rte_mempool* pool) : pool_(pool) {}

  void release(Buffers buffers) override;
  void resize(std::span<const net::Packet> packets) override;
  std::optional<net::Packet> make(net::Bytes bytes) override;

 protected:
  rte_mempool* pool() const { return pool_; }

 private:
  rte_mempool* pool_;
};

}  // namespace keepline::port
