// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
//
// Steering: which frames go to keepline's AF_XDP sockets and which to the kernel.
//
// Runs in the kernel for every frame of an attached netdev. Of those without a tag, or of the
// VLANs, that are ours, to the sockets go VRRP, ARP requests, neighbour solicitations and echo
// requests for VIPs that keepline installed, the ports of virtual servers, answers of NATed real
// servers that are not addressed to this node itself, all that goes to addresses of FULLNAT, BFD of
// our neighbours to this node, and ICMP errors that quote a packet of these; and all IP packets to
// a VIP of no_accept, but for neighbour discovery. All else is the kernel's. A frame for the
// sockets is dropped when no socket is there (XDP_DROP as the fallback of the redirect): a dead
// daemon is silent although the kernel still holds the VIP.
//
// Map names have at most 15 characters: the control thread finds them by name (steering.cc).
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "dataplane/port/steer_maps.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
  __uint(type, BPF_MAP_TYPE_XSKMAP);
  __uint(max_entries, 64);
  __type(key, __u32);
  __type(value, __u32);
} xsks_map SEC(".maps");

#define STEER_HASH(name, key_type)        \
  struct {                                \
    __uint(type, BPF_MAP_TYPE_HASH);      \
    __uint(max_entries, KL_MAP_ENTRIES);  \
    __uint(map_flags, BPF_F_NO_PREALLOC); \
    __type(key, key_type);                \
    __type(value, __u32);                 \
  } name SEC(".maps")

STEER_HASH(kl_addresses, __u32);              // IPv4 address -> KL_* flags
STEER_HASH(kl_services, struct kl_endpoint);  // VIP:port of a virtual server
STEER_HASH(kl_reals, struct kl_endpoint);     // address:port of a NATed real server
STEER_HASH(kl_addresses6, struct kl_address6);
STEER_HASH(kl_services6, struct kl_endpoint6);
STEER_HASH(kl_reals6, struct kl_endpoint6);
STEER_HASH(kl_macs, struct kl_mac);  // the MACs of the netdev and its VLANs, our virtual MACs

// By VLAN number, whether it is ours; 0: frames without a tag.
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 4096);
  __type(key, __u32);
  __type(value, __u32);
} kl_vlans SEC(".maps");

struct arp_ipv4 {
  __be16 hardware_type;
  __be16 protocol_type;
  __u8 hardware_length;
  __u8 protocol_length;
  __be16 operation;
  __u8 sender_mac[6];
  __u8 sender_ip[4];
  __u8 target_mac[6];
  __u8 target_ip[4];
} __attribute__((packed));

static __always_inline __u32 address_flags(__u32 address) {
  __u32* flags = bpf_map_lookup_elem(&kl_addresses, &address);
  return flags ? *flags : 0;
}

static __always_inline int to_socket(struct xdp_md* ctx) {
  return bpf_redirect_map(&xsks_map, ctx->rx_queue_index, XDP_DROP);
}

static __always_inline int steer_arp(struct xdp_md* ctx, void* at, void* end) {
  struct arp_ipv4* arp = at;
  __u32 sender, target;
  if ((void*)(arp + 1) > end) return XDP_PASS;
  if (arp->operation != bpf_htons(1) || arp->protocol_type != bpf_htons(ETH_P_IP)) return XDP_PASS;
  __builtin_memcpy(&sender, arp->sender_ip, 4);
  __builtin_memcpy(&target, arp->target_ip, 4);
  // A gratuitous ARP is news for the kernel's own table, not a question.
  if (sender == target) return XDP_PASS;
  return (address_flags(target) & KL_ANSWER) ? to_socket(ctx) : XDP_PASS;
}

// A virtual server, or a NATed real server, of this end or of all ports of its address.
static __always_inline int has_end(void* map, struct kl_endpoint* end) {
  if (bpf_map_lookup_elem(map, end)) return 1;
  end->port = 0;
  return bpf_map_lookup_elem(map, end) != 0;
}
static __always_inline int has_end6(void* map, struct kl_endpoint6* end) {
  if (bpf_map_lookup_elem(map, end)) return 1;
  end->port = 0;
  return bpf_map_lookup_elem(map, end) != 0;
}

static __always_inline int is_for_us(struct ethhdr* ethernet) {
  struct kl_mac mac = {};
  __builtin_memcpy(mac.bytes, ethernet->h_dest, 6);
  return bpf_map_lookup_elem(&kl_macs, &mac) != 0;
}

