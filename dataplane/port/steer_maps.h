/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Keys and flags of the steering program's maps, shared by C (BPF) and C++ (libbpf). */
#pragma once

#ifndef __cplusplus
#include <linux/types.h>
#else
#include <cstdint>
using __u8 = std::uint8_t;
using __u16 = std::uint16_t;
using __u32 = std::uint32_t;
#endif

#define KL_MAP_ENTRIES 65536

/* What an address is to this node: flags in kl_addresses and kl_addresses6. */
#define KL_ANSWER 1  /* a VIP that keepline installed: ARP and ICMP echo are the dataplane's */
#define KL_SERVICE 2 /* a virtual server lives on it */
#define KL_OWN 4     /* an address of the node itself: answers to it are the kernel's */
#define KL_REAL 16   /* a NATed real server: its fragments may be answers of a virtual server */
#define KL_LOCAL 32  /* FULLNAT comes from it: all TCP, UDP and errors to it are the dataplane's */
#define KL_TUNNEL                                                                                  \
  64                  /* a real server that tunnels lead to: errors about these are not the node's \
                       */
#define KL_REFUSE 128 /* a VIP of no_accept: all IP packets to it but neighbour discovery */
#define KL_BFD 256    /* BFD from it to this node is the dataplane's */
#define KL_BFD_MULTIHOP 512 /* the same from further away, by the other port */
#define KL_VRRP 8           /* adverts to it (group or own address) are the dataplane's */

#define KL_BFD_PORT 3784
#define KL_BFD_MULTIHOP_PORT 4784

/* Address and port in network order; no padding that is not named: it is a hash key. */
struct kl_endpoint {
  __u32 address;
  __u16 port;
  __u8 protocol;
  __u8 zero;
};

/* The same for IPv6. */
struct kl_address6 {
  __u8 bytes[16];
};

struct kl_endpoint6 {
  struct kl_address6 address;
  __u16 port;
  __u8 protocol;
  __u8 zero;
};

struct kl_mac {
  __u8 bytes[6];
  __u8 zero[2];
};
