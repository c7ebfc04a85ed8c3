// The connection table against a plain map: random operations, the same answers.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <unordered_map>
#include <vector>

#include "tests/unit/lb/connections.h"

namespace keepline::lb {
namespace {

constexpr std::uint32_t kFlows = 4000;
constexpr std::size_t kCapacity = 2000;
constexpr std::size_t kHalfOpen = 300;
constexpr int kOperations = 1'000'000;

template <typename F>
class Model {
 public:
  explicit Model(unsigned seed)
      : random_(seed), table_(table_config<F>(kCapacity, kHalfOpen), now_s_) {}

  void step() {
    const unsigned what = pick(100);
    if (what < 35) {
      insert();
    } else if (what < 55) {
      touch();
    } else if (what < 65) {
      remove();
    } else if (what < 95) {
      look();
    } else {
      pass_time();
    }
    ASSERT_EQ(table_.size(), expiry_.size());
  }

  void check_everything() {
    for (std::uint32_t flow = 0; flow < kFlows; ++flow) look_at(flow);
    std::size_t listed = 0;
    for (std::size_t i = 0; i < table_.high_water(); ++i) listed += table_.at(i) != nullptr;
    EXPECT_EQ(listed, expiry_.size());
  }

 private:
  std::uint32_t pick(std::uint32_t below) { return static_cast<std::uint32_t>(random_() % below); }
  std::uint32_t deadline() { return now_s_ + 1 + pick(pick(4) == 0 ? 3000 : 60); }

  void insert() {
    const std::uint32_t flow = pick(kFlows);
    if (expiry_.count(flow) != 0) return;
    const bool half_open = pick(3) == 0;
    if (half_open && table_.half_open_full()) {
      Connection<F>* oldest = table_.oldest_half_open();
      ASSERT_NE(oldest, nullptr);
      ASSERT_TRUE(oldest->is_half_open());
      expiry_.erase(number_of(*oldest));
      table_.remove(*oldest);
    }
    const std::uint32_t at_s = half_open ? now_s_ + kSynReceived_s : deadline();
    const FlowState state = half_open ? FlowState::kSynReceived : FlowState::kEstablished;
    if (add(table_, flow, at_s, state) != nullptr) {
      expiry_[flow] = at_s;
    } else {
      ASSERT_EQ(table_.size(), kCapacity);
    }
  }
  void touch() {
    const std::uint32_t flow = pick(kFlows);
    Connection<F>* connection = find(table_, flow);
    ASSERT_EQ(connection != nullptr, expiry_.count(flow) != 0);
    if (connection == nullptr) return;
    if (connection->is_half_open() && pick(2) == 0) connection->state = FlowState::kEstablished;
    expiry_[flow] = connection->is_half_open() ? now_s_ + kSynReceived_s : deadline();
    table_.settle(*connection, expiry_[flow]);
  }
  void remove() {
    const std::uint32_t flow = pick(kFlows);
    Connection<F>* connection = find(table_, flow);
    ASSERT_EQ(connection != nullptr, expiry_.count(flow) != 0);
    if (connection == nullptr) return;
    table_.remove(*connection);
    expiry_.erase(flow);
  }
  void look() { look_at(pick(kFlows)); }
  void look_at(std::uint32_t flow) {
    Connection<F>* forward = find(table_, flow);
    Connection<F>* back =
        table_.find(hash_of(table_, flow), reverse_key<F>(flow), Direction::kReverse);
    ASSERT_EQ(forward, back) << flow;
    ASSERT_EQ(forward != nullptr, expiry_.count(flow) != 0) << flow;
    if (forward != nullptr) {
      ASSERT_EQ(forward->expires_s, expiry_[flow]);
    }
  }
  void pass_time() {
    now_s_ += pick(200) == 0 ? 1 + pick(5000) : pick(3);
    table_.expire(now_s_, 1'000'000, [this](Connection<F>& connection) {
      const std::uint32_t flow = number_of(connection);
      ASSERT_EQ(expiry_.count(flow), 1u) << flow;
      EXPECT_LE(expiry_[flow], now_s_);
      expiry_.erase(flow);
    });
    // Every now and then: all that is left has time left.
    if (pick(50) != 0) return;
    for (const auto& [flow, at_s] : expiry_) ASSERT_GT(at_s, now_s_) << flow;
  }

  static constexpr std::uint32_t kSynReceived_s = 60;
  static std::uint32_t number_of(const Connection<F>& connection) {
    if constexpr (F::kFamily == net::Family::kV4) {
      return connection.client.value() - 0x0b000000;
    } else {
      const auto& bytes = connection.client.bytes;
      return std::uint32_t{bytes[13]} << 16 | std::uint32_t{bytes[14]} << 8 | bytes[15];
    }
  }

  std::mt19937 random_;
  std::uint32_t now_s_ = 77;
  ConnectionTable<F> table_;
  std::unordered_map<std::uint32_t, std::uint32_t> expiry_;
};

template <typename F>
void compare() {
  const char* wanted = std::getenv("KEEPLINE_SEED");
  const unsigned seed = wanted != nullptr ? static_cast<unsigned>(std::strtoul(wanted, nullptr, 10))
                                          : std::random_device()();
  SCOPED_TRACE("again with KEEPLINE_SEED=" + std::to_string(seed));
  Model<F> model(seed);
  for (int i = 0; i < kOperations; ++i) {
    model.step();
    if (::testing::Test::HasFatalFailure()) return;
  }
  model.check_everything();
}

TEST(ConnectionModel, AMillionRandomOperationsIpv4) {
  compare<net::V4>();
}

TEST(ConnectionModel, AMillionRandomOperationsIpv6) {
  compare<net::V6>();
}

}  // namespace
}  // namespace keepline::lb
