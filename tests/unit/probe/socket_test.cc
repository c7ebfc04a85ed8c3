// Endpoints as people write them.
#include "control/cli/probe/socket.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace keepline::cli::probe {
namespace {

TEST(ProbeEndpoint, IPv4) {
  const auto endpoint = parse_endpoint("192.0.2.1:53");
  ASSERT_TRUE(endpoint) << endpoint.error();
  EXPECT_EQ(endpoint->family(), AF_INET);
  const auto* v4 = reinterpret_cast<const sockaddr_in*>(endpoint->get());
  EXPECT_EQ(ntohs(v4->sin_port), 53);
  EXPECT_EQ(ntohl(v4->sin_addr.s_addr), 0xc0000201u);
}

TEST(ProbeEndpoint, IPv6) {
  const auto endpoint = parse_endpoint("[2001:db8::1]:5300");
  ASSERT_TRUE(endpoint) << endpoint.error();
  EXPECT_EQ(endpoint->family(), AF_INET6);
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(endpoint->get());
  EXPECT_EQ(ntohs(v6->sin6_port), 5300);
}

TEST(ProbeEndpoint, WhatIsNone) {
  for (const char* text : {"", ":", "192.0.2.1", "192.0.2.1:", ":53", "192.0.2.1:port",
                           "2001:db8::1:53", "[2001:db8::1]", "300.0.0.1:53", "192.0.2.1:99999"}) {
    EXPECT_FALSE(parse_endpoint(text)) << text;
  }
}

}  // namespace
}  // namespace keepline::cli::probe
