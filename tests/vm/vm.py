#!/usr/bin/python3
"""Runs a command in a virtual machine of this one: Debian's kernel, emulated NICs, these files.

    tests/vm/vm.py [--nics N] [--no-iommu] COMMAND...

The machine sees this one's files, and what it writes is gone at its end but for the folder
$KEEPLINE_VM_OUT, which is build/vm/out here. It has what the kernel around it may lack (VLANs,
bonds, tunnels, SCTP, IPVS), hugepages and (or not) an IOMMU, and N NICs for a DPDK driver, in turn
virtio-net and e1000e, each with a cable to a NIC that the kernel has. MAC addresses tell: those of
the former begin with 52:54:00:0a, their last byte numbers the cable; those of the latter with
52:54:00:0b. Everything is emulated in software: slow, but with nothing to set up.
"""

import argparse
import gzip
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "build" / "vm"
LIMIT_S = 1800
MEMORY_MB = 5120
HUGEPAGES = 640
KINDS = ("virtio-net-pci,iommu_platform=on,disable-legacy=on", "e1000e")
FOR_ROOT = ("virtio_pci", "9pnet_virtio", "9p", "overlay")  # modules until the files are there


def run(*words, **options):
    words = [str(word) for word in words]
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def kernel_package():
    """The name of Debian's current kernel; asks for the list of packages if there is none."""
    for update in (False, True):
        if update:
            run("apt-get", "update", "-q")
        shown = subprocess.run(
            ["apt-cache", "depends", "linux-image-amd64"], capture_output=True, text=True
        ).stdout
        found = re.search(r"Depends: (linux-image-\d\S+)", shown)
        if found:
            return found.group(1)
    sys.exit("vm: apt knows no linux-image-amd64")


def fetch_kernel():
    """The kernel of Debian's package, unpacked beside the build: not installed."""
    kernel = PLACE / "kernel"
    if not any(kernel.glob("boot/vmlinuz-*")):
        package = kernel_package()
        PLACE.mkdir(parents=True, exist_ok=True)
        # _apt may not be allowed to write here: root downloads itself then, and says so.
        run("apt-get", "download", "-q", package, cwd=PLACE, stderr=subprocess.DEVNULL)
        (archive,) = PLACE.glob("linux-image-*.deb")
        run("dpkg", "-x", archive, kernel)
        archive.unlink()
        (release,) = [path.name for path in kernel.glob("lib/modules/*")]
        run("/sbin/depmod", "-b", kernel, release)
    (image,) = kernel.glob("boot/vmlinuz-*")
    return kernel, image


def modules_for_root(kernel, release):
    """The files of FOR_ROOT and of what they need, in the order to load them."""
    paths = []
    for name in FOR_ROOT:
        words = ("/sbin/modprobe", "-d", kernel, "-S", release, "--show-depends", name)
        shown = run(*words).splitlines()
        paths += [Path(line.split()[1]) for line in shown if line.startswith("insmod")]
    return list(dict.fromkeys(paths))


def make_initrd(kernel, release):
    """busybox, the modules for the root file system, and init."""
    root = PLACE / "initrd"
    shutil.rmtree(root, ignore_errors=True)
    for folder in ("bin", "lib", "proc", "sys", "dev"):
        (root / folder).mkdir(parents=True)
    shutil.copy("/bin/busybox", root / "bin")
    (root / "bin/sh").symlink_to("busybox")
    shutil.copy(Path(__file__).parent / "init", root / "init")
    modules = modules_for_root(kernel, release)
    for module in modules:
        shutil.copy(module, root / "lib")
    (root / "modules").write_text("".join(f"{module.name}\n" for module in modules))
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    archive = subprocess.run(
        ["cpio", "-o", "-H", "newc", "--quiet"],
        input=names.encode(),
        cwd=root,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    image = PLACE / "initrd.gz"
    image.write_bytes(gzip.compress(archive, 1))
    return image


def mac(end, number):
    return f"52:54:00:0{end}:00:{number:02x}"


def nics(count):
    words = []
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        ends = (("a", kind), ("b", "virtio-net-pci,iommu_platform=on,disable-legacy=on"))
        for end, device in ends:
            name = f"{end}{number}"
            words += ["-netdev", f"hubport,id={name},hubid={number}"]
            words += ["-device", f"{device},romfile=,netdev={name},mac={mac(end, number)}"]
    return words


def boot(command, nic_count, iommu):
    """Boots, runs the command on the console, and returns its exit code."""
    kernel, image = fetch_kernel()
    release = image.name.removeprefix("vmlinuz-")
    initrd = make_initrd(kernel, release)
    out = PLACE / "out"
    out.mkdir(exist_ok=True)
    code = out / "code"
    code.unlink(missing_ok=True)
    environment = {"KEEPLINE_VM_OUT": out, "KEEPLINE_VM_MODULES": kernel / "lib/modules"}
    exports = "".join(f"export {key}={shlex.quote(str(v))}\n" for key, v in environment.items())
    script = f"{exports}cd {shlex.quote(str(ROOT))}\n{shlex.join(command)}\n"
    (out / "command").write_text(script)
    words = ["qemu-system-x86_64", "-M", "q35,accel=tcg,kernel-irqchip=split", "-cpu", "max"]
    words += ["-smp", "2", "-m", f"{MEMORY_MB}", "-nographic", "-no-reboot", "-nic", "none"]
    words += ["-kernel", str(image), "-initrd", str(initrd), "-append"]
    words += [f"console=ttyS0 quiet panic=-1 hugepages={HUGEPAGES} intel_iommu=on"]
    if iommu:
        words += ["-device", "intel-iommu,intremap=on"]
    for tag, path, mode in (("files", "/", "readonly=on"), ("out", out, "readonly=off")):
        words += ["-fsdev", f"local,id={tag},path={path},security_model=none,{mode}"]
        words[-1] += ",multidevs=remap"
        words += ["-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]
    subprocess.run(words + nics(nic_count), stdin=subprocess.DEVNULL, timeout=LIMIT_S, check=True)
    return int(code.read_text()) if code.exists() else 1


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--nics", type=int, default=0)
    parser.add_argument("--no-iommu", action="store_true")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("vm: this needs root: the machine sees all files")
    sys.exit(boot(arguments.command, arguments.nics, not arguments.no_iommu))


if __name__ == "__main__":
    main()
