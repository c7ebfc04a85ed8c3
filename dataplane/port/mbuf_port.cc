#include "dataplane/port/mbuf_port.h"

#include <algorithm>

#include "dataplane/port/mbuf_packet.h"

namespace keepline::port {

void MbufPort::release(Buffers buffers) {
  auto** mbufs = reinterpret_cast<rte_mbuf**>(const_cast<void**>(buffers.data()));
  rte_pktmbuf_free_bulk(mbufs, static_cast<unsigned>(buffers.size()));
}

void MbufPort::resize(std::span<const net::Packet> packets) {
  for (const net::Packet& packet : packets) {
    auto* mbuf = static_cast<rte_mbuf*>(packet.buffer);
    mbuf->data_off =
        static_cast<std::uint16_t>(packet.data - static_cast<std::uint8_t*>(mbuf->buf_addr));
    mbuf->data_len = packet.length;
    mbuf->pkt_len = packet.length;
  }
}

std::optional<net::Packet> MbufPort::make(net::Bytes bytes) {
  rte_mbuf* mbuf = rte_pktmbuf_alloc(pool_);
  if (mbuf == nullptr) return std::nullopt;
  char* room = rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(bytes.size()));
  if (room == nullptr) {
    rte_pktmbuf_free(mbuf);
    return std::nullopt;
  }
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::uint8_t*>(room));
  return packet_of(mbuf);
}

}  // namespace keepline::port
