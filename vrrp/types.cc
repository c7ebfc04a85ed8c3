#include "vrrp/types.h"

namespace keepline::vrrp {

void count(Statistics& statistics, Reject reason) {
  switch (reason) {
    case Reject::kIpHeader:
      ++statistics.ip_header_err;
      break;
    case Reject::kPacketLength:
      ++statistics.packet_len_err;
      break;
    case Reject::kIpTtl:
      ++statistics.ip_ttl_err;
      break;
    case Reject::kVersion:
      ++statistics.version_err;
      break;
    case Reject::kType:
      ++statistics.invalid_type_rcvd;
      break;
    case Reject::kChecksum:
      ++statistics.checksum_err;
      break;
    case Reject::kDestination:
      ++statistics.destination_err;
      break;
    case Reject::kVrid:
      ++statistics.vrid_err;
      break;
    case Reject::kAuthTypeInvalid:
      ++statistics.invalid_authtype;
      break;
    case Reject::kAuthTypeMismatch:
      ++statistics.authtype_mismatch;
      break;
    case Reject::kAuthFailure:
      ++statistics.auth_failure;
      break;
    case Reject::kAdvertInterval:
      ++statistics.advert_interval_err;
      break;
    case Reject::kOwnAdvert:
      ++statistics.own_advert;
      break;
    case Reject::kPeer:
      ++statistics.unicast_src_err;
      break;
  }
}

}  // namespace keepline::vrrp