// Whether UDP to this port, from who has these flags, is of a BFD session. Without a session it is
// somebody else's on this node.
static __always_inline int is_bfd(__u8 protocol, __be16 port, __u32 from) {
  if (protocol != IPPROTO_UDP) return 0;
  if (port == bpf_htons(KL_BFD_PORT)) return from & KL_BFD;
  return port == bpf_htons(KL_BFD_MULTIHOP_PORT) && (from & KL_BFD_MULTIHOP);
}

// To a service, or from a real server to a client of it. Whatever else that server sends there in
// fragments the dataplane routes.
static __always_inline int is_services_fragment(__u32 to, __u32 from) {
  if (to & (KL_SERVICE | KL_LOCAL)) return 1;
  return !(to & (KL_OWN | KL_ANSWER)) && (from & KL_REAL);
}

static __always_inline int steer_ports(struct xdp_md* ctx, struct iphdr* ip, __u32 flags,
                                       void* end) {
  __be16* ports = (void*)ip + ip->ihl * 4;
  if ((void*)(ports + 2) > end) return XDP_PASS;
  struct kl_endpoint local = {.address = ip->daddr, .port = ports[1], .protocol = ip->protocol};
  struct kl_endpoint remote = {.address = ip->saddr, .port = ports[0], .protocol = ip->protocol};
  if ((flags & KL_SERVICE) && has_end(&kl_services, &local)) return to_socket(ctx);
  if (flags & KL_LOCAL) return to_socket(ctx);
  if ((flags & (KL_OWN | KL_ANSWER)) && is_bfd(ip->protocol, ports[1], address_flags(ip->saddr))) {
    return to_socket(ctx);
  }
  // Answers to this node's own health checks stay with the kernel, whatever address it used.
  if (flags & (KL_OWN | KL_ANSWER)) return XDP_PASS;
  if (has_end(&kl_reals, &remote)) return to_socket(ctx);
  return XDP_PASS;
}

// Whether what an IP header with this protocol is in front of can be a tunnel of ours.
static __always_inline int is_tunnel(__u8 protocol, void* payload, void* end) {
  if (protocol == IPPROTO_IPIP || protocol == IPPROTO_IPV6 || protocol == IPPROTO_GRE) return 1;
  __u8* gue = payload + 8;
  if (protocol != IPPROTO_UDP || (void*)(gue + 2) > end || gue[0] != 0) return 0;
  return gue[1] == IPPROTO_IPIP || gue[1] == IPPROTO_IPV6;
}

// An error about an answer of a virtual server, or about a packet to a real server: a NATed one, or
// one behind a tunnel.
static __always_inline int steer_error(struct xdp_md* ctx, struct iphdr* quoted, __u32 flags,
                                       void* end) {
  if ((void*)(quoted + 1) > end || quoted->version != 4 || quoted->ihl < 5) return XDP_PASS;
  __be16* ports = (void*)quoted + quoted->ihl * 4;
  if ((void*)(ports + 2) > end) return XDP_PASS;
  if ((flags & KL_OWN) && (address_flags(quoted->daddr) & KL_TUNNEL) &&
      is_tunnel(quoted->protocol, ports, end)) {
    return to_socket(ctx);
  }
  struct kl_endpoint source = {
      .address = quoted->saddr, .port = ports[0], .protocol = quoted->protocol};
  struct kl_endpoint destination = {
      .address = quoted->daddr, .port = ports[1], .protocol = quoted->protocol};
  if ((flags & KL_SERVICE) && has_end(&kl_services, &source)) return to_socket(ctx);
  if (flags & KL_LOCAL) return to_socket(ctx);
  if (flags & (KL_OWN | KL_ANSWER)) return XDP_PASS;
  return has_end(&kl_reals, &destination) ? to_socket(ctx) : XDP_PASS;
}

static __always_inline int steer_icmp(struct xdp_md* ctx, struct iphdr* ip, __u32 flags,
                                      void* end) {
  __u8* icmp = (void*)ip + ip->ihl * 4;
  if ((void*)(icmp + 8) > end) return XDP_PASS;
  if (icmp[0] == 8) return (flags & KL_ANSWER) ? to_socket(ctx) : XDP_PASS;
  if (icmp[0] != 3 && icmp[0] != 11 && icmp[0] != 12) return XDP_PASS;
  return steer_error(ctx, (void*)(icmp + 8), flags, end);
}

