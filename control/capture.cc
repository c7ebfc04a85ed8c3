#include "control/capture.h"

#include <chrono>
#include <cstring>

namespace keepline::control {

namespace {

static_assert(api::CaptureQuery::kMostBytes <= worker::CapturedFrame::kMostKept);

tl::expected<std::vector<bpf_insn>, std::string> instructions_of(const std::string& program) {
  std::vector<bpf_insn> result(program.size() / sizeof(bpf_insn));
  std::memcpy(result.data(), program.data(), result.size() * sizeof(bpf_insn));
  if (!result.empty() && bpf_validate(result.data(), static_cast<int>(result.size())) == 0) {
    return tl::unexpected(std::string("the filter's program is not sound"));
  }
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
  auto filter = instructions_of(query.program);
  if (!filter) return tl::unexpected(filter.error());
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
