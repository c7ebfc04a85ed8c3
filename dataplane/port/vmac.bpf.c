// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
//
// Frames to a virtual MAC of ours that belong to the node's own kernel: say that they are for
// this host. Rewriting the destination in XDP does not reach the same (the frame is classified
// by its driver afterwards), so this runs at tc ingress.
#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "dataplane/port/steer_maps.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 256);
  __type(key, struct kl_mac);
  __type(value, __u32);
} kl_vmacs SEC(".maps");

SEC("tc")
int keepline_vmac(struct __sk_buff* skb) {
  struct kl_mac destination = {};
  if (bpf_skb_load_bytes(skb, 0, destination.bytes, 6) != 0) return TC_ACT_UNSPEC;
  if (bpf_map_lookup_elem(&kl_vmacs, &destination)) bpf_skb_change_type(skb, PACKET_HOST);
  return TC_ACT_UNSPEC;
}
