// The HTTP codec: requests byte by byte, responses whole and in pieces of every size.
#include "checks/http_codec.h"

#include <gtest/gtest.h>

namespace keepline::checks {
namespace {

using State = ResponseParser::State;

struct Parsed {
  State state;
  int status;
  std::string body;
};

// Feeds `text` in pieces and closes.
Parsed parse(std::string_view text, std::size_t piece) {
  ResponseParser parser;
  std::string body;
  while (!text.empty() && !parser.is_finished()) {
    body += parser.feed(text.substr(0, piece));
    text.remove_prefix(std::min(piece, text.size()));
  }
  parser.close();
  EXPECT_EQ(parser.body_bytes(), body.size());
  return {parser.state(), parser.status(), body};
}

TEST(HttpCodec, RequestOfEachVersion) {
  EXPECT_EQ(build_request(HttpVersion::k10, "/a?b", "www"),
            "GET /a?b HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: www\r\n\r\n");
  EXPECT_EQ(build_request(HttpVersion::k10Close, "/", "www"),
            "GET / HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: www\r\n"
            "\r\n");
  EXPECT_EQ(build_request(HttpVersion::k11, "/", "www"),
            "GET / HTTP/1.1\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: www\r\n"
            "\r\n");
}

TEST(HttpCodec, DefaultHostAlwaysNamesThePort) {
  EXPECT_EQ(default_host(*net::parse_ip("10.0.0.1"), 80), "10.0.0.1:80");
  EXPECT_EQ(default_host(*net::parse_ip("2001:db8::1"), 443), "[2001:db8::1]:443");
}

TEST(HttpCodec, EveryWayOfCuttingGivesTheSameResponse) {
  constexpr std::string_view kText =
      "HTTP/1.1 200 OK\r\nServer: x\r\ncOnTeNt-LeNgTh: 5\r\n\r\nhelloGARBAGE";
  for (std::size_t piece = 1; piece <= kText.size(); ++piece) {
    const Parsed parsed = parse(kText, piece);
    EXPECT_EQ(parsed.state, State::kDone) << piece;
    EXPECT_EQ(parsed.status, 200);
    EXPECT_EQ(parsed.body, "hello");
  }
}

TEST(HttpCodec, BodyWithoutLengthEndsAtClose) {
  const Parsed parsed = parse("HTTP/1.0 404 Not here\n\nabc\n\ndef", 4);
  EXPECT_EQ(parsed.state, State::kDone);
  EXPECT_EQ(parsed.status, 404);
  EXPECT_EQ(parsed.body, "abc\n\ndef");
}

TEST(HttpCodec, BodyShorterThanAnnouncedIsAccepted) {
  const Parsed parsed = parse("HTTP/1.1 200\r\nContent-Length: 50\r\n\r\nshort", 100);
  EXPECT_EQ(parsed.state, State::kDone);
  EXPECT_EQ(parsed.body, "short");
}

TEST(HttpCodec, ResponsesWithoutABodyEndAtTheHeaders) {
  for (const std::string_view text :
       {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}) {
    ResponseParser parser;
    EXPECT_TRUE(parser.feed(text).empty());
    EXPECT_EQ(parser.state(), State::kDone) << text;
  }
}

TEST(HttpCodec, UnusableContentLengthIsIgnored) {
  for (const std::string_view value : {"abc", "-1", "5x", "99999999999999999999999", ""}) {
    const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: " + std::string(value);
    EXPECT_EQ(parse(text + "\r\n\r\nwhole body", 7).body, "whole body") << value;
  }
}

TEST(HttpCodec, WhatIsNotHttpIsToldAtOnce) {
  ResponseParser parser;
  parser.feed("SSH");
  EXPECT_EQ(parser.state(), State::kBad);
  for (const std::string_view text :
       {"", "HTTP", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n", "HTTP/1.1\r\n\r\n",
        "HTTP/1.1 20\r\n\r\n", "HTTP/1.1 2000\r\n\r\n", "HTTP/1.1 099 x\r\n\r\n",
        "HTTP/x.y 200\r\n\r\n", "HTTP/ 200\r\n\r\n", "\r\n\r\n", "http/1.1 200 OK\r\n\r\n"}) {
    EXPECT_EQ(parse(text, 3).state, State::kBad) << text;
  }
}

TEST(HttpCodec, HeadersAreBounded) {
  const std::string head = "HTTP/1.1 200 OK\r\nX: ";
  const std::string fits(kMaxHeaderBytes - head.size() - 4, 'x');
  EXPECT_EQ(parse(head + fits + "\r\n\r\nb", 1000).state, State::kDone);
  EXPECT_EQ(parse(head + fits + "x\r\n\r\nb", 1000).state, State::kTooLong);
  EXPECT_EQ(parse(head + std::string(3 * kMaxHeaderBytes, 'x'), 1).state, State::kTooLong);
}

TEST(HttpCodec, LargeBodyIsCountedBeyond32Bits) {
  ResponseParser parser;
  parser.feed("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n");
  EXPECT_EQ(parser.state(), State::kBody);
  EXPECT_EQ(parser.feed("abc"), "abc");
  EXPECT_EQ(parser.body_bytes(), 3u);
}

}  // namespace
}  // namespace keepline::checks
