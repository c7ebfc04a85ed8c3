#include "control/api/capture_session.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "control/api/chunked_reply.h"
#include "control/api/reply.h"

namespace keepline::api {

namespace {

namespace asio = boost::asio;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::string_view kPcapng = "application/x-pcapng";
constexpr std::chrono::milliseconds kPause{20};
constexpr std::chrono::seconds kSign{1};  // so often something is sent, and a client that left seen

}  // namespace

asio::awaitable<void> send_capture(ClientPtr client, const SessionContext& context,
                                   std::string_view query_text, unsigned version) {
  using Clock = std::chrono::steady_clock;
  const ParsedCaptureQuery parsed = parse_capture_query(parse_query(query_text).value_or(Query()));
  if (!parsed.error.empty()) {
    co_return co_await reply_bad_request(client, context.timeout, parsed.error);
  }
  auto started = context.backend.start_capture(parsed.query);
  if (!started.error.empty()) {
    co_return co_await reply_bad_request(client, context.timeout, started.error);
  }
  const std::unique_ptr<CaptureSource> source = std::move(started.source);
  ChunkedReply reply(client, context.timeout, version);
  std::size_t frames = 0;
  if (co_await reply.begin(kPcapng, source->read(0, frames)) != Sent::kOk) co_return;
  const auto end = Clock::now() + std::chrono::seconds(parsed.query.seconds);
  auto next_sign = Clock::now() + kSign;
  std::uint64_t left = parsed.query.count != 0 ? parsed.query.count : ~std::uint64_t{0};
  while (left != 0 && Clock::now() < end) {
    std::string piece = source->read(std::min<std::uint64_t>(left, kFramesPerPiece), frames);
    left -= frames;
    if (Clock::now() >= next_sign) {
      piece += source->statistics();
      next_sign = Clock::now() + kSign;
    }
    if (co_await reply.write(piece) != Sent::kOk) co_return;
    if (context.is_stopped()) co_return;
    client->answer_timer.expires_after(frames != 0 ? std::chrono::milliseconds(0) : kPause);
    co_await client->answer_timer.async_wait(kAwait);
    if (context.is_stopped()) co_return;
  }
  co_await reply.end(source->statistics());
}

}  // namespace keepline::api
