#include "vrrp/auth_header.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstddef>
#include <cstring>

#include "dataplane/net/headers.h"

namespace keepline::vrrp {

namespace {

using Digest = std::array<std::uint8_t, 12>;
constexpr std::uint8_t kLength = sizeof(AuthHeader) / 4 - 2;
constexpr auto kProtocolVrrp = static_cast<std::uint8_t>(net::Protocol::kVrrp);

// RFC 2402 §3.3.3.1.1, but for the TTL.
std::vector<std::uint8_t> covered(net::Bytes packet, std::size_t ip_header_length) {
  std::vector<std::uint8_t> bytes(packet.begin(), packet.end());
  bytes[offsetof(net::Ipv4Header, tos)] = 0;
  for (const std::size_t at :
       {offsetof(net::Ipv4Header, fragment), offsetof(net::Ipv4Header, checksum)}) {
    bytes[at] = bytes[at + 1] = 0;
  }
  std::memset(&bytes[ip_header_length + offsetof(AuthHeader, digest)], 0, sizeof(Digest));
  return bytes;
}

// The whole field is the key: zeros at its end change nothing about an HMAC.
Digest digest_of(net::Bytes bytes, const AuthData& key) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> whole{};
  unsigned length = 0;
  HMAC(EVP_md5(), key.data(), static_cast<int>(key.size()), bytes.data(), bytes.size(),
       whole.data(), &length);
  Digest result;
  std::memcpy(result.data(), whole.data(), result.size());
  return result;
}

}  // namespace

std::optional<Authenticated> read_auth_header(net::Bytes packet, std::size_t ip_header_length) {
  AuthHeader header;
  if (packet.size() < ip_header_length + sizeof header) return std::nullopt;
  std::memcpy(&header, &packet[ip_header_length], sizeof header);
  net::Ipv4Header ip;
  std::memcpy(&ip, packet.data(), sizeof ip);
  if (header.next_header != kProtocolVrrp || header.length != kLength ||
      header.index != ip.source) {
    return std::nullopt;
  }
  return Authenticated{header.sequence.value(), header.digest, covered(packet, ip_header_length)};
}

bool is_authentic(const Authenticated& header, const AuthData& key) {
  const Digest right = digest_of(header.covered, key);
  return CRYPTO_memcmp(right.data(), header.digest.data(), right.size()) == 0;
}

void authenticate(net::MutableBytes packet, std::uint32_t sequence, const AuthData& key) {
  net::Ipv4Header ip;
  std::memcpy(&ip, packet.data(), sizeof ip);
  AuthHeader header{kProtocolVrrp, kLength, {}, ip.source, net::be32(sequence), {}};
  std::memcpy(&packet[sizeof ip], &header, sizeof header);
  header.digest = digest_of(covered(packet, sizeof ip), key);
  std::memcpy(&packet[sizeof ip], &header, sizeof header);
}

}  // namespace keepline::vrrp
