#include "vrrp/advert.h"

#include <algorithm>
#include <cstring>

#include "dataplane/net/checksum.h"
#include "dataplane/net/headers.h"

namespace keepline::vrrp {

namespace {

constexpr std::uint8_t kTypeAdvertisement = 1;
constexpr std::uint8_t kTtl = 255;
constexpr std::uint8_t kTosInternetControl = 0xc0;
constexpr std::uint16_t kIntervalMask_v3 = 0x0fff;  // below 4 reserved bits
constexpr std::uint8_t kAuthTypeLast = 2;           // RFC 2338 §5.3.6: none, password, AH
constexpr auto kProtocolVrrp = static_cast<std::uint8_t>(net::Protocol::kVrrp);

// RFC 3768 §5.1 and RFC 9568 §5.2: both versions have 8 bytes before the addresses.
struct VrrpHeader {
  std::uint8_t version_type;
  std::uint8_t vrid;
  std::uint8_t priority;
  std::uint8_t count;
  net::be16 interval;  // version 2: authentication type, then seconds
  net::be16 checksum;
};
static_assert(sizeof(VrrpHeader) == 8);

std::size_t message_length(Version version, std::size_t vips, std::size_t vip_size) {
  return sizeof(VrrpHeader) + vip_size * vips + (version == Version::k2 ? sizeof(AuthData) : 0);
}

std::size_t address_size(const net::IpAddr& address) {
  return address.is_v6() ? sizeof(net::Ip6) : sizeof(net::be32);
}

net::IpAddr read_address(const std::uint8_t* at, bool is_v6) {
  if (is_v6) {
    net::Ip6 address;
    std::memcpy(&address, at, sizeof address);
    return address;
  }
  net::be32 address;
  std::memcpy(&address, at, sizeof address);
  return net::Ip4(address);
}

void write_address(std::uint8_t* at, const net::IpAddr& address) {
  if (address.is_v6()) {
    std::memcpy(at, &address.v6(), sizeof(net::Ip6));
    return;
  }
  const net::be32 raw = address.v4().be();
  std::memcpy(at, &raw, sizeof raw);
}

// A VRRP message and what the IP header said about it.
struct Found {
  net::IpAddr source;
  net::IpAddr destination;
  std::uint8_t ttl = 0;
  net::Bytes message;
  std::optional<Authenticated> header = std::nullopt;
};

// Sound IPv4 header, whole datagram, ours.
std::optional<Found> find_in_v4(net::Bytes packet) {
  net::Ipv4Header ip;
  if (packet.size() < sizeof ip) return std::nullopt;
  std::memcpy(&ip, packet.data(), sizeof ip);
  const std::size_t header_length = ip.header_length();
  const std::size_t total_length = ip.total_length.value();
  if (ip.version_ihl >> 4 != 4 || header_length < sizeof ip) return std::nullopt;
  if (total_length < header_length || total_length > packet.size()) return std::nullopt;
  if (net::checksum(packet.first(header_length)).value() != 0) return std::nullopt;
  if (ip.protocol != kProtocolVrrp && ip.protocol != kProtocolAh) return std::nullopt;
  const std::uint16_t fragment = ip.fragment.value();
  if ((fragment & (net::kIpv4MoreFragments | net::kIpv4OffsetMask)) != 0) return std::nullopt;
  Found found{net::Ip4(ip.source), net::Ip4(ip.destination), ip.ttl,
              packet.subspan(header_length, total_length - header_length)};
  if (ip.protocol == kProtocolVrrp) return found;
  found.header = read_auth_header(packet.first(total_length), header_length);
  if (!found.header) return std::nullopt;
  found.message = found.message.subspan(sizeof(AuthHeader));
  return found;
}

// The same of IPv6; nobody puts extension headers in front of an advert.
std::optional<Found> find_in_v6(net::Bytes packet) {
  net::Ipv6Header ip;
  if (packet.size() < sizeof ip) return std::nullopt;
  std::memcpy(&ip, packet.data(), sizeof ip);
  const std::size_t length = ip.payload_length.value();
  if (length > packet.size() - sizeof ip || ip.next_header != kProtocolVrrp) return std::nullopt;
  return Found{ip.source, ip.destination, ip.hop_limit, packet.subspan(sizeof ip, length)};
}

std::optional<Found> find_message(net::Bytes packet) {
  const bool is_v6 = !packet.empty() && packet[0] >> 4 == 6;
  return is_v6 ? find_in_v6(packet) : find_in_v4(packet);
}

// RFC 9568 §5.2.8, RFC 8200 §8.1.
std::uint64_t pseudo_sum(const net::IpAddr& source, const net::IpAddr& destination,
                         std::size_t length) {
  if (source.is_v4()) {
    return net::pseudo_header_sum(source.v4().be(), destination.v4().be(), kProtocolVrrp,
                                  static_cast<std::uint16_t>(length));
  }
  return net::pseudo_header_sum(source.v6(), destination.v6(), kProtocolVrrp,
                                static_cast<std::uint16_t>(length));
}

// A trailer is under the checksum where the sender's kernel computes that: over IPv6.
std::size_t summed_length(const net::IpAddr& source, std::size_t length, std::size_t whole) {
  return source.is_v6() ? whole : length;
}

// Version 2's four bytes of header that differ, version 3's interval, and what follows.
void read_body(const VrrpHeader& header, net::Bytes message, Advert& advert) {
  const std::uint16_t interval = header.interval.value();
  if (advert.version == Version::k2) {
    advert.auth_type = static_cast<std::uint8_t>(interval >> 8);
    advert.interval_us = (interval & 0xff) * kSecond_us;
    const net::Bytes auth = message.last(advert.auth_data.size());
    std::copy(auth.begin(), auth.end(), advert.auth_data.begin());
  } else {
    advert.interval_us = (interval & kIntervalMask_v3) * kCentisecond_us;
  }
  const std::size_t size = address_size(advert.source);
  advert.vips.reserve(header.count);
  for (std::size_t i = 0; i < header.count; ++i) {
    advert.vips.push_back(read_address(&message[sizeof header + size * i], advert.source.is_v6()));
  }
}

// Without check_unicast_src and limits of TTL whoever knows our address is one.
bool is_from_peer(const Advert& advert, const InstanceConfig& config) {
  const auto any = [&config](auto holds) {
    return std::any_of(config.peers.begin(), config.peers.end(), holds);
  };
  if (any([&](const Peer& peer) { return peer.address == advert.source; })) return true;
  const bool are_limited =
      any([](const Peer& peer) { return peer.min_ttl != 0 || peer.max_ttl != kTtl; });
  return !config.check_unicast_src && !are_limited;
}

bool is_ttl_right(const Advert& advert, const InstanceConfig& config) {
  if (!config.is_unicast()) return advert.ttl == kTtl;
  return std::none_of(config.peers.begin(), config.peers.end(), [&](const Peer& peer) {
    return peer.address == advert.source &&
           (advert.ttl < peer.min_ttl || advert.ttl > peer.max_ttl);
  });
}

}  // namespace

tl::expected<Advert, Rejection> parse_advert(net::Bytes packet) {
  const std::optional<Found> found = find_message(packet);
  if (!found) return tl::unexpected(Rejection{Reject::kIpHeader, std::nullopt, net::IpAddr()});
  const net::Bytes message = found->message;
  Rejection rejection{Reject::kPacketLength, std::nullopt, found->source};
  const auto refuse = [&rejection](Reject reason) {
    rejection.reason = reason;
    return tl::unexpected(rejection);
  };

  VrrpHeader header;
  if (message.size() < sizeof header) return refuse(Reject::kPacketLength);
  std::memcpy(&header, message.data(), sizeof header);
  rejection.vrid = header.vrid;

  // RFC 9568 §7.1, RFC 3768 §7.1: receive checks. The length needs the version, so that is first
  // among the two; an unknown version has no length that could be wrong.
  const unsigned version = header.version_type >> 4;
  const bool is_known = version == 3 || (version == 2 && found->source.is_v4());
  if (!is_known) return refuse(Reject::kVersion);
  Advert advert;
  advert.version = static_cast<Version>(version);
  advert.source = found->source;
  advert.destination = found->destination;
  advert.ttl = found->ttl;
  advert.header = found->header;
  const std::size_t length =
      message_length(advert.version, header.count, address_size(found->source));
  // auth_hmac; behind an authentication header there is no trailer.
  const bool has_trailer = !found->header && message.size() == length + kHmacTrailerBytes;
  if (message.size() != length && !has_trailer) return refuse(Reject::kPacketLength);
  if ((header.version_type & 0x0f) != kTypeAdvertisement) return refuse(Reject::kType);

  const net::Bytes summed = message.first(summed_length(found->source, length, message.size()));
  const std::uint64_t sum = net::checksum_add(0, summed);
  const std::uint64_t pseudo = pseudo_sum(found->source, found->destination, summed.size());
  advert.checksum_plain = net::checksum_finish(sum).value() == 0;
  advert.checksum_pseudo =
      advert.version == Version::k3 && net::checksum_finish(sum + pseudo).value() == 0;
  if (!advert.checksum_plain && !advert.checksum_pseudo) return refuse(Reject::kChecksum);

  advert.vrid = header.vrid;
  advert.priority = header.priority;
  read_body(header, message.first(length), advert);
  if (has_trailer) advert.trailer = read_hmac_trailer(message, found->source);
  // A master-down interval of zero would make this node take over on every timer.
  if (advert.version == Version::k3 && advert.interval_us == 0) {
    return refuse(Reject::kAdvertInterval);
  }
  return advert;
}

namespace {

std::optional<Reject> check_authentication(const Advert& advert, const InstanceConfig& config) {
  if (advert.header.has_value() != (config.auth_type == AuthType::kHeader)) {
    return Reject::kAuthTypeMismatch;
  }
  if (advert.auth_type > kAuthTypeLast) return Reject::kAuthTypeInvalid;
  if (advert.auth_type != static_cast<std::uint8_t>(config.auth_type)) {
    return Reject::kAuthTypeMismatch;
  }
  const bool is_right = config.auth_type == AuthType::kPassword
                            ? advert.auth_data == config.auth_data
                            : !advert.header || is_authentic(*advert.header, config.auth_data);
  return is_right ? std::nullopt : std::optional(Reject::kAuthFailure);
}

std::optional<Reject> check_trailer(const Advert& advert, const AuthHmac& hmac) {
  if (!hmac.is_used()) return advert.trailer ? std::optional(Reject::kPacketLength) : std::nullopt;
  if (!advert.trailer) {
    return hmac.mode == HmacMode::kEnforce ? std::optional(Reject::kTrailerMissing) : std::nullopt;
  }
  if (!advert.trailer->is_well_formed()) return Reject::kTrailerMalformed;
  const HmacKey* key = hmac.find(advert.trailer->key_id);
  if (key == nullptr) return Reject::kTrailerKey;
  return is_authentic(*advert.trailer, *key) ? std::nullopt : std::optional(Reject::kTrailerDigest);
}

// RFC 9568 §5.2.8: with pseudo header; v3_checksum_as_v2 is keepalived's way out for IPv4.
bool is_checksum_right(const Advert& advert, const InstanceConfig& config) {
  if (advert.version == Version::k2) return advert.checksum_plain;
  const bool is_plain = config.v3_checksum_as_v2 && advert.source.is_v4();
  return is_plain ? advert.checksum_plain : advert.checksum_pseudo;
}

}  // namespace

std::optional<Reject> check_advert(const Advert& advert, const InstanceConfig& config) {
  if (advert.vrid != config.vrid) return Reject::kVrid;
  if (advert.version != config.version) return Reject::kVersion;
  if (advert.source == config.source) return Reject::kOwnAdvert;
  if (!is_ttl_right(advert, config)) return Reject::kIpTtl;
  if (const auto reason = check_trailer(advert, config.hmac)) return reason;
  if (advert.version == Version::k3 && advert.header) return Reject::kAuthTypeMismatch;
  if (advert.version == Version::k2) {
    // RFC 3768 §7.1 and RFC 2338 §10: authentication, then the interval.
    if (const auto reason = check_authentication(advert, config)) return reason;
    if (advert.interval_us != config.advert_interval_us) return Reject::kAdvertInterval;
  }
  if (!is_checksum_right(advert, config)) return Reject::kChecksum;
  // By unicast any address of ours will do: nothing else reaches us.
  const bool is_right = config.is_unicast() ? !net::is_multicast(advert.destination)
                                            : advert.destination == config.group;
  if (!is_right) return Reject::kDestination;
  if (config.is_unicast() && !is_from_peer(advert, config)) return Reject::kPeer;
  return std::nullopt;
}

VipComparison compare_vips(const Advert& advert, const InstanceConfig& config) {
  if (advert.vips.size() != config.vips.size()) return VipComparison::kDifferent;
  std::vector<net::IpAddr> theirs = advert.vips;
  std::vector<net::IpAddr> ours = config.vips;
  std::sort(theirs.begin(), theirs.end());
  std::sort(ours.begin(), ours.end());
  return theirs == ours ? VipComparison::kSame : VipComparison::kDifferent;
}

namespace {

std::uint16_t interval_field(const InstanceConfig& config) {
  if (config.version == Version::k3) {
    const std::int64_t centis = config.advert_interval_us / kCentisecond_us;
    return static_cast<std::uint16_t>(std::min<std::int64_t>(centis, kIntervalMask_v3));
  }
  const std::int64_t seconds = std::min<std::int64_t>(config.advert_interval_us / kSecond_us, 255);
  return static_cast<std::uint16_t>(static_cast<unsigned>(config.auth_type) << 8 | seconds);
}

std::uint8_t ttl_of(const InstanceConfig& config) {
  return config.is_unicast() ? config.unicast_ttl : kTtl;  // RFC 9568 §5.1.1.3, §5.1.2.3
}

std::size_t write_ip_header(const InstanceConfig& config, const net::IpAddr& destination,
                            std::size_t length, net::MutableBytes out) {
  if (config.source.is_v6()) {
    net::Ipv6Header ip{};
    ip.version_class_label.set(6u << 28 | std::uint32_t{kTosInternetControl} << 20);
    ip.payload_length.set(static_cast<std::uint16_t>(length));
    ip.next_header = kProtocolVrrp;
    ip.hop_limit = ttl_of(config);
    ip.source = config.source.v6();
    ip.destination = destination.v6();
    std::memcpy(out.data(), &ip, sizeof ip);
    return sizeof ip;
  }
  net::Ipv4Header ip{};
  ip.version_ihl = 0x45;
  ip.tos = kTosInternetControl;
  ip.total_length.set(static_cast<std::uint16_t>(sizeof ip + length));
  ip.ttl = ttl_of(config);
  ip.protocol = config.auth_type == AuthType::kHeader ? kProtocolAh : kProtocolVrrp;
  ip.source = config.source.v4().be();
  ip.destination = destination.v4().be();
  const net::Bytes bytes(reinterpret_cast<const std::uint8_t*>(&ip), sizeof ip);
  ip.checksum = net::checksum(bytes);
  std::memcpy(out.data(), &ip, sizeof ip);
  return sizeof ip;
}

}  // namespace

std::optional<std::size_t> encode_advert(const InstanceConfig& config, std::uint8_t priority,
                                         const net::IpAddr& destination, net::MutableBytes out,
                                         std::uint64_t sequence) {
  const std::size_t vips = config.vips.size();
  const bool is_v6 = config.source.is_v6();
  const std::size_t size = address_size(config.source);
  if (vips > kMaxVips || destination.is_v6() != is_v6) return std::nullopt;
  const std::size_t length = message_length(config.version, vips, size);
  const std::size_t before = config.auth_type == AuthType::kHeader ? sizeof(AuthHeader) : 0;
  const HmacKey* key = config.hmac.signs() ? config.hmac.find(config.hmac.active_key) : nullptr;
  if (config.hmac.signs() && key == nullptr) return std::nullopt;
  const std::size_t whole = length + (key != nullptr ? kHmacTrailerBytes : 0);
  if (out.size() < (is_v6 ? sizeof(net::Ipv6Header) : sizeof(net::Ipv4Header)) + before + whole) {
    return std::nullopt;
  }
  const std::size_t begin = before + write_ip_header(config, destination, before + whole, out);
  const net::MutableBytes message = out.subspan(begin, length);

  VrrpHeader header{};
  header.version_type =
      static_cast<std::uint8_t>(static_cast<unsigned>(config.version) << 4 | kTypeAdvertisement);
  header.vrid = config.vrid;
  header.priority = priority;
  header.count = static_cast<std::uint8_t>(vips);
  header.interval.set(interval_field(config));
  for (std::size_t i = 0; i < vips; ++i) {
    write_address(&message[sizeof header + size * i], config.vips[i]);
  }
  if (config.version == Version::k2) {
    // RFC 3768 §5.3.10: always there, zero without authentication.
    const AuthData auth = config.auth_type == AuthType::kPassword ? config.auth_data : AuthData{};
    std::copy(auth.begin(), auth.end(), message.last(auth.size()).begin());
  }
  std::memcpy(message.data(), &header, sizeof header);

  if (key != nullptr) {
    write_hmac_trailer(out.subspan(begin, whole), config.source, *key, sequence);
  }
  const std::size_t summed = summed_length(config.source, length, whole);
  std::uint64_t sum = net::checksum_add(0, out.subspan(begin, summed));
  if (config.version == Version::k3 && !(config.v3_checksum_as_v2 && !is_v6)) {
    sum += pseudo_sum(config.source, destination, summed);
  }
  header.checksum = net::checksum_finish(sum);
  std::memcpy(message.data(), &header, sizeof header);
  if (before != 0) {
    const auto number = static_cast<std::uint32_t>(sequence);
    authenticate(out.first(begin + whole), number, config.auth_data);
  }
  return begin + whole;
}

}  // namespace keepline::vrrp
