#include "dataplane/port/buffer_pool.h"

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace keepline::port {

namespace {

// An AF_XDP frame needs the kernel's headroom besides DPDK's own.
constexpr unsigned kXdpHeadroom = 256;
constexpr unsigned kLinkHeader = 18;  // Ethernet and one VLAN tag
constexpr unsigned kCacheSize = 256;

// DPDK gives a NIC the address of an mbuf only when none lies across two pages of memory. So that
// this leaves no gaps, as many fill a page exactly.
constexpr unsigned kNicElement = 4096;

std::uint16_t data_room(unsigned mtu, Reach reach) {
  if (reach == Reach::kNics) {
    rte_mempool_objsz sizes{};
    rte_mempool_calc_obj_size(sizeof(rte_mbuf), RTE_MEMPOOL_F_NO_SPREAD, &sizes);
    return static_cast<std::uint16_t>(kNicElement - sizes.total_size);
  }
  const unsigned room = std::max<unsigned>(RTE_MBUF_DEFAULT_BUF_SIZE,
                                           mtu + kLinkHeader + RTE_PKTMBUF_HEADROOM + kXdpHeadroom);
  return static_cast<std::uint16_t>((room + 63) & ~63u);
}

// 0, or less than that and the error in rte_errno.
int populate(rte_mempool* pool, std::uint16_t room) {
  rte_errno = -rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), nullptr);
  if (rte_errno != 0) return -1;
  rte_pktmbuf_pool_private about{};
  about.mbuf_data_room_size = room;
  rte_pktmbuf_pool_init(pool, &about);
  if (const int count = rte_mempool_populate_default(pool); count < 0) {
    rte_errno = -count;
    return -1;
  }
  rte_mempool_obj_iter(pool, rte_pktmbuf_init, nullptr);
  return 0;
}

bool is_in_one_piece(const rte_mempool& pool) {
  const char* end = nullptr;
  const rte_mempool_memhdr* chunk = nullptr;
  STAILQ_FOREACH(chunk, &pool.mem_list, next) {
    const char* begin = static_cast<const char*>(chunk->addr);
    if (end != nullptr && begin != end) return false;
    end = begin + chunk->len;
  }
  return true;
}

}  // namespace

// As rte_pktmbuf_pool_create() does, which knows no flags.
BufferPool::BufferPool(unsigned buffers, unsigned mtu, Reach reach)
    : pool_(rte_mempool_create_empty(
          "keepline", buffers, sizeof(rte_mbuf) + data_room(mtu, reach), kCacheSize,
          sizeof(rte_pktmbuf_pool_private), SOCKET_ID_ANY,
          reach == Reach::kNics ? RTE_MEMPOOL_F_NO_SPREAD : RTE_MEMPOOL_F_NO_IOVA_CONTIG)) {
  const bool made = pool_ != nullptr && populate(pool_, data_room(mtu, reach)) == 0;
  if (made && is_in_one_piece(*pool_)) return;
  const std::string why = made ? "not in one piece" : rte_strerror(rte_errno);
  rte_mempool_free(pool_);
  throw std::runtime_error("packet buffers: " + why);
}

BufferPool::~BufferPool() {
  rte_mempool_free(pool_);
}

}  // namespace keepline::port
