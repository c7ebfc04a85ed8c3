// Queries: decoding, and what `explain` makes of them.
#include "control/api/query.h"

#include <gtest/gtest.h>

namespace keepline::api {
namespace {

TEST(Query, MembersAreDecoded) {
  EXPECT_EQ(parse_query("")->size(), 0u);
  const auto query = parse_query("a=1&b=%5b::1%5D%3A80&c=&d=x=y");
  ASSERT_TRUE(query);
  EXPECT_EQ(*query, (Query{{"a", "1"}, {"b", "[::1]:80"}, {"c", ""}, {"d", "x=y"}}));
}

TEST(Query, MalformedOnesAreRefused) {
  for (const char* text : {"a", "a=1&&b=2", "a=1&a=2", "a=%", "a=%1", "a=%zz", "&"}) {
    EXPECT_FALSE(parse_query(text)) << text;
  }
}

TEST(Query, EncodingIsUndoneByDecoding) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  const std::string encoded = percent_encoded(all);
  EXPECT_EQ(encoded.find_first_of("&=[]: +"), std::string::npos);
  EXPECT_EQ(parse_query("x=" + encoded)->at("x"), all);
  EXPECT_EQ(percent_encoded("[::1]:80"), "%5B%3A%3A1%5D%3A80");
}

ParsedExplainQuery parsed(const char* source, const char* destination, const char* protocol) {
  return parse_explain_query(
      {{"source", source}, {"destination", destination}, {"protocol", protocol}});
}

TEST(Query, ExplainOfEitherFamily) {
  const auto v4 = parsed("198.51.100.7:1", "192.0.2.100:80", "Tcp");
  EXPECT_EQ(v4.error, "");
  EXPECT_EQ(net::to_string(v4.query.source), "198.51.100.7:1");
  EXPECT_EQ(v4.query.protocol, net::Protocol::kTcp);
  const auto v6 = parsed("[2001:db8::7]:1", "[::1]:80", "udp");
  EXPECT_EQ(v6.error, "");
  EXPECT_EQ(net::to_string(v6.query.destination), "[::1]:80");
  EXPECT_EQ(v6.query.protocol, net::Protocol::kUdp);
}

TEST(Query, ExplainSaysWhatIsWrong) {
  EXPECT_EQ(parse_explain_query({}).error, "source must be ADDRESS:PORT");
  EXPECT_EQ(parsed("1.1.1.1:1", "2.2.2.2", "tcp").error, "destination must be ADDRESS:PORT");
  EXPECT_EQ(parsed("1.1.1.1:1", "2.2.2.2:2", "icmp").error, "protocol must be tcp, udp or sctp");
  EXPECT_EQ(parsed("1.1.1.1:1", "[::1]:2", "tcp").error,
            "source and destination must be of one address family");
}

TEST(ConnectionFilter, LetsThroughWhatFitsAllOfIt) {
  lb::Connection<net::V4> c{};
  c.protocol = net::Protocol::kTcp;
  c.state = lb::FlowState::kEstablished;
  c.client = net::parse_ip4("198.51.100.7")->be();
  c.client_port = net::be16(5000);
  c.vip = net::parse_ip4("192.0.2.1")->be();
  c.vip_port = net::be16(80);
  c.real = net::parse_ip4("10.0.0.2")->be();
  c.real_port = net::be16(8080);
  const auto fits = [&c](const Query& query) {
    const ParsedConnectionFilter parsed = parse_connection_filter(query);
    EXPECT_EQ(parsed.error, "");
    return parsed.filter.matches(c);
  };
  for (const Query& query : {Query{},
                             {{"client", "198.51.100.7"}},
                             {{"client", "198.51.100.0/24"}},
                             {{"client", "0.0.0.0/0"}},
                             {{"client", "198.51.100.7:5000"}},
                             {{"virtual", "192.0.2.1:80"}},
                             {{"virtual", ":80"}},
                             {{"server", "10.0.0.2:8080"}, {"protocol", "TCP"}},
                             {{"state", "ESTABLISHED"}, {"client", ":5000"}}}) {
    EXPECT_TRUE(fits(query));
  }
  for (const Query& query : {Query{{"client", "198.51.100.8"}},
                             {{"client", "198.51.101.0/24"}},
                             {{"client", "198.51.100.7:5001"}},
                             {{"client", "::/0"}},
                             {{"virtual", ":81"}},
                             {{"server", "10.0.0.3"}},
                             {{"protocol", "udp"}},
                             {{"state", "TIME_WAIT"}, {"client", ":5000"}}}) {
    EXPECT_FALSE(fits(query));
  }
}

TEST(ConnectionFilter, SaysWhatIsWrong) {
  const std::pair<Query, const char*> wrong[] = {
      {{{"client", "web"}}, "client must be ADDRESS, ADDRESS/LENGTH, ADDRESS:PORT or :PORT"},
      {{{"client", "10.0.0.0/33"}},
       "client must be ADDRESS, ADDRESS/LENGTH, ADDRESS:PORT or :PORT"},
      {{{"client", "10.0.0.0/"}}, "client must be ADDRESS, ADDRESS/LENGTH, ADDRESS:PORT or :PORT"},
      {{{"server", ":0"}}, "server must be ADDRESS, ADDRESS/LENGTH, ADDRESS:PORT or :PORT"},
      {{{"virtual", ""}}, "virtual must be ADDRESS, ADDRESS/LENGTH, ADDRESS:PORT or :PORT"},
      {{{"protocol", "icmp"}}, "protocol must be tcp, udp or sctp"},
      {{{"state", "established"}}, "state must be one of the listing, such as ESTABLISHED"},
      {{{"port", "80"}}, "there is no filter 'port'"}};
  for (const auto& [query, error] : wrong) {
    EXPECT_EQ(parse_connection_filter(query).error, error);
  }
}

}  // namespace
}  // namespace keepline::api
