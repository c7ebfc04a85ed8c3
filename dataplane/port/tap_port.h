// The kernel's side of a NIC that a DPDK driver owns: a TAP of the same name and MAC.
//
// TapDevice is control's, TapPort the worker's that owns the port. A system call a frame: this is
// the way of the node's own traffic, not of the services'.
#pragma once

#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "dataplane/net/addr.h"
#include "dataplane/port/mbuf_port.h"

namespace keepline::port {

enum class Carrier : bool { kDown, kUp };

class TapDevice {
 public:
  /// The TAP of that name: an existing one that nobody uses (scripts/bind-nic makes them, with
  /// addresses and routes), or a new one, which goes with the object.
  static tl::expected<std::unique_ptr<TapDevice>, std::string> open(const std::string& name);
  ~TapDevice();
  TapDevice(const TapDevice&) = delete;
  TapDevice& operator=(const TapDevice&) = delete;

  int fd() const { return fd_; }
  const std::string& name() const { return name_; }
  /// Gives it the NIC's MAC and takes it up. The error is the kernel's.
  tl::expected<void, std::string> wear(const net::Mac& mac);
  /// What the NIC's cable does, its TAP does, too: what watches the link sees it.
  void set_carrier(Carrier carrier);

 private:
  TapDevice(std::string name, int fd) : name_(std::move(name)), fd_(fd) {}

  std::string name_;
  int fd_;
  bool carrier_ = true;
};

class TapPort final : public MbufPort {
 public:
  TapPort(int fd, rte_mempool* pool) : MbufPort(pool), fd_(fd) {}

  std::size_t receive(std::span<net::Packet> packets) override;
  std::size_t transmit(Buffers buffers) override;
  std::uint64_t missed() const override { return 0; }

 private:
  int fd_;
  unsigned turn_ = 0;
};

}  // namespace keepline::port
