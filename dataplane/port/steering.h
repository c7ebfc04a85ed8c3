// Which traffic of a netdev the dataplane gets: the control side of steer.bpf.c.
//
// Control thread (or its kernel executor) only. The program is attached by DPDK's AF_XDP driver
// from a memory file; this class then finds the program's maps by name and keeps them current:
// widen() before a snapshot is published, narrow() after.
#pragma once

#include <compare>
#include <map>
#include <set>
#include <string>
#include <utility>

#include <tl/expected.hpp>

#include "dataplane/net/addr.h"

namespace keepline::port {

/// VIP:port of a service, or address:port of a real server.
struct SteerEndpoint {
  net::Endpoint endpoint;
  net::Protocol protocol = net::Protocol::kTcp;
  friend auto operator<=>(const SteerEndpoint&, const SteerEndpoint&) = default;
};

/// The wanted content of one netdev's maps.
struct SteerTable {
  std::map<net::IpAddr, std::uint32_t> addresses;  ///< KL_* flags of steer_maps.h.
  std::set<SteerEndpoint> services;
  std::set<SteerEndpoint> reals;
  std::set<net::Mac> macs;
  std::set<std::uint16_t> vlans;  ///< Below 4096; zero: frames without a tag.
};

/// A memory file with the compiled steering program, for the driver's `xdp_prog` argument. Lives
/// as long as the object.
class SteerObject {
 public:
  SteerObject();  ///< Throws std::runtime_error.
  ~SteerObject();
  SteerObject(const SteerObject&) = delete;
  SteerObject& operator=(const SteerObject&) = delete;
  std::string path() const;

 private:
  int fd_;
};

/// A map's file descriptor, closed with the object.
class MapFd {
 public:
  explicit MapFd(int fd = -1) : fd_(fd) {}
  ~MapFd();
  MapFd(MapFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  MapFd& operator=(MapFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

class Steering {
 public:
  /// Finds the maps of the program attached to the netdev.
  static tl::expected<Steering, std::string> open(unsigned ifindex);

  /// One map for each family: IPv4's keys stay short.
  struct MapPair {
    MapFd v4;
    MapFd v6;
  };

  /// Adds what `wanted` has and the maps have not. The error says which map refused and why.
  tl::expected<void, std::string> widen(const SteerTable& wanted);
  /// Removes what the maps have and `wanted` has not.
  tl::expected<void, std::string> narrow(const SteerTable& wanted);

 private:
  Steering() = default;

  MapPair addresses_;
  MapPair services_;
  MapPair reals_;
  MapFd macs_;
  MapFd vlans_;
  SteerTable current_;
};

/// What is attached to a netdev's XDP hook.
enum class XdpOwner : std::uint8_t { kNobody, kKeepline, kSomebodyElse };
XdpOwner xdp_owner(unsigned ifindex);

/// Removes our program from the netdev, if it is there. Nobody else's is touched.
void detach_xdp(unsigned ifindex);

}  // namespace keepline::port
