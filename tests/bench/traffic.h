// The traffic of the benchmark: fills received buffers with headers of TCP packets, of 64 bytes for
// IPv4 and 80 for IPv6, whose headers alone take 74.
//
// One Source per receive queue, called from the driver's receive callback on the worker's lcore,
// so that what it costs is part of what is measured. IP header checksums are right; TCP checksums
// are not computed, as nobody on the way looks at them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/net/headers.h"

namespace keepline::bench {

/// Bytes of a frame.
inline constexpr std::size_t frame_size(int family) {
  return family == 6 ? 80 : 64;
}
inline constexpr unsigned kServers = 100;

/// One host of the benchmark's world.
struct Host {
  net::IpAddr address;
  std::uint16_t port = 0;
};
Host client_of(int family, std::uint32_t flow);
Host vip_of(int family);
Host server_of(int family, unsigned number);
/// FULLNAT's addresses: behind those of the clients, that answers to them look alike.
inline constexpr unsigned kLocals = 4;
Host local_of(int family, unsigned number);
net::Mac port_mac();
net::Mac peer_mac();

class Source {
 public:
  virtual ~Source() = default;
  /// Writes a frame of frame_size() bytes to each of these places.
  virtual void fill(std::span<std::uint8_t* const> frames) = 0;
};

/// A frame that differs from flow to flow in the client only; cheap to change.
class Template {
 public:
  Template(int family, const Host& from, const Host& to, std::uint8_t flags);
  /// Writes it with this client as source, or as destination when it comes from a server.
  void write(std::uint8_t* frame, std::uint32_t flow, bool client_is_source) const;

 private:
  int family_;
  alignas(64) std::uint8_t bytes_[128] = {};
  std::uint32_t sum_ = 0;  // of the IPv4 header without the client's address
};

/// The flows from `first` to before `end` in order, and the last one again and again, with these
/// TCP flags: to build up the table.
class InOrder final : public Source {
 public:
  InOrder(int family, std::uint32_t first, std::uint32_t end, std::uint8_t flags)
      : next_(first), end_(end), frame_(family, client_of(family, 0), vip_of(family), flags) {}
  void fill(std::span<std::uint8_t* const> frames) override {
    for (std::uint8_t* frame : frames) {
      frame_.write(frame, next_, true);
      next_ += next_ + 1 < end_;
    }
  }

 private:
  std::uint32_t next_;
  std::uint32_t end_;
  Template frame_;
};

/// A server's answer to the client of a flow, or to one of FULLNAT's addresses.
struct Answer {
  std::uint32_t flow = 0;
  std::uint32_t server = 0;
  net::be16 port;
};
/// Which flow or server an address of this world belongs to.
std::uint32_t flow_of(const net::IpAddr& client);
std::uint32_t number_of_server(const net::IpAddr& server);

/// SYN-ACKs in this order, and the last one again and again; not empty.
class Answers final : public Source {
 public:
  Answers(int family, std::vector<Answer> answers);
  void fill(std::span<std::uint8_t* const> frames) override;

 private:
  std::vector<Answer> answers_;
  std::size_t port_at_;  // in a frame
  std::size_t next_ = 0;
  std::vector<Template> by_server_;
};

/// Packets of established connections, uniformly random over `flows`.
class Uniform final : public Source {
 public:
  Uniform(int family, std::uint32_t flows);
  void fill(std::span<std::uint8_t* const> frames) override;

 private:
  std::uint32_t flows_;
  std::uint64_t state_ = 0x9e3779b97f4a7c15;
  Template frame_;
};

/// Whole TCP lives, kAtOnce of them interleaved: handshake, a request, an answer, close. Relies on
/// round robin dealing out servers in the order of the SYNs.
class Lives final : public Source {
 public:
  static constexpr std::uint32_t kAtOnce = 4096;
  static constexpr unsigned kPackets = 8;

  explicit Lives(int family);
  void fill(std::span<std::uint8_t* const> frames) override;
  std::uint64_t completed() const { return completed_; }

 private:
  struct Step {
    std::uint8_t flags;
    bool from_client;
  };
  struct Life {
    std::uint32_t flow = 0;
    std::uint32_t server = 0;
    unsigned step = 0;
  };
  static const Step kSteps[kPackets];
  void fill_one(std::uint8_t* frame);

  std::vector<Life> lives_;
  std::uint32_t position_ = 0;
  std::uint32_t next_flow_ = 0;
  std::uint64_t completed_ = 0;
  std::vector<Template> from_client_;               // by step
  std::vector<std::vector<Template>> from_server_;  // by step and server
};

}  // namespace keepline::bench
