// An mbuf as the pipeline sees it. Inline: once for every frame received; for the port's own files.
#pragma once

#include <rte_mbuf.h>

#include "dataplane/net/packet.h"

namespace keepline::port {

inline net::Packet packet_of(rte_mbuf* mbuf) {
  return {rte_pktmbuf_mtod(mbuf, std::uint8_t*), mbuf, rte_pktmbuf_data_len(mbuf),
          rte_pktmbuf_headroom(mbuf)};
}

}  // namespace keepline::port
