#include "dataplane/port/tap_port.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "dataplane/port/mbuf_packet.h"

namespace keepline::port {

namespace {

constexpr unsigned kTurnsPerLook = 8;  // an idle TAP is asked that seldom: each time costs a call

ifreq request_for(const std::string& name) {
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  return request;
}

// An ioctl on a socket, as netdevs take them. 0 or errno.
int ask(unsigned long what, ifreq& request) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const int error = ioctl(fd, what, &request) == 0 ? 0 : errno;
  close(fd);
  return error;
}

}  // namespace

tl::expected<std::unique_ptr<TapDevice>, std::string> TapDevice::open(const std::string& name) {
  const int fd = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) {
    return tl::unexpected("/dev/net/tun: " + std::string(std::strerror(errno)) +
                          ": `modprobe tun` may help");
  }
  ifreq request = request_for(name);
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (ioctl(fd, TUNSETIFF, &request) == 0) {
    return std::unique_ptr<TapDevice>(new TapDevice(name, fd));
  }
  const int error = errno;
  close(fd);
  std::string why = std::strerror(error);
  if (error == EINVAL) why = "it exists and is no TAP: is the NIC still the kernel's?";
  if (error == EBUSY) why = "another process has it";
  return tl::unexpected("TAP " + name + ": " + why);
}

TapDevice::~TapDevice() {
  close(fd_);
}

tl::expected<void, std::string> TapDevice::wear(const net::Mac& mac) {
  ifreq request = request_for(name_);
  int error = ask(SIOCGIFHWADDR, request);
  const bool differs =
      !std::equal(mac.bytes.begin(), mac.bytes.end(),
                  reinterpret_cast<const std::uint8_t*>(request.ifr_hwaddr.sa_data));
  if (error == 0 && differs) {
    request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    std::copy(mac.bytes.begin(), mac.bytes.end(),
              reinterpret_cast<std::uint8_t*>(request.ifr_hwaddr.sa_data));
    error = ask(SIOCSIFHWADDR, request);
  }
  request = request_for(name_);
  if (error == 0) error = ask(SIOCGIFFLAGS, request);
  if (error == 0 && (request.ifr_flags & IFF_UP) == 0) {
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
    error = ask(SIOCSIFFLAGS, request);
  }
  if (error == 0) return {};
  return tl::unexpected("TAP " + name_ + ": " + std::strerror(error));
}

void TapDevice::set_carrier(Carrier carrier) {
  const bool up = carrier == Carrier::kUp;
  if (up == carrier_) return;
  int value = up ? 1 : 0;
  if (ioctl(fd_, TUNSETCARRIER, &value) == 0) carrier_ = up;
}

std::size_t TapPort::receive(std::span<net::Packet> packets) {
  if (turn_++ % kTurnsPerLook != 0) return 0;
  std::size_t count = 0;
  while (count < packets.size()) {
    rte_mbuf* mbuf = rte_pktmbuf_alloc(pool());
    if (mbuf == nullptr) break;
    const ssize_t length = read(fd_, rte_pktmbuf_mtod(mbuf, void*), rte_pktmbuf_tailroom(mbuf));
    if (length <= 0) {
      rte_pktmbuf_free(mbuf);
      break;
    }
    rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(length));
    packets[count++] = packet_of(mbuf);
  }
  if (count != 0) turn_ = 0;  // there may be more
  return count;
}

std::size_t TapPort::transmit(Buffers buffers) {
  std::size_t count = 0;
  for (; count < buffers.size(); ++count) {
    const auto* mbuf = static_cast<const rte_mbuf*>(buffers[count]);
    if (write(fd_, rte_pktmbuf_mtod(mbuf, const void*), rte_pktmbuf_data_len(mbuf)) < 0) break;
  }
  release(buffers.first(count));
  return count;
}

}  // namespace keepline::port
