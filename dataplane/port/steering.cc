#include "dataplane/port/steering.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "dataplane/port/steer_maps.h"
#include "steer_object.h"  // generated: kSteerObject, the compiled program

namespace keepline::port {

namespace {

constexpr const char* kProgramName = "keepline_steer";
constexpr std::size_t kMaxMaps = 16;

struct Program {
  int fd = -1;
  bpf_prog_info info{};
  std::array<std::uint32_t, kMaxMaps> map_ids{};

  explicit Program(unsigned ifindex) {
    std::uint32_t id = 0;
    if (bpf_xdp_query_id(static_cast<int>(ifindex), 0, &id) != 0 || id == 0) return;
    fd = bpf_prog_get_fd_by_id(id);
    if (fd < 0) return;
    info.map_ids = reinterpret_cast<std::uintptr_t>(map_ids.data());
    info.nr_map_ids = kMaxMaps;
    std::uint32_t length = sizeof info;
    if (bpf_obj_get_info_by_fd(fd, &info, &length) != 0) info = {};
  }
  ~Program() {
    if (fd >= 0) close(fd);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  bool is_ours() const { return std::strcmp(info.name, kProgramName) == 0; }

  int map_fd(const char* name) const {
    for (std::uint32_t i = 0; i < info.nr_map_ids && i < kMaxMaps; ++i) {
      const int map = bpf_map_get_fd_by_id(map_ids[i]);
      if (map < 0) continue;
      bpf_map_info map_info{};
      std::uint32_t length = sizeof map_info;
      if (bpf_obj_get_info_by_fd(map, &map_info, &length) == 0 &&
          std::strcmp(map_info.name, name) == 0) {
        return map;
      }
      close(map);
    }
    return -1;
  }
};

using MapPair = Steering::MapPair;
using Status = tl::expected<void, std::string>;

kl_address6 key_of(const net::Ip6& address) {
  kl_address6 key{};
  std::memcpy(key.bytes, address.bytes.data(), sizeof key.bytes);
  return key;
}

// Each calls `use` with the map that the element belongs to and its key there.
template <typename Use>
Status with_key(const MapPair& maps, const net::IpAddr& address, Use&& use) {
  if (address.is_v6()) return use(maps.v6.get(), key_of(address.v6()));
  return use(maps.v4.get(), address.v4().be().raw());
}

template <typename Use>
Status with_key(const MapPair& maps, const SteerEndpoint& element, Use&& use) {
  const net::IpAddr& address = element.endpoint.address;
  const std::uint16_t port = net::be16(element.endpoint.port).raw();
  const auto protocol = static_cast<std::uint8_t>(element.protocol);
  if (address.is_v6()) {
    return use(maps.v6.get(), kl_endpoint6{key_of(address.v6()), port, protocol, 0});
  }
  return use(maps.v4.get(), kl_endpoint{address.v4().be().raw(), port, protocol, 0});
}

template <typename Use>
Status with_key(const MapFd& map, const net::Mac& mac, Use&& use) {
  kl_mac key{};
  std::memcpy(key.bytes, mac.bytes.data(), sizeof key.bytes);
  return use(map.get(), key);
}

template <typename Use>
Status with_key(const MapFd& map, std::uint16_t vlan, Use&& use) {
  return use(map.get(), std::uint32_t{vlan});
}

Status failure(const char* name) {
  return tl::unexpected(std::string("steering map ") + name + ": " + std::strerror(errno));
}

template <typename Maps, typename Element>
Status put(const Maps& maps, const char* name, const Element& element, std::uint32_t value) {
  return with_key(maps, element, [&](int map, const auto& key) -> Status {
    if (bpf_map_update_elem(map, &key, &value, BPF_ANY) == 0) return {};
    return failure(name);
  });
}

template <typename Maps, typename Element>
Status take(const Maps& maps, const char* name, const Element& element) {
  return with_key(maps, element, [&](int map, const auto& key) -> Status {
    if (bpf_map_delete_elem(map, &key) == 0 || errno == ENOENT) return {};
    return failure(name);
  });
}

template <typename Maps, typename Key>
Status widen_set(const Maps& maps, const char* name, std::set<Key>& current,
                 const std::set<Key>& wanted) {
  for (const Key& key : wanted) {
    if (current.contains(key)) continue;
    if (Status status = put(maps, name, key, 1); !status) return status;
    current.insert(key);
  }
  return {};
}

template <typename Maps, typename Key>
Status narrow_set(const Maps& maps, const char* name, std::set<Key>& current,
                  const std::set<Key>& wanted) {
  for (auto it = current.begin(); it != current.end();) {
    if (wanted.contains(*it)) {
      ++it;
      continue;
    }
    if (Status status = take(maps, name, *it); !status) return status;
    it = current.erase(it);
  }
  return {};
}

}  // namespace

SteerObject::SteerObject() : fd_(memfd_create("keepline_steer", MFD_CLOEXEC)) {
  if (fd_ < 0) throw std::runtime_error(std::string("memfd_create: ") + std::strerror(errno));
  if (write(fd_, kSteerObject, sizeof kSteerObject) != static_cast<ssize_t>(sizeof kSteerObject)) {
    close(fd_);
    throw std::runtime_error("cannot write the steering program to a memory file");
  }
}

SteerObject::~SteerObject() {
  close(fd_);
}

std::string SteerObject::path() const {
  return "/proc/self/fd/" + std::to_string(fd_);
}

tl::expected<Steering, std::string> Steering::open(unsigned ifindex) {
  const Program program(ifindex);
  if (program.fd < 0) return tl::unexpected(std::string("no XDP program is attached"));
  Steering result;
  const auto find = [&program](MapFd& map, const char* name) {
    map = MapFd(program.map_fd(name));
    return map.get() >= 0;
  };
  const bool complete =
      find(result.addresses_.v4, "kl_addresses") && find(result.addresses_.v6, "kl_addresses6") &&
      find(result.services_.v4, "kl_services") && find(result.services_.v6, "kl_services6") &&
      find(result.reals_.v4, "kl_reals") && find(result.reals_.v6, "kl_reals6") &&
      find(result.macs_, "kl_macs") && find(result.vlans_, "kl_vlans");
  if (!complete) {
    return tl::unexpected(
        std::string("the attached XDP program is not keepline's: its maps are missing"));
  }
  return result;
}

MapFd::~MapFd() {
  if (fd_ >= 0) close(fd_);
}

Status Steering::widen(const SteerTable& wanted) {
  Status status = widen_set(vlans_, "kl_vlans", current_.vlans, wanted.vlans);
  if (status) status = widen_set(macs_, "kl_macs", current_.macs, wanted.macs);
  if (status) status = widen_set(services_, "kl_services", current_.services, wanted.services);
  if (status) status = widen_set(reals_, "kl_reals", current_.reals, wanted.reals);
  for (const auto& [address, flags] : wanted.addresses) {
    if (!status) return status;
    std::uint32_t& present = current_.addresses[address];
    if ((present & flags) == flags && present != 0) continue;
    present |= flags;
    status = put(addresses_, "kl_addresses", address, present);
  }
  return status;
}

Status Steering::narrow(const SteerTable& wanted) {
  Status status;
  for (auto it = current_.addresses.begin(); status && it != current_.addresses.end();) {
    const auto kept = wanted.addresses.find(it->first);
    if (kept == wanted.addresses.end()) {
      status = take(addresses_, "kl_addresses", it->first);
      it = current_.addresses.erase(it);
      continue;
    }
    if (kept->second != it->second) {
      it->second = kept->second;
      status = put(addresses_, "kl_addresses", it->first, it->second);
    }
    ++it;
  }
  if (status) status = narrow_set(reals_, "kl_reals", current_.reals, wanted.reals);
  if (status) status = narrow_set(services_, "kl_services", current_.services, wanted.services);
  if (status) status = narrow_set(macs_, "kl_macs", current_.macs, wanted.macs);
  for (auto it = current_.vlans.begin(); status && it != current_.vlans.end();) {
    const std::uint16_t vlan = *it++;
    if (wanted.vlans.contains(vlan)) continue;
    status = put(vlans_, "kl_vlans", vlan, 0);
    current_.vlans.erase(vlan);
  }
  return status;
}

XdpOwner xdp_owner(unsigned ifindex) {
  const Program program(ifindex);
  if (program.fd < 0) return XdpOwner::kNobody;
  return program.is_ours() ? XdpOwner::kKeepline : XdpOwner::kSomebodyElse;
}

void detach_xdp(unsigned ifindex) {
  if (xdp_owner(ifindex) == XdpOwner::kKeepline) {
    bpf_xdp_detach(static_cast<int>(ifindex), 0, nullptr);
  }
}

}  // namespace keepline::port
