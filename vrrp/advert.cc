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

std::size_t message_length(Version version, std::size_t vips) {
  return sizeof(VrrpHeader) + 4 * vips + (version == Version::k2 ? sizeof(AuthData) : 0);
}

// A VRRP message and the packet it came in.
struct Found {
  net::Ipv4Header ip;
  net::Bytes message;
};

// Sound IPv4 header, whole datagram, ours.
std::optional<Found> find_message(net::Bytes packet) {
  Found found;
  if (packet.size() < sizeof found.ip) return std::nullopt;
  std::memcpy(&found.ip, packet.data(), sizeof found.ip);
  const std::size_t header_length = found.ip.header_length();
  const std::size_t total_length = found.ip.total_length.value();
  if (found.ip.version_ihl >> 4 != 4 || header_length < sizeof found.ip) return std::nullopt;
  if (total_length < header_length || total_length > packet.size()) return std::nullopt;
  if (net::checksum(packet.first(header_length)).value() != 0) return std::nullopt;
  if (found.ip.protocol != kProtocolVrrp) return std::nullopt;
  const std::uint16_t fragment = found.ip.fragment.value();
  if ((fragment & (net::kIpv4MoreFragments | net::kIpv4OffsetMask)) != 0) return std::nullopt;
  found.message = packet.subspan(header_length, total_length - header_length);
  return found;
}

std::uint64_t pseudo_sum(net::be32 source, net::be32 destination, std::size_t length) {
  return net::pseudo_header_sum(source, destination, kProtocolVrrp,
                                static_cast<std::uint16_t>(length));
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
  advert.vips.reserve(header.count);
  for (std::size_t i = 0; i < header.count; ++i) {
    net::be32 vip;
    std::memcpy(&vip, &message[sizeof header + 4 * i], sizeof vip);
    advert.vips.emplace_back(vip);
  }
}

}  // namespace

tl::expected<Advert, Rejection> parse_advert(net::Bytes packet, net::Ip4 group) {
  const std::optional<Found> found = find_message(packet);
  if (!found) return tl::unexpected(Rejection{Reject::kIpHeader, std::nullopt, net::Ip4()});
  const net::Bytes message = found->message;
  Rejection rejection{Reject::kPacketLength, std::nullopt, net::Ip4(found->ip.source)};
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
  if (found->ip.ttl != kTtl) return refuse(Reject::kIpTtl);
  if (version != 2 && version != 3) return refuse(Reject::kVersion);
  Advert advert;
  advert.version = static_cast<Version>(version);
  if (message.size() != message_length(advert.version, header.count)) {
    return refuse(Reject::kPacketLength);
  }
  if ((header.version_type & 0x0f) != kTypeAdvertisement) return refuse(Reject::kType);

  const std::uint64_t sum = net::checksum_add(0, message);
  const std::uint64_t pseudo = pseudo_sum(found->ip.source, found->ip.destination, message.size());
  advert.checksum_plain = net::checksum_finish(sum).value() == 0;
  advert.checksum_pseudo =
      advert.version == Version::k3 && net::checksum_finish(sum + pseudo).value() == 0;
  if (!advert.checksum_plain && !advert.checksum_pseudo) return refuse(Reject::kChecksum);

  advert.source = net::Ip4(found->ip.source);
  advert.destination = net::Ip4(found->ip.destination);
  if (advert.destination != group) return refuse(Reject::kDestination);
  advert.vrid = header.vrid;
  advert.priority = header.priority;
  read_body(header, message, advert);
  // A master-down interval of zero would make this node take over on every timer.
  if (advert.version == Version::k3 && advert.interval_us == 0) {
    return refuse(Reject::kAdvertInterval);
  }
  return advert;
}

