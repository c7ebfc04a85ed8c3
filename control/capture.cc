#include "control/capture.h"

#include <pcap/pcap.h>

#include <algorithm>
#include <chrono>

namespace keepline::control {

namespace {

constexpr int kSnapLength = 65535;

tl::expected<std::vector<bpf_insn>, std::string> compile(const std::string& filter) {
  if (filter.empty()) return std::vector<bpf_insn>();
  const std::unique_ptr<pcap_t, decltype(&pcap_close)> ethernet(
      pcap_open_dead(DLT_EN10MB, kSnapLength), pcap_close);
  bpf_program program{};
  constexpr int kOptimize = 1;
  if (pcap_compile(ethernet.get(), &program, filter.c_str(), kOptimize, PCAP_NETMASK_UNKNOWN) !=
      0) {
    return tl::unexpected(std::string(pcap_geterr(ethernet.get())));
  }
  std::vector<bpf_insn> result(program.bf_insns, program.bf_insns + program.bf_len);
  pcap_freecode(&program);
  return result;
}

std::uint64_t now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

}  // namespace

LiveCapture::LiveCapture(worker::Dataplane& dataplane, const std::vector<std::string>& ports,
                         std::uint16_t kept)
    : dataplane_(dataplane), writer_("keepline " KEEPLINE_VERSION, ports, kept) {}

tl::expected<std::unique_ptr<LiveCapture>, std::string> LiveCapture::start(
    worker::Dataplane& dataplane, const std::vector<std::string>& ports,
    const api::CaptureQuery& query) {
  auto filter = compile(query.filter);
  if (!filter) return tl::unexpected("filter: " + filter.error());
  std::unique_ptr<LiveCapture> live(
      new LiveCapture(dataplane, ports, static_cast<std::uint16_t>(query.bytes)));
  for (unsigned i = 0; i < dataplane.worker_count(); ++i) {
    live->captures_.push_back(
        std::make_shared<worker::Capture>(*filter, static_cast<std::uint16_t>(query.bytes)));
    if (dataplane.capture(i, live->captures_.back()) == worker::Dataplane::Send::kFull) {
      return tl::unexpected(std::string("a worker does not keep up"));
    }
  }
  return live;
}

LiveCapture::~LiveCapture() {
  for (unsigned i = 0; i < captures_.size(); ++i) dataplane_.capture(i, nullptr);
}

std::string LiveCapture::read(std::size_t most, std::size_t& frames) {
  using Way = worker::CapturedFrame::Way;
  frames = 0;
  for (const auto& capture : captures_) {
    frames += capture->drain(most - frames, [this](const worker::CapturedFrame& frame) {
      writer_.frame(frame.port,
                    frame.way == Way::kIn ? PcapngWriter::Way::kIn : PcapngWriter::Way::kOut,
                    frame.time_ns, frame.length, net::Bytes(frame.bytes).first(frame.kept),
                    frame.dropped ? "dropped" : "");
    });
  }
  return writer_.take();
}

std::string LiveCapture::statistics() {
  std::uint64_t matched = 0;
  std::uint64_t missed = 0;
  for (const auto& capture : captures_) {
    matched += capture->matched();
    missed += capture->missed();
  }
  writer_.statistics(now_ns(), matched, missed);
  return writer_.take();
}

}  // namespace keepline::control
