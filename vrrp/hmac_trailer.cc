#include "vrrp/hmac_trailer.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cstring>

namespace keepline::vrrp {

namespace {

using Digest = std::array<std::uint8_t, 16>;
constexpr std::uint8_t kTypeHmacSha256 = 1;
constexpr std::size_t kChecksumAt = 6;  // of both versions: RFC 3768 §5.1, RFC 9568 §5.1
constexpr std::size_t kVridAt = 1;

struct Wire {
  std::uint8_t type;
  std::uint8_t key_id;
  net::be16 reserved;
  net::be32 seconds;
  net::be16 fraction;
  net::be16 counter;
  Digest digest;
};
static_assert(sizeof(Wire) == kHmacTrailerBytes);

// An IPv4 address is followed by zeros.
struct PseudoHeader {
  std::uint8_t family;  // 4 or 6
  std::uint8_t version;
  std::uint8_t vrid;
  std::uint8_t zero;
  std::array<std::uint8_t, 16> source;
};
static_assert(sizeof(PseudoHeader) == 20);

std::vector<std::uint8_t> covered(net::Bytes message, const net::IpAddr& source) {
  PseudoHeader pseudo{};
  pseudo.family = source.is_v6() ? 6 : 4;
  pseudo.version = message[0] >> 4;
  pseudo.vrid = message[kVridAt];
  if (source.is_v6()) {
    std::memcpy(pseudo.source.data(), &source.v6(), sizeof(net::Ip6));
  } else {
    const net::be32 raw = source.v4().be();
    std::memcpy(pseudo.source.data(), &raw, sizeof raw);
  }
  std::vector<std::uint8_t> bytes(sizeof pseudo + message.size());
  std::memcpy(bytes.data(), &pseudo, sizeof pseudo);
  std::copy(message.begin(), message.end(), bytes.begin() + sizeof pseudo);
  std::memset(&bytes[sizeof pseudo + kChecksumAt], 0, sizeof(net::be16));
  std::memset(&bytes[bytes.size() - sizeof(Digest)], 0, sizeof(Digest));
  return bytes;
}

// No digest is what OpenSSL without memory says.
bool digest_of(net::Bytes bytes, const HmacKey& key, Digest& result) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> whole{};
  unsigned length = 0;
  const unsigned char* done =
      HMAC(EVP_sha256(), key.bytes.data(), static_cast<int>(key.bytes.size()), bytes.data(),
           bytes.size(), whole.data(), &length);
  std::memcpy(result.data(), whole.data(), result.size());
  return done != nullptr;
}

}  // namespace

const HmacKey* AuthHmac::find(std::uint8_t id) const {
  const auto at =
      std::find_if(keys.begin(), keys.end(), [id](const HmacKey& key) { return key.id == id; });
  return at == keys.end() ? nullptr : &*at;
}

bool HmacTrailer::is_well_formed() const {
  return type == kTypeHmacSha256 && reserved == 0;
}

HmacTrailer read_hmac_trailer(net::Bytes message, const net::IpAddr& source) {
  Wire wire;
  std::memcpy(&wire, message.last(sizeof wire).data(), sizeof wire);
  HmacTrailer trailer;
  trailer.type = wire.type;
  trailer.key_id = wire.key_id;
  trailer.reserved = wire.reserved.value();
  trailer.number = std::uint64_t{wire.seconds.value()} << 32 |
                   std::uint64_t{wire.fraction.value()} << 16 | wire.counter.value();
  trailer.digest = wire.digest;
  trailer.covered = covered(message, source);
  return trailer;
}

bool is_authentic(const HmacTrailer& trailer, const HmacKey& key) {
  Digest right;
  if (!digest_of(trailer.covered, key, right)) return false;
  return CRYPTO_memcmp(right.data(), trailer.digest.data(), right.size()) == 0;
}

void write_hmac_trailer(net::MutableBytes message, const net::IpAddr& source, const HmacKey& key,
                        std::uint64_t number) {
  Wire wire{};
  wire.type = kTypeHmacSha256;
  wire.key_id = key.id;
  wire.seconds.set(static_cast<std::uint32_t>(number >> 32));
  wire.fraction.set(static_cast<std::uint16_t>(number >> 16));
  wire.counter.set(static_cast<std::uint16_t>(number));
  const net::MutableBytes at = message.last(sizeof wire);
  std::memcpy(at.data(), &wire, sizeof wire);
  // A digest that could not be made is no receiver's.
  if (!digest_of(covered(message, source), key, wire.digest)) return;
  std::memcpy(at.data(), &wire, sizeof wire);
}

}  // namespace keepline::vrrp
