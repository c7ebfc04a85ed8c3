#include "control/pcapng.h"

#include <cstring>

namespace keepline::control {

namespace {

constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a;
constexpr std::uint32_t kInterface = 1;
constexpr std::uint32_t kStatistics = 5;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::uint16_t kEthernet = 1;
constexpr std::uint16_t kComment = 1;
constexpr std::uint16_t kName = 2;
constexpr std::uint16_t kFlags = 2;
constexpr std::uint16_t kApplication = 4;
constexpr std::uint16_t kReceived = 4;
constexpr std::uint16_t kMissed = 5;
constexpr std::uint16_t kResolution = 9;

}  // namespace

/// Type and length in front, the length again at the end; everything at multiples of 4 bytes.
class PcapngWriter::Block {
 public:
  Block(std::string& text, std::uint32_t type) : text_(text), begin_(text.size()) {
    put(type);
    put(std::uint32_t{0});
  }
  ~Block() {
    const auto length = static_cast<std::uint32_t>(text_.size() - begin_ + 4);
    put(length);
    std::memcpy(text_.data() + begin_ + 4, &length, sizeof length);
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  template <typename Number>
  void put(Number number) {
    char bytes[sizeof number];
    std::memcpy(bytes, &number, sizeof number);
    text_.append(bytes, sizeof number);
  }
  void put_time(std::uint64_t time_ns) {
    put(static_cast<std::uint32_t>(time_ns >> 32));
    put(static_cast<std::uint32_t>(time_ns));
  }
  void padded(std::string_view bytes) {
    text_ += bytes;
    text_.append((4 - bytes.size() % 4) % 4, '\0');
  }
  void option(std::uint16_t code, std::string_view value) {
    put(code);
    put(static_cast<std::uint16_t>(value.size()));
    padded(value);
  }
  template <typename Number>
  void option_number(std::uint16_t code, Number value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    option(code, {bytes, sizeof value});
  }
  void end_of_options() { put(std::uint32_t{0}); }

 private:
  std::string& text_;
  std::size_t begin_;
};

PcapngWriter::PcapngWriter(std::string_view application, const std::vector<std::string>& interfaces,
                           std::uint32_t kept_bytes) {
  {
    Block section(text_, kSectionHeader);
    section.put(std::uint32_t{0x1a2b3c4d});
    section.put(std::uint16_t{1});
    section.put(std::uint16_t{0});
    section.put(~std::uint64_t{0});  // length not said
    section.option(kApplication, application);
    section.end_of_options();
  }
  for (const std::string& name : interfaces) {
    Block block(text_, kInterface);
    block.put(kEthernet);
    block.put(std::uint16_t{0});
    block.put(kept_bytes);
    block.option(kName, name);
    block.option_number(kResolution, std::uint8_t{9});
    block.end_of_options();
  }
}

void PcapngWriter::frame(std::uint32_t interface, Way way, std::uint64_t time_ns,
                         std::uint32_t length, net::Bytes kept, std::string_view comment) {
  Block block(text_, kEnhancedPacket);
  block.put(interface);
  block.put_time(time_ns);
  block.put(static_cast<std::uint32_t>(kept.size()));
  block.put(length);
  block.padded({reinterpret_cast<const char*>(kept.data()), kept.size()});
  block.option_number(kFlags, static_cast<std::uint32_t>(way));
  if (!comment.empty()) block.option(kComment, comment);
  block.end_of_options();
}

void PcapngWriter::statistics(std::uint64_t time_ns, std::uint64_t matched, std::uint64_t missed) {
  Block block(text_, kStatistics);
  block.put(std::uint32_t{0});
  block.put_time(time_ns);
  block.option_number(kReceived, matched);
  block.option_number(kMissed, missed);
  block.end_of_options();
}

}  // namespace keepline::control
