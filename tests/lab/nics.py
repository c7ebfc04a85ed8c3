"""Cables whose end at the node is a NIC that a DPDK driver owns, with a TAP for the kernel."""

from pathlib import Path

from lab import Cable, run
from process import wait_for

BIND_NIC = Path(__file__).resolve().parents[2] / "scripts" / "bind-nic"
PCI_DEVICES = Path("/sys/bus/pci/devices")
IOMMU_GROUPS = Path("/sys/kernel/iommu_groups")


class VirtualNic(Cable):
    """A veth that DPDK's AF_XDP driver has with all its frames, as it would a NIC by PCI.

    None of keepline's steering is in the kernel then: what is not the dataplane's goes through
    the TAP.
    """

    def __init__(self, host, device, switch, *addresses):
        wire = f"w-{device}"
        super().__init__(host, wire, switch)
        host.cables[device] = host.cables.pop(wire)
        self.driver = f"net_af_xdp_{device}"
        # Without its daemon a NIC is dead, this one as well.
        host.set_sysctl(**{f"net.ipv4.conf.{wire}.arp_ignore": 8})
        host.ip(
            f"tuntap add dev {device} mode tap",
            f"link set {device} address {host.mac(wire)}",
            *[f"address add {address} dev {device}" for address in addresses],
            f"link set {device} up",
        )
        host.owned[device] = f"vdev {self.driver},iface={wire}"


def netdevs():
    """The netdevs of this namespace by MAC."""
    paths = Path("/sys/class/net").glob("*/address")
    return {path.read_text().strip(): path.parent.name for path in paths}


class EmulatedNic(Cable):
    """One of the pairs of NICs of tests/vm/vm.py: the node's, bound by scripts/bind-nic, and the
    switch's, which stays the kernel's."""

    def __init__(self, host, device, switch, *addresses):
        # Not Cable's: there is no veth to make.
        self.host, self.device, self.switch = host, device, switch
        self.port = f"{host.name}-{device}"[:15]
        there = netdevs()
        number = next(n for n in range(256) if mac("a", n) in there)
        self._place(there[mac("b", number)], switch, self.port)
        self._place(there[mac("a", number)], host, device)
        switch.ip(f"link set {self.port} master br0 up")
        host.ip(
            *[f"address add {address} dev {device}" for address in addresses],
            f"link set {device} up",
        )
        state = host.lab.directory / f"bind-nic-{host.name}"
        driver = "vfio-pci" if any(IOMMU_GROUPS.iterdir()) else "uio_pci_generic"
        words = ("env", f"KEEPLINE_BIND_NIC_STATE={state}", BIND_NIC, "--driver", driver, device)
        host.run(*words)
        words = dict(line.split("=") for line in (state / device).read_text().splitlines())
        self.driver = words["address"]
        host.lab.on_exit(lambda: self._give_back(number))
        host.owned[device] = f"pci {self.driver}"
        host.cables[device] = self

    @staticmethod
    def _place(netdev, where, name):
        run(["ip", "link", "set", netdev, "down"])
        run(["ip", "link", "set", netdev, "netns", where.namespace, "name", name])

    def _give_back(self, number):
        """To the kernel, which makes the netdev in the first namespace, named as it likes."""
        address = mac("a", number)
        device = PCI_DEVICES / self.driver
        for process in self.host.lab.processes:
            process.finish()
        (device / "driver" / "unbind").write_text(self.driver)
        (device / "driver_override").write_text("\n")
        Path("/sys/bus/pci/drivers_probe").write_text(self.driver)
        wait_for(lambda: address in netdevs(), what=f"the kernel has {self.driver} again")
        run(["ip", "link", "set", netdevs()[address], "name", f"nic-a{number}"])


def vlan_of(base):
    """The node's devices are VLANs of one NIC, `trunk0`, which is what `base` makes."""
    return lambda *arguments: Vlan(base, *arguments)


class Vlan(Cable):
    """A VLAN with the number 10 (eth0), 11 (eth1)... of the host's trunk.

    At the other end of the trunk each VLAN is bridged to its switch, without tags.
    """

    def __init__(self, base, host, device, switch, *addresses):
        self.host, self.device, self.switch = host, device, switch
        number = 10 + int(device[-1])
        trunk = host.cables.get("trunk0") or self._trunk(base, host)
        self.driver = trunk.driver
        self.port = f"{host.name}-{device}"[:15]
        trunk.switch.ip(
            f"link add link br0 name v{number} type vlan id {number}",
            f"link add name b{number} type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
        )
        run(
            ["ip", "link", "add", f"up{number}", "netns", trunk.switch.namespace, "type", "veth"]
            + ["peer", "name", self.port, "netns", switch.namespace]
        )
        ends = (f"v{number}", f"up{number}")
        trunk.switch.ip(
            *[f"link set {end} master b{number} up" for end in ends], f"link set b{number} up"
        )
        switch.ip(f"link set {self.port} master br0 up")
        host.ip(
            f"link add link trunk0 name {device} type vlan id {number}",
            *[f"address add {address} dev {device}" for address in addresses],
            f"link set {device} up",
        )
        host.cables[device] = self

    @staticmethod
    def _trunk(base, host):
        switch = host.lab.switch(f"trunk-{host.name}")
        trunk = base(host, "trunk0", switch)
        # A tag beside the frame, where veth leaves it, is what a NIC without rxvlan never does.
        switch.run("ethtool", "-K", trunk.port, "txvlan", "off")
        return trunk


def bond_of(mode):
    """The node's devices are bonds of two NICs."""
    return lambda *arguments: Bond(mode, *arguments)


class Bond(Cable):
    """A bond of two cables to the same switch, which with LACP has a bond at its end as well."""

    def __init__(self, mode, host, device, switch, *addresses):
        self.host, self.device, self.switch = host, device, switch
        self.cables = [Cable(host, f"m{n}-{device}", switch) for n in (0, 1)]
        for cable in self.cables:
            del host.cables[cable.device]
        self._bundle(host, device, mode, [cable.device for cable in self.cables])
        if mode == "802.3ad":
            self.port = f"{host.name}-{device}"[:15]
            self._bundle(switch, self.port, mode, [cable.port for cable in self.cables])
            switch.ip(f"link set {self.port} master br0 up")
        host.ip(
            *[f"address add {address} dev {device}" for address in addresses],
            f"link set {device} up",
        )
        host.cables[device] = self

    @staticmethod
    def _bundle(where, name, mode, members):
        options = " lacp_rate fast" if mode == "802.3ad" else ""
        where.ip(
            f"link add name {name} type bond mode {mode} miimon 50{options}",
            *[f"link set {member} nomaster" for member in members],
            *[f"link set {member} down" for member in members],
            *[f"link set {member} master {name}" for member in members],
            f"link set {name} up",
        )

    def active(self):
        """The cables that the kernel's bond uses."""

        def is_active(cable):
            folder = f"/sys/class/net/{cable.device}/bonding_slave"
            shown = self.host.run("cat", f"{folder}/state", f"{folder}/mii_status").stdout
            return shown.split() == ["active", "up"]

        return [cable for cable in self.cables if is_active(cable)]


def mac(end, number):
    """See tests/vm/vm.py."""
    return f"52:54:00:0{end}:00:{number:02x}"
