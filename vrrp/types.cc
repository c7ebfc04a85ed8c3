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
    case Reject::kTrailerMissing:
      ++statistics.auth_ext_missing;
      break;
    case Reject::kTrailerMalformed:
      ++statistics.auth_ext_malformed;
      break;
    case Reject::kTrailerKey:
      ++statistics.auth_ext_unknown_key;
      break;
    case Reject::kTrailerDigest:
      ++statistics.auth_ext_failure;
      break;
    case Reject::kTrailerStale:
      ++statistics.auth_ext_stale;
      break;
    case Reject::kTrailerReplay:
      ++statistics.auth_ext_replay;
      break;
  }
}

}  // namespace keepline::vrrp
