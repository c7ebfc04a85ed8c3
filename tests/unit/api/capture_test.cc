// The stream of a capture over a real socket, and what the CLI makes of it.
#include <gtest/gtest.h>

#include "control/cli/capture.h"
#include "tests/unit/api/server_fixture.h"

namespace keepline::api {
namespace {

TEST_F(ServerTest, ACaptureEndsWithItsCount) {
  start();
  std::string got;
  const Fetched fetched = cli::stream(path_, "/v1/capture?count=3", [&](std::string_view piece) {
    got += piece;
    return true;
  });
  EXPECT_EQ(fetched.result, FetchResult::kOk);
  EXPECT_EQ(got, "head;frame;frame;frame;statistics;");
}

TEST_F(ServerTest, ACaptureThatIsRefusedSaysWhy) {
  start();
  for (const auto& [query, error] :
       {std::pair("program=6e6f6e73656e7365", "the program is not sound"),
        std::pair("program=6e6f", "program must be BPF instructions"),
        std::pair("program=6x", "program must be BPF instructions"),
        std::pair("count=x", "count must be a number in")}) {
    const Fetched fetched = cli::stream(path_, std::string("/v1/capture?") + query,
                                        [](std::string_view) { return true; });
    EXPECT_EQ(fetched.result, FetchResult::kRefused);
    EXPECT_NE(fetched.message.find(error), std::string::npos) << fetched.message;
  }
}

TEST_F(ServerTest, WhoHasEnoughLeaves) {
  start();
  const Fetched fetched =
      cli::stream(path_, "/v1/capture?seconds=60", [](std::string_view) { return false; });
  EXPECT_EQ(fetched.result, FetchResult::kOk);
}

TEST(CaptureQuery, BoundsAndDefaults) {
  const ParsedCaptureQuery usual = parse_capture_query({});
  EXPECT_EQ(usual.error, "");
  EXPECT_EQ(usual.query.seconds, 60u);
  EXPECT_EQ(usual.query.bytes, 1536u);
  const ParsedCaptureQuery given = parse_capture_query(
      {{"program", "0600000000000400"}, {"count", "5"}, {"seconds", "3600"}, {"bytes", "64"}});
  EXPECT_EQ(given.query.program, std::string("\6\0\0\0\0\0\4\0", 8));
  EXPECT_EQ(given.query.count, 5u);
  for (const Query& wrong : {Query{{"seconds", "0"}}, Query{{"seconds", "3601"}},
                             Query{{"bytes", "63"}}, Query{{"count", "-1"}}}) {
    EXPECT_NE(parse_capture_query(wrong).error, "");
  }
}

TEST(CompileFilter, TcpdumpsWords) {
  const cli::CompiledFilter good = cli::compile_filter("tcp port 80 and host 10.0.0.1");
  EXPECT_EQ(good.error, "");
  EXPECT_EQ(good.program.size() % 16, 0u);
  EXPECT_FALSE(good.program.empty());
  EXPECT_EQ(parse_capture_query({{"program", good.program}}).error, "");
  EXPECT_NE(cli::compile_filter("hosst 10.0.0.1").error, "");
}

// Whatever pieces the stream comes in.
TEST(CaptureCount, CountsFramesAndWhatWasMissed) {
  std::string data;
  const auto block = [&](std::uint32_t type, std::string body) {
    const auto length = static_cast<std::uint32_t>(12 + body.size());
    for (const std::uint32_t number : {type, length}) {
      data.append(reinterpret_cast<const char*>(&number), 4);
    }
    data += body;
    data.append(reinterpret_cast<const char*>(&length), 4);
  };
  block(0x0a0d0d0a, std::string(16, 'x'));
  block(6, std::string(40, 'f'));
  block(6, std::string(44, 'f'));
  std::string statistics(12 + 12 + 4, '\0');
  const std::uint64_t missed = 7;
  statistics.append(reinterpret_cast<const char*>(&missed), 8);
  block(5, statistics + std::string(4, '\0'));
  for (const std::size_t size : {1u, 7u, 64u, 1000u}) {
    cli::CaptureCount count;
    for (std::size_t at = 0; at < data.size(); at += size) count.see(data.substr(at, size));
    EXPECT_EQ(count.frames(), 2u);
    EXPECT_EQ(count.missed(), 7u);
  }
}

}  // namespace
}  // namespace keepline::api
