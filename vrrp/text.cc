#include "vrrp/text.h"

namespace keepline::vrrp {

std::string_view to_string(State state) {
  switch (state) {
    case State::kInit:
      return "INIT";
    case State::kBackup:
      return "BACKUP";
    case State::kMaster:
      return "MASTER";
    case State::kFault:
      return "FAULT";
  }
  return "?";
}

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::kNone:
      return "nothing";
    case Reason::kStarted:
      return "started";
    case Reason::kOwner:
      return "address owner";
    case Reason::kMasterDown:
      return "no advert for the master-down interval";
    case Reason::kMasterReleased:
      return "the master left with priority 0";
    case Reason::kHigherPriority:
      return "a better master was heard";
    case Reason::kGroupAgreed:
      return "every member of the sync group agreed";
    case Reason::kGroupLeft:
      return "a member of the sync group is not master";
    case Reason::kTimeJump:
      return "the lease ran out before this node ran again";
    case Reason::kUnsent:
      return "its adverts could not be sent";
    case Reason::kFault:
      return "fault";
    case Reason::kFaultCleared:
      return "the last fault is gone";
    case Reason::kStopped:
      return "stopped";
    case Reason::kHandedOver:
      return "it was asked to hand over";
  }
  return "?";
}

std::string_view to_string(Reject reject) {
  switch (reject) {
    case Reject::kIpHeader:
      return "ip_header_err";
    case Reject::kPacketLength:
      return "packet_len_err";
    case Reject::kIpTtl:
      return "ip_ttl_err";
    case Reject::kVersion:
      return "version_err";
    case Reject::kType:
      return "invalid_type_rcvd";
    case Reject::kChecksum:
      return "checksum_err";
    case Reject::kDestination:
      return "destination_err";
    case Reject::kVrid:
      return "vrid_err";
    case Reject::kAuthTypeInvalid:
      return "invalid_authtype";
    case Reject::kAuthTypeMismatch:
      return "authtype_mismatch";
    case Reject::kAuthFailure:
      return "auth_failure";
    case Reject::kAdvertInterval:
      return "advert_interval_err";
    case Reject::kOwnAdvert:
      return "own_advert";
    case Reject::kPeer:
      return "unicast_src_err";
    case Reject::kTrailerMissing:
      return "auth_ext_missing";
    case Reject::kTrailerMalformed:
      return "auth_ext_malformed";
    case Reject::kTrailerKey:
      return "auth_ext_unknown_key";
    case Reject::kTrailerDigest:
      return "auth_ext_failure";
    case Reject::kTrailerStale:
      return "auth_ext_stale";
    case Reject::kTrailerReplay:
      return "auth_ext_replay";
  }
  return "?";
}

std::string_view to_string(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::kLowerPriorityAdvert:
      return "advert of lower priority, forcing an election";
    case NoticeKind::kIntervalMismatch:
      return "advert interval differs";
    case NoticeKind::kAddressListMismatch:
      return "address list differs";
    case NoticeKind::kRejected:
      return "advert dropped";
    case NoticeKind::kOwnerConflict:
      return "another node has priority 255";
    case NoticeKind::kPaused:
      return "this node was not running; listening first";
    case NoticeKind::kUnsigned:
      return "advert without a trailer of auth_hmac, taken for now";
    case NoticeKind::kClockApart:
      return "its clock is apart from ours, by more than half of time_window";
  }
  return "?";
}

std::string_view to_string(FaultCause cause) {
  switch (cause) {
    case FaultCause::kInterfaceDown:
      return "interface down";
    case FaultCause::kNoSourceAddress:
      return "no source address";
    case FaultCause::kWorkerStalled:
      return "dataplane worker stalled";
    case FaultCause::kTracker:
      return "tracked object failed";
    case FaultCause::kSyncGroup:
      return "sync group at fault";
    case FaultCause::kNoPeer:
      return "no unicast peer";
  }
  return "?";
}

std::string_view to_string(GarpReason reason) {
  switch (reason) {
    case GarpReason::kBecameMaster:
      return "became master";
    case GarpReason::kLowerPriorityAdvert:
      return "advert of lower priority";
    case GarpReason::kVipsChanged:
      return "addresses changed";
  }
  return "?";
}

std::string_view to_string(GroupCommand command) {
  switch (command) {
    case GroupCommand::kBecomeMaster:
      return "become master";
    case GroupCommand::kBecomeBackup:
      return "become backup";
    case GroupCommand::kFault:
      return "fault";
    case GroupCommand::kFaultCleared:
      return "fault cleared";
  }
  return "?";
}

std::string_view to_string(AdvertResult result) {
  switch (result) {
    case AdvertResult::kUsed:
      return "used";
    case AdvertResult::kRejected:
      return "rejected";
    case AdvertResult::kIgnored:
      return "ignored";
  }
  return "?";
}

std::string_view to_string(Event event) {
  switch (event) {
    case Event::kStart:
      return "start";
    case Event::kStartAsOwner:
      return "start as owner";
    case Event::kStartAtFault:
      return "start at fault";
    case Event::kHeardRelease:
      return "heard priority 0";
    case Event::kHeardMaster:
      return "heard a master";
    case Event::kHeardLower:
      return "heard a lower priority";
    case Event::kHeardYielding:
      return "heard one that we preempt";
    case Event::kMasterDown:
      return "master down";
    case Event::kSuccession:
      return "succession";
    case Event::kMasterLost:
      return "master lost";
    case Event::kMasterDownAsk:
      return "master down, ask the group";
    case Event::kGroupAgreed:
      return "group agreed";
    case Event::kGroupLeft:
      return "group left";
    case Event::kGroupHandedOver:
      return "group handed over";
    case Event::kHandedOver:
      return "handed over";
    case Event::kAdvertDue:
      return "advert due";
    case Event::kLeaseLapsed:
      return "lease lapsed";
    case Event::kUnsent:
      return "advert unsent";
    case Event::kFault:
      return "fault";
    case Event::kFaultCleared:
      return "fault cleared";
    case Event::kFaultClearedOwner:
      return "fault cleared, owner";
    case Event::kStop:
      return "stop";
  }
  return "?";
}

}  // namespace keepline::vrrp
