// SCTP's checksum (RFC 9260 appendix A), changed in place.
//
// PURE. A CRC is linear: what a change of some bits does to it depends on where they are, not on
// the rest of the packet. So a packet that was damaged before it came to us is still seen as
// damaged.
#pragma once

#include <cstddef>
#include <cstdint>

namespace keepline::net {

/// What to xor to the checksum field when the first four bytes of a packet of `length` bytes are
/// xored with `change`; all words as they lie in memory.
std::uint32_t crc32c_change(std::uint32_t change, std::size_t length);

}  // namespace keepline::net
