// Delivery of frames for virtual MACs to the node's own kernel: attaches vmac.bpf.c.
//
// Control thread only. What a crash leaves behind is harmless (no frame for a virtual MAC reaches
// a port whose packet-socket membership is gone) and is removed by detach().
#pragma once

#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "dataplane/net/addr.h"

struct bpf_object;

namespace keepline::port {

class VirtualMacs {
 public:
  static tl::expected<std::unique_ptr<VirtualMacs>, std::string> attach(unsigned ifindex);
  ~VirtualMacs();
  VirtualMacs(const VirtualMacs&) = delete;
  VirtualMacs& operator=(const VirtualMacs&) = delete;

  /// While master: frames to this MAC are for this host. A backup must not accept them: a switch
  /// that has forgotten the MAC floods them, and a backup that routes would send them twice.
  void accept(const net::Mac& mac);
  void refuse(const net::Mac& mac);

  /// Removes a filter of ours from the netdev, whoever attached it.
  static void detach(unsigned ifindex);

 private:
  VirtualMacs(unsigned ifindex, bpf_object* object) : ifindex_(ifindex), object_(object) {}

  unsigned ifindex_;
  bpf_object* object_;
  int map_ = -1;
};

}  // namespace keepline::port