static __always_inline int steer_ipv4(struct xdp_md* ctx, struct ethhdr* ethernet, struct iphdr* ip,
                                      void* end) {
  if ((void*)(ip + 1) > end || ip->version != 4 || ip->ihl < 5) return XDP_PASS;
  __u32 flags = address_flags(ip->daddr);
  if (ip->protocol == 112) return (flags & KL_VRRP) ? to_socket(ctx) : XDP_PASS;
  // An authentication header, which begins with the protocol that is behind it.
  if (ip->protocol == 51 && (flags & KL_VRRP)) {
    __u8* next = (void*)ip + ip->ihl * 4;
    return (void*)(next + 1) <= end && *next == 112 ? to_socket(ctx) : XDP_PASS;
  }
  if (flags & KL_REFUSE) return to_socket(ctx);
  if (!is_for_us(ethernet)) return XDP_PASS;
  if (ip->frag_off & bpf_htons(0x3fff)) {
    return is_services_fragment(flags, address_flags(ip->saddr)) ? to_socket(ctx) : XDP_PASS;
  }
  if (ip->protocol == IPPROTO_ICMP) return steer_icmp(ctx, ip, flags, end);
  if (ip->protocol == IPPROTO_TCP || ip->protocol == IPPROTO_UDP || ip->protocol == IPPROTO_SCTP) {
    return steer_ports(ctx, ip, flags, end);
  }
  return XDP_PASS;
}

// The transport header and its protocol; extension headers before it are stepped over, as many as
// the dataplane's parser does (kMaxExtensionHeaders in dataplane/net/parse.h).
static __always_inline void* skip_extensions(struct ipv6hdr* ip, void* end, __u8* protocol) {
  __u8* at = (void*)(ip + 1);
  __u8 next = ip->nexthdr;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS) break;
    if (at + 2 > (__u8*)end) return 0;
    next = at[0];
    at += ((__u32)at[1] + 1) * 8;
  }
  *protocol = next;
  return at;
}

static __always_inline __u32 address_flags6(void* at) {
  struct kl_address6 address;
  __builtin_memcpy(&address, at, sizeof address);
  __u32* flags = bpf_map_lookup_elem(&kl_addresses6, &address);
  return flags ? *flags : 0;
}

static __always_inline int steer_ports6(struct xdp_md* ctx, struct ipv6hdr* ip, __be16* ports,
                                        __u8 protocol, __u32 flags, void* end) {
  if ((void*)(ports + 2) > end) return XDP_PASS;
  struct kl_endpoint6 key = {.port = ports[1], .protocol = protocol};
  __builtin_memcpy(&key.address, &ip->daddr, sizeof key.address);
  if ((flags & KL_SERVICE) && has_end6(&kl_services6, &key)) return to_socket(ctx);
  if (flags & KL_LOCAL) return to_socket(ctx);
  if (flags & (KL_OWN | KL_ANSWER)) {
    return is_bfd(protocol, ports[1], address_flags6(&ip->saddr)) ? to_socket(ctx) : XDP_PASS;
  }
  __builtin_memcpy(&key.address, &ip->saddr, sizeof key.address);
  key.port = ports[0];
  return has_end6(&kl_reals6, &key) ? to_socket(ctx) : XDP_PASS;
}

// A question for a VIP goes to the group of its last 24 bits.
static __always_inline int steer_solicitation(struct xdp_md* ctx, __u8* icmp, void* end) {
  if ((void*)(icmp + 24) > end) return XDP_PASS;
  return (address_flags6(icmp + 8) & KL_ANSWER) ? to_socket(ctx) : XDP_PASS;
}

