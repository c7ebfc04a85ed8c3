# The Debian packages that keepline needs, and their installation. Sourced after common.sh.
# shellcheck shell=bash

# Debian 12 has Boost 1.74 by default and 1.81 beside it; later releases have a newer default.
boost_package() {
  if [[ -z $(missing_packages libboost1.81-dev) ]] ||
    [[ -n $(apt-cache madison libboost1.81-dev 2>/dev/null) ]]; then
    echo libboost1.81-dev
  else
    echo libboost-dev
  fi
}

# The sanitizer and fuzzer runtimes have clang's version in their package's name.
clang_runtime_package() {
  local version
  version=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]\+\)$/\1/p')
  echo "libclang-rt-${version:-14}-dev"
}

build_packages() {
  echo g++ clang llvm lld clang-format clang-tidy meson ninja-build pkg-config ccache
  echo libdpdk-dev libbpf-dev libxdp-dev libpcap-dev libnl-3-dev libnl-route-3-dev libssl-dev
  echo libpcre2-dev libcurl4-openssl-dev
  echo libspdlog-dev libfmt-dev libcli11-dev libexpected-dev libgtest-dev libgmock-dev libelf-dev
  echo linux-libc-dev python3 python3-pytest "$(boost_package)" "$(clang_runtime_package)"
}

lab_packages() {
  echo iproute2 iputils-ping iputils-arping ethtool tcpdump arp-scan procps curl
  echo keepalived nginx-light dnsmasq-base bind9-dnsutils python3-pytest-xdist
  echo python3-prometheus-client python3-aiosmtpd libusrsctp2 frr bird2 tshark
}

vm_packages() {
  echo qemu-system-x86 busybox-static kmod cpio
}

bench_packages() {
  echo dpdk-dev haproxy nftables wrk iperf3
}

missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
      echo "$package"
  done
}

# A package that brings a service (nginx, keepalived) must not start it: invoke-rc.d asks
# policy-rc.d, which says no while we install. One that is there already is put back afterwards.
guard=/usr/sbin/policy-rc.d
raise_guard() {
  [[ ! -e $guard || -e $guard.keepline ]] || as_root mv "$guard" "$guard.keepline"
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$guard" >/dev/null
  as_root chmod +x "$guard"
}
lower_guard() {
  as_root rm -f "$guard"
  [[ ! -e $guard.keepline ]] || as_root mv "$guard.keepline" "$guard"
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]} == 0)) && return
  heading "Installing ${#missing[@]} packages: ${missing[*]}"
  trap lower_guard EXIT
  raise_guard
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    "${missing[@]}" || die "apt-get could not install them"
  lower_guard
  trap - EXIT
}

# The lists of packages are read before anything can be asked about them; on a fresh machine there
# are none, and on another one `apt-get update` is only needed where something is missing.
install_all() {
  local wanted
  mapfile -t wanted < <("$1" | tr ' ' '\n')
  [[ -z $(missing_packages "${wanted[@]}") ]] && return
  command -v apt-get >/dev/null || die "no apt-get: the packages are in scripts/lib/packages.sh"
  if [[ -z ${apt_updated:-} ]]; then
    heading "Updating the package lists"
    as_root apt-get update -q || die "apt-get update failed"
    apt_updated=yes
    mapfile -t wanted < <("$1" | tr ' ' '\n')
  fi
  install_packages "${wanted[@]}"
}
