// The question at the end of a run: which of its numbers has each far end seen?
#include <poll.h>

#include <array>
#include <cerrno>

#include "control/cli/probe/probe.h"
#include "control/cli/probe/wire.h"

namespace keepline::cli::probe {

namespace {

constexpr int kTries = 5;
constexpr int kPatienceMs = 200;  // for each

// One part of the tally, from range `index` on; how many there are in all. nullopt: no answer.
std::optional<std::uint64_t> ask_part(int fd, std::uint64_t run, std::uint64_t index,
                                      std::vector<Range>& ranges) {
  std::array<std::byte, kMaxTallyBytes> question{};
  write({Kind::kTallyQuestion, run, index, 0, {}}, std::span(question).first<kDatagramBytes>());
  for (int tries = 0; tries < kTries; ++tries) {
    send(fd, question.data(), question.size(), 0);
    pollfd waiting{fd, POLLIN, 0};
    while (poll(&waiting, 1, kPatienceMs) > 0) {
      std::array<std::byte, kMaxTallyBytes> bytes;
      const ssize_t got = recv(fd, bytes.data(), bytes.size(), 0);
      if (got < 0) break;
      const auto part = std::span(bytes).first(static_cast<std::size_t>(got));
      const auto tally = read(part);
      if (!tally || tally->kind != Kind::kTally || tally->run != run || tally->number != index) {
        continue;  // of a try before
      }
      const std::vector<Range> more = read_ranges(part);
      ranges.insert(ranges.end(), more.begin(), more.end());
      return tally->received_at;
    }
  }
  return {};
}

bool ask_server(const Endpoint& server, std::uint64_t run, std::vector<Range>& ranges) {
  const Descriptor fd(socket(server.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid() || connect(fd.get(), server.get(), server.length) != 0) return false;
  std::vector<Range> mine;
  std::uint64_t count = 1;
  while (mine.size() < count) {
    const std::size_t before = mine.size();
    const auto all = ask_part(fd.get(), run, before, mine);
    if (!all) return false;
    count = *all;
    if (count >= Seen::kMaxRanges || (mine.size() == before && before < count)) return false;
  }
  ranges.insert(ranges.end(), mine.begin(), mine.end());
  return true;
}

}  // namespace

Tallies ask_tallies(const std::vector<Endpoint>& servers, std::uint64_t run,
                    std::uint64_t& unasked) {
  Tallies tallies;
  unasked = 0;
  for (const Endpoint& server : servers) unasked += !ask_server(server, run, tallies.seen);
  tallies.complete = !servers.empty() && unasked == 0;
  return tallies;
}

}  // namespace keepline::cli::probe
