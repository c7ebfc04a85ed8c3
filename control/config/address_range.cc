// See address_range.h. PURE.
#include "control/config/address_range.h"

#include <charconv>

#include "control/config/args.h"

namespace keepline::config {

std::optional<net::IpAddr> AddressRange::at(std::uint32_t offset) const {
  if (first.is_v4()) {
    const std::uint32_t sum = first.v4().value() + offset;
    if (sum < offset) return std::nullopt;
    return net::IpAddr(net::Ip4(sum));
  }
  net::Ip6 v6 = first.v6();
  for (std::size_t i = 16; i-- > 0 && offset != 0;) {
    const std::uint32_t sum = v6.bytes[i] + (offset & 0xff);
    v6.bytes[i] = static_cast<std::uint8_t>(sum);
    offset = (offset >> 8) + (sum >> 8);
  }
  return net::IpAddr(v6);
}

std::optional<net::Prefix> parse_network(const std::string& text) {
  const std::size_t slash = text.find('/');
  const auto address = net::parse_ip(std::string_view(text).substr(0, slash));
  if (!address) return std::nullopt;
  const auto most = address->max_prefix_length();
  net::Prefix network{*address, static_cast<std::uint8_t>(most)};
  if (slash == std::string::npos) return network;
  const auto length = parse_number(std::string_view(text).substr(slash + 1));
  if (!length || *length > most) return std::nullopt;
  network.length = static_cast<std::uint8_t>(*length);
  const bool has_host_bits =
      address->is_v4() ? net::masked(address->v4().be(), network.length) != address->v4().be()
                       : net::masked(address->v6(), network.length) != address->v6();
  if (has_host_bits) return std::nullopt;
  return network;
}

std::optional<AddressRange> parse_range(const std::string& text) {
  const std::size_t mark = text.find_first_of("-/");
  const auto first = net::parse_ip(std::string_view(text).substr(0, mark));
  if (!first) return std::nullopt;
  if (mark == std::string::npos) return AddressRange{*first, 1};
  const std::string_view rest = std::string_view(text).substr(mark + 1);
  if (text[mark] == '/') {
    const auto length = parse_number(rest);
    if (!length || !first->is_v4() || *length > 32) return std::nullopt;
    const std::uint64_t count = std::uint64_t{1} << (32 - *length);
    if ((first->v4().value() & (count - 1)) != 0) return std::nullopt;
    return AddressRange{*first, count};
  }
  if (const auto last = net::parse_ip4(rest); last && first->is_v4()) {
    if (*last <= first->v4()) return std::nullopt;
    return AddressRange{*first, std::uint64_t{last->value()} - first->v4().value() + 1};
  }
  std::uint64_t low = 0;
  std::uint64_t high = 255;
  std::optional<std::uint64_t> last = parse_number(rest);
  if (first->is_v4()) {
    low = first->v4().value() & 0xff;
  } else {
    low = first->v6().bytes[14] * 256U + first->v6().bytes[15];
    high = 0xffff;
    std::uint32_t value = 0;
    const auto [end, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), value, 16);
    last = problem == std::errc() && end == rest.data() + rest.size() ? std::optional(value)
                                                                      : std::nullopt;
  }
  if (!last || *last < low || *last > high) return std::nullopt;
  return AddressRange{*first, *last - low + 1};
}

}  // namespace keepline::config
