#include "dataplane/port/virtual_mac.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cstring>

#include "dataplane/port/steer_maps.h"
#include "vmac_object.h"  // generated: kVmacObject

namespace keepline::port {

namespace {

// Ours among the filters of a netdev: a priority and handle that nobody would pick by chance.
constexpr unsigned kPriority = 0x6b6c;
constexpr unsigned kHandle = 0x6b6c;

bpf_tc_hook ingress(unsigned ifindex) {
  bpf_tc_hook hook{};
  hook.sz = sizeof hook;
  hook.ifindex = static_cast<int>(ifindex);
  hook.attach_point = BPF_TC_INGRESS;
  return hook;
}

kl_mac key_of(const net::Mac& mac) {
  kl_mac key{};
  std::memcpy(key.bytes, mac.bytes.data(), sizeof key.bytes);
  return key;
}

tl::unexpected<std::string> failed(const char* step, int code) {
  return tl::unexpected(std::string(step) + ": " + std::strerror(code < 0 ? -code : code));
}

}  // namespace

tl::expected<std::unique_ptr<VirtualMacs>, std::string> VirtualMacs::attach(unsigned ifindex) {
  bpf_object* object = bpf_object__open_mem(kVmacObject, sizeof kVmacObject, nullptr);
  if (object == nullptr) return failed("open the virtual MAC program", errno);
  std::unique_ptr<VirtualMacs> result(new VirtualMacs(ifindex, object));
  if (const int rc = bpf_object__load(object); rc != 0) {
    return failed("load the virtual MAC program", rc);
  }
  result->map_ = bpf_object__find_map_fd_by_name(object, "kl_vmacs");
  bpf_tc_hook hook = ingress(ifindex);
  if (const int rc = bpf_tc_hook_create(&hook); rc != 0 && rc != -EEXIST) {
    return failed("create the tc ingress hook", rc);
  }
  bpf_tc_opts options{};
  options.sz = sizeof options;
  options.prog_fd = bpf_program__fd(bpf_object__find_program_by_name(object, "keepline_vmac"));
  options.flags = BPF_TC_F_REPLACE;
  options.handle = kHandle;
  options.priority = kPriority;
  if (const int rc = bpf_tc_attach(&hook, &options); rc != 0) {
    return failed("attach to tc ingress", rc);
  }
  return result;
}

void VirtualMacs::accept(const net::Mac& mac) {
  const kl_mac key = key_of(mac);
  const std::uint32_t present = 1;
  bpf_map_update_elem(map_, &key, &present, BPF_ANY);
}

void VirtualMacs::refuse(const net::Mac& mac) {
  const kl_mac key = key_of(mac);
  bpf_map_delete_elem(map_, &key);
}

VirtualMacs::~VirtualMacs() {
  detach(ifindex_);
  bpf_object__close(object_);
}

void VirtualMacs::detach(unsigned ifindex) {
  bpf_tc_hook hook = ingress(ifindex);
  bpf_tc_opts options{};
  options.sz = sizeof options;
  options.handle = kHandle;
  options.priority = kPriority;
  if (bpf_tc_query(&hook, &options) != 0) return;
  options.prog_fd = 0;
  options.prog_id = 0;
  options.flags = 0;
  bpf_tc_detach(&hook, &options);
}

}  // namespace keepline::port
