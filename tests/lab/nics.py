"""Cables whose end at the node is a NIC that a DPDK driver owns, with a TAP for the kernel."""

from lab import Cable


class VirtualNic(Cable):
    """A veth that DPDK's AF_XDP driver has with all its frames, as it would a NIC by PCI.

    None of keepline's steering is in the kernel then: what is not the dataplane's goes through
    the TAP.
    """

    def __init__(self, host, device, switch, *addresses):
        wire = f"w-{device}"
        super().__init__(host, wire, switch)
        host.cables[device] = host.cables.pop(wire)
        # Without its daemon a NIC is dead, this one as well.
        host.set_sysctl(**{f"net.ipv4.conf.{wire}.arp_ignore": 8})
        host.ip(
            f"tuntap add dev {device} mode tap",
            f"link set {device} address {host.mac(wire)}",
            *[f"address add {address} dev {device}" for address in addresses],
            f"link set {device} up",
        )
        host.owned[device] = f"vdev net_af_xdp_{device},iface={wire}"