std::optional<Reject> check_advert(const Advert& advert, const InstanceConfig& config) {
  if (advert.vrid != config.vrid) return Reject::kVrid;
  if (advert.version != config.version) return Reject::kVersion;
  if (advert.source == config.source) return Reject::kOwnAdvert;
  if (advert.version == Version::k3) {
    // RFC 9568 §5.2.8: with pseudo header; v3_checksum_as_v2 is keepalived's way out.
    const bool right = config.v3_checksum_as_v2 ? advert.checksum_plain : advert.checksum_pseudo;
    return right ? std::nullopt : std::optional(Reject::kChecksum);
  }
  // RFC 3768 §7.1 and RFC 2338 §10: authentication, then the interval.
  if (advert.auth_type > kAuthTypeLast) return Reject::kAuthTypeInvalid;
  if (advert.auth_type != static_cast<std::uint8_t>(config.auth_type)) {
    return Reject::kAuthTypeMismatch;
  }
  if (config.auth_type == AuthType::kPassword && advert.auth_data != config.auth_data) {
    return Reject::kAuthFailure;
  }
  if (advert.interval_us != config.advert_interval_us) return Reject::kAdvertInterval;
  return std::nullopt;
}

VipComparison compare_vips(const Advert& advert, const InstanceConfig& config) {
  if (advert.vips.size() != config.vips.size()) return VipComparison::kDifferent;
  std::vector<net::Ip4> theirs = advert.vips;
  std::vector<net::Ip4> ours = config.vips;
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

net::Ipv4Header ip_header(const InstanceConfig& config, std::size_t total_length) {
  net::Ipv4Header ip{};
  ip.version_ihl = 0x45;
  ip.tos = kTosInternetControl;
  ip.total_length.set(static_cast<std::uint16_t>(total_length));
  ip.ttl = kTtl;  // RFC 9568 §5.1.1.3
  ip.protocol = kProtocolVrrp;
  ip.source = config.source.be();
  ip.destination = config.group.be();
  const net::Bytes bytes(reinterpret_cast<const std::uint8_t*>(&ip), sizeof ip);
  ip.checksum = net::checksum(bytes);
  return ip;
}

}  // namespace

std::optional<std::size_t> encode_advert(const InstanceConfig& config, std::uint8_t priority,
                                         net::MutableBytes out) {
  const std::size_t vips = config.vips.size();
  if (vips > kMaxVips) return std::nullopt;
  const std::size_t length = message_length(config.version, vips);
  const std::size_t total = sizeof(net::Ipv4Header) + length;
  if (out.size() < total) return std::nullopt;

  const net::Ipv4Header ip = ip_header(config, total);
  std::memcpy(out.data(), &ip, sizeof ip);
  const net::MutableBytes message = out.subspan(sizeof ip, length);

  VrrpHeader header{};
  header.version_type =
      static_cast<std::uint8_t>(static_cast<unsigned>(config.version) << 4 | kTypeAdvertisement);
  header.vrid = config.vrid;
  header.priority = priority;
  header.count = static_cast<std::uint8_t>(vips);
  header.interval.set(interval_field(config));
  for (std::size_t i = 0; i < vips; ++i) {
    const net::be32 vip = config.vips[i].be();
    std::memcpy(&message[sizeof header + 4 * i], &vip, sizeof vip);
  }
  if (config.version == Version::k2) {
    // RFC 3768 §5.3.10: always there, zero without authentication.
    const AuthData auth = config.auth_type == AuthType::kNone ? AuthData{} : config.auth_data;
    std::copy(auth.begin(), auth.end(), message.last(auth.size()).begin());
  }
  std::memcpy(message.data(), &header, sizeof header);

  std::uint64_t sum = net::checksum_add(0, message);
  if (config.version == Version::k3 && !config.v3_checksum_as_v2) {
    sum += pseudo_sum(ip.source, ip.destination, length);
  }
  header.checksum = net::checksum_finish(sum);
  std::memcpy(message.data(), &header, sizeof header);
  return total;
}

}  // namespace keepline::vrrp
