#include "dataplane/lb/synproxy/cookie.h"

#include <array>
#include <bit>
#include <cstring>

namespace keepline::lb {

namespace {

constexpr std::array<std::uint16_t, 8> kSegmentSizes = {216,  536,  1220, 1300,
                                                        1400, 1440, 1460, 8940};
constexpr unsigned kScaleShift = 3;
constexpr unsigned kSelectiveShift = 7;
constexpr unsigned kPeriodShift = 8;
constexpr unsigned kSignatureShift = 10;
constexpr std::uint32_t kSaid = (1u << kPeriodShift) - 1;

// SipHash-2-4 (Aumasson and Bernstein, 2012) over whole words; the number of them is fixed per use.
class SipHash {
 public:
  explicit SipHash(std::uint64_t key)
      : v0_(0x736f6d6570736575 ^ key),
        v1_(0x646f72616e646f6d ^ ~key),
        v2_(0x6c7967656e657261 ^ key),
        v3_(0x7465646279746573 ^ ~key) {}
  void add(std::uint64_t word) {
    v3_ ^= word;
    round();
    round();
    v0_ ^= word;
  }
  std::uint64_t finish() {
    v2_ ^= 0xff;
    for (int i = 0; i < 4; ++i) round();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

 private:
  void round() {
    v0_ += v1_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v3_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ += v3_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ += v1_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v2_ = std::rotl(v2_, 32);
  }
  std::uint64_t v0_, v1_, v2_, v3_;
};

void add(SipHash& hash, const net::be32& address) {
  hash.add(address.raw());
}
void add(SipHash& hash, const net::Ip6& address) {
  hash.add(address.raw_high());
  hash.add(address.raw_low());
}

std::uint32_t said_of(const SynOptions& options) {
  std::uint32_t size = 0;
  while (size + 1 < kSegmentSizes.size() && kSegmentSizes[size + 1] <= options.mss) ++size;
  return size | std::uint32_t{options.window_scale} << kScaleShift |
         std::uint32_t{options.selective} << kSelectiveShift;
}

}  // namespace

template <typename F>
std::uint32_t SynCookies::signature(const FlowKey<F>& flow, std::uint32_t sequence,
                                    std::uint32_t said, std::uint32_t period) const {
  SipHash hash(key_);
  add(hash, flow.source);
  add(hash, flow.destination);
  hash.add(std::uint64_t{flow.source_port.raw()} << 48 |
           std::uint64_t{flow.destination_port.raw()} << 32 | sequence);
  hash.add(std::uint64_t{period} << 32 | said);
  return static_cast<std::uint32_t>(hash.finish()) << kSignatureShift;
}

template <typename F>
std::uint32_t SynCookies::make(const FlowKey<F>& flow, std::uint32_t sequence,
                               const SynOptions& options, std::uint32_t now_s) const {
  const std::uint32_t period = now_s / kPeriod_s;
  const std::uint32_t said = said_of(options);
  return signature(flow, sequence, said, period) | (period & 3) << kPeriodShift | said;
}

template <typename F>
std::optional<SynOptions> SynCookies::check(const FlowKey<F>& flow, std::uint32_t sequence,
                                            std::uint32_t cookie, std::uint32_t now_s) const {
  const std::uint32_t now = now_s / kPeriod_s;
  for (const std::uint32_t period : {now, now - 1}) {
    if ((cookie >> kPeriodShift & 3) != (period & 3)) continue;
    const std::uint32_t expected = signature(flow, sequence, cookie & kSaid, period) |
                                   (period & 3) << kPeriodShift | (cookie & kSaid);
    if (expected == cookie) return options_in(cookie);
  }
  return std::nullopt;
}

SynOptions SynCookies::options_in(std::uint32_t cookie) {
  SynOptions options;
  options.mss = kSegmentSizes[cookie & 7];
  options.window_scale = cookie >> kScaleShift & 15;
  options.selective = (cookie >> kSelectiveShift & 1) != 0;
  return options;
}

#define KEEPLINE_COOKIES_OF(F)                                                                 \
  template std::uint32_t SynCookies::make(const FlowKey<F>&, std::uint32_t, const SynOptions&, \
                                          std::uint32_t) const;                                \
  template std::optional<SynOptions> SynCookies::check(const FlowKey<F>&, std::uint32_t,       \
                                                       std::uint32_t, std::uint32_t) const
KEEPLINE_COOKIES_OF(net::V4);
KEEPLINE_COOKIES_OF(net::V6);
#undef KEEPLINE_COOKIES_OF

}  // namespace keepline::lb
