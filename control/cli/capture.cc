#include "control/cli/capture.h"

#include <pcap/pcap.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <iostream>
#include <memory>

#include "control/cli/client.h"

namespace keepline::cli {

namespace {

constexpr std::uint32_t kStatistics = 5;
constexpr std::uint32_t kFrame = 6;
constexpr std::size_t kMissedAt = 36;  // in a block of statistics as the daemon writes it

template <typename Number>
Number number_at(std::string_view text, std::size_t at) {
  Number value;
  std::memcpy(&value, text.data() + at, sizeof value);
  return value;
}

std::string summary(const CaptureCount& count) {
  std::string text = std::to_string(count.frames()) + " frames";
  if (count.missed() != 0) text += ", " + std::to_string(count.missed()) + " missed";
  return text;
}

}  // namespace

void CaptureCount::see(std::string_view piece) {
  rest_ += piece;
  std::size_t at = 0;
  while (rest_.size() - at >= 12) {
    const std::string_view block = std::string_view(rest_).substr(at);
    const auto length = number_at<std::uint32_t>(block, 4);
    if (length < 12 || block.size() < length) break;
    const auto type = number_at<std::uint32_t>(block, 0);
    frames_ += type == kFrame;
    if (type == kStatistics && length >= kMissedAt + 8) {
      missed_ = number_at<std::uint64_t>(block, kMissedAt);
    }
    at += length;
  }
  rest_.erase(0, at);
}

CompiledFilter compile_filter(const std::string& expression) {
  constexpr int kSnapLength = 65535;
  constexpr int kOptimize = 1;
  constexpr std::size_t kMostInstructions = 400;  // that fit into a request
  const std::unique_ptr<pcap_t, decltype(&pcap_close)> ethernet(
      pcap_open_dead(DLT_EN10MB, kSnapLength), pcap_close);
  bpf_program program{};
  if (pcap_compile(ethernet.get(), &program, expression.c_str(), kOptimize, PCAP_NETMASK_UNKNOWN) !=
      0) {
    return {{}, std::string("filter: ") + pcap_geterr(ethernet.get())};
  }
  std::string text;
  const auto* bytes = reinterpret_cast<const unsigned char*>(program.bf_insns);
  for (std::size_t i = 0; i < program.bf_len * sizeof(bpf_insn); ++i) {
    constexpr char kHex[] = "0123456789abcdef";
    text += kHex[bytes[i] >> 4];
    text += kHex[bytes[i] & 15];
  }
  const bool fits = program.bf_len <= kMostInstructions;
  pcap_freecode(&program);
  if (!fits) return {{}, "filter: the expression is too long"};
  return {text, {}};
}

int capture(const std::string& socket_path, const std::string& path, const std::string& file) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> opened(nullptr, std::fclose);
  std::FILE* out = stdout;
  if (file != "-") {
    opened.reset(std::fopen(file.c_str(), "wb"));
    out = opened.get();
  }
  if (out == nullptr) {
    std::cerr << "keepline: " << file << ": " << std::strerror(errno) << '\n';
    return 1;
  }
  CaptureCount count;
  bool written = true;
  const bool shows = isatty(STDERR_FILENO) == 1;
  const Fetched fetched = stream(socket_path, path, [&](std::string_view piece) {
    count.see(piece);
    written =
        std::fwrite(piece.data(), 1, piece.size(), out) == piece.size() && std::fflush(out) == 0;
    if (shows) std::cerr << '\r' << summary(count) << std::flush;
    return written;
  });
  if (shows) std::cerr << '\r';
  if (!written) {
    std::cerr << "keepline: " << file << ": " << std::strerror(errno) << '\n';
    return 1;
  }
  if (fetched.result != FetchResult::kOk) {
    std::cerr << "keepline: " << fetched.message << '\n';
    return 1;
  }
  std::cerr << summary(count) << '\n';
  return 0;
}

}  // namespace keepline::cli