// ICMPv6 errors have types below 128; those that are known are 1 to 4 (RFC 4443).
static __always_inline int steer_error6(struct xdp_md* ctx, __u8* icmp, __u32 flags, void* end) {
  if ((void*)(icmp + 8) > end || icmp[0] < 1 || icmp[0] > 4) return XDP_PASS;
  struct ipv6hdr* quoted = (void*)(icmp + 8);
  if ((void*)(quoted + 1) > end || quoted->version != 6) return XDP_PASS;
  __u8 protocol = 0;
  __be16* ports = skip_extensions(quoted, end, &protocol);
  if (!ports || (void*)(ports + 2) > end) return XDP_PASS;
  struct kl_endpoint6 key = {.port = ports[0], .protocol = protocol};
  __builtin_memcpy(&key.address, &quoted->daddr, sizeof key.address);
  if ((flags & KL_OWN) && (address_flags6(&quoted->daddr) & KL_TUNNEL) &&
      is_tunnel(protocol, ports, end)) {
    return to_socket(ctx);
  }
  __builtin_memcpy(&key.address, &quoted->saddr, sizeof key.address);
  if ((flags & KL_SERVICE) && has_end6(&kl_services6, &key)) return to_socket(ctx);
  if (flags & KL_LOCAL) return to_socket(ctx);
  if (flags & (KL_OWN | KL_ANSWER)) return XDP_PASS;
  __builtin_memcpy(&key.address, &quoted->daddr, sizeof key.address);
  key.port = ports[1];
  return has_end6(&kl_reals6, &key) ? to_socket(ctx) : XDP_PASS;
}

static __always_inline int steer_icmp6(struct xdp_md* ctx, __u8* icmp, __u32 flags, void* end) {
  if ((void*)(icmp + 8) > end) return XDP_PASS;
  if (icmp[0] == 128) return (flags & KL_ANSWER) ? to_socket(ctx) : XDP_PASS;
  return steer_error6(ctx, icmp, flags, end);
}

static __always_inline int steer_ipv6(struct xdp_md* ctx, struct ethhdr* ethernet,
                                      struct ipv6hdr* ip, void* end) {
  if ((void*)(ip + 1) > end || ip->version != 6) return XDP_PASS;
  __u32 flags = address_flags6(&ip->daddr);
  __u8 protocol = 0;
  void* transport = skip_extensions(ip, end, &protocol);
  if (!transport) return (flags & KL_REFUSE) ? to_socket(ctx) : XDP_PASS;
  if (protocol == 112) return (flags & KL_VRRP) ? to_socket(ctx) : XDP_PASS;
  __u8* icmp = transport;
  int is_icmp = protocol == IPPROTO_ICMPV6 && (void*)(icmp + 1) <= end;
  if (is_icmp && icmp[0] == 135) return steer_solicitation(ctx, icmp, end);
  if ((flags & KL_REFUSE) && !(is_icmp && icmp[0] >= 133 && icmp[0] <= 137)) return to_socket(ctx);
  if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP && protocol != IPPROTO_SCTP &&
      protocol != IPPROTO_FRAGMENT && protocol != IPPROTO_ICMPV6) {
    return XDP_PASS;
  }
  if (!is_for_us(ethernet)) return XDP_PASS;
  if (protocol == IPPROTO_FRAGMENT) {
    return is_services_fragment(flags, address_flags6(&ip->saddr)) ? to_socket(ctx) : XDP_PASS;
  }
  if (protocol == IPPROTO_ICMPV6) return steer_icmp6(ctx, transport, flags, end);
  return steer_ports6(ctx, ip, transport, protocol, flags, end);
}

struct vlan_tag {
  __be16 control;  // the VLAN's number in its low 12 bits
  __be16 protocol;
};

SEC("xdp")
int keepline_steer(struct xdp_md* ctx) {
  void* end = (void*)(long)ctx->data_end;
  struct ethhdr* ethernet = (void*)(long)ctx->data;
  if ((void*)(ethernet + 1) > end) return XDP_PASS;
  void* payload = ethernet + 1;
  __be16 protocol = ethernet->h_proto;
  __u32 vlan = 0;
  if (protocol == bpf_htons(ETH_P_8021Q)) {
    struct vlan_tag* tag = payload;
    if ((void*)(tag + 1) > end) return XDP_PASS;
    vlan = bpf_ntohs(tag->control) & 0xfff;
    if (vlan == 0) return XDP_PASS;  // but a priority, which a port without VLANs would not see
    protocol = tag->protocol;
    payload = tag + 1;
  }
  __u32* is_ours = bpf_map_lookup_elem(&kl_vlans, &vlan);
  if (!is_ours || !*is_ours) return XDP_PASS;
  if (protocol == bpf_htons(ETH_P_ARP)) return steer_arp(ctx, payload, end);
  if (protocol == bpf_htons(ETH_P_IP)) return steer_ipv4(ctx, ethernet, payload, end);
  if (protocol == bpf_htons(ETH_P_IPV6)) return steer_ipv6(ctx, ethernet, payload, end);
  return XDP_PASS;
}
