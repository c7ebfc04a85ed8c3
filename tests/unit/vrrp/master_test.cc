// MASTER: adverts, elections, stepping down, reload.
#include <gtest/gtest.h>

#include "tests/unit/vrrp/support.h"

namespace keepline::vrrp {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

std::string hear(Master& m, std::uint8_t priority, const char* source = "10.9.0.9") {
  m.instance.handle_advert(advert_from(m.instance.config(), source, priority), m.now_us + 1);
  return did(m.instance);
}

TEST(Master, SendsEachIntervalAndRenewsTheLease) {
  Master m(config_of(100));
  for (int i = 1; i <= 5; ++i) {
    const std::int64_t due_us = m.now_us + i * kSecond_us;
    EXPECT_EQ(m.instance.next_timeout(), due_us);
    m.instance.handle_timeout(due_us - 1);
    EXPECT_EQ(did(m.instance), "");
    m.instance.handle_timeout(due_us);
    const auto actions = drain(m.instance);
    EXPECT_EQ(words(actions), "advert:100 grant");
    EXPECT_EQ(std::get<GrantLease>(actions[1]).until_us, due_us + 3 * kSecond_us);
  }
  EXPECT_EQ(m.instance.statistics().advert_sent, 6u);
}

TEST(Master, AnswersPriorityZeroAtOnce) {
  Master m(config_of(100));
  EXPECT_EQ(hear(m, 0), "garp2 advert:100 grant") << "who left may have had our clients";
  EXPECT_EQ(m.instance.next_timeout(), m.now_us + 1 + kSecond_us);
}

TEST(Master, LowerPriorityForcesAnElection) {
  Master m(config_of(100));
  EXPECT_EQ(hear(m, 99), "notice0 garp2 advert:100 grant");
  EXPECT_EQ(hear(m, 100, "10.9.0.4"), "notice0 garp2 advert:100 grant") << "lower address";
  EXPECT_EQ(m.instance.state(), State::kMaster);
}

TEST(Master, LowerPrioNoAdvertOnlyAnnounces) {
  InstanceConfig config = config_of(100);
  config.lower_prio_no_advert = true;
  Master m(config);
  EXPECT_EQ(hear(m, 99), "notice0 garp2");
}

TEST(Master, HigherPriorityWins) {
  Master m(config_of(100));
  m.instance.handle_advert(advert_from(m.instance.config(), "10.9.0.9", 101), m.now_us + 1);
  const auto actions = drain(m.instance);
  EXPECT_EQ(words(actions), "linger MASTER>BACKUP");
  EXPECT_EQ(reason_in(actions), Reason::kHigherPriority);
  EXPECT_EQ(m.instance.deadline_us(), m.now_us + 1 + 3'609'375);
  EXPECT_EQ(m.instance.master_address(), ip("10.9.0.9"));
  EXPECT_EQ(m.instance.statistics().release_master, 1u);
  EXPECT_EQ(m.instance.statistics().pri_zero_sent, 0u);
}

TEST(Master, EqualPriorityAndHigherAddressWins) {
  Master m(config_of(100));
  EXPECT_EQ(hear(m, 100, "10.9.0.6"), "linger MASTER>BACKUP");
}

TEST(Master, HigherPrioSendAdvert) {
  InstanceConfig config = config_of(100);
  config.higher_prio_send_advert = true;
  Master m(config);
  EXPECT_EQ(hear(m, 101), "linger advert:100 MASTER>BACKUP");
}

TEST(Master, StepsDownOntoTheNewMastersInterval) {
  Master m(config_of(100, Version::k3, kSecond_us));
  Advert advert = advert_from(m.instance.config(), "10.9.0.9", 200);
  advert.interval_us = 100 * kMs;
  m.instance.handle_advert(advert, m.now_us + 1);
  EXPECT_EQ(did(m.instance), "linger MASTER>BACKUP notice1");
  EXPECT_EQ(m.instance.deadline_us(), m.now_us + 1 + 360'937);
}

TEST(Master, TwoOwnersAreToldApartByAddress) {
  Master m(config_of(255));
  EXPECT_EQ(hear(m, 255, "10.9.0.4"), "notice0 garp2 advert:255 grant notice4");
  EXPECT_EQ(hear(m, 255, "10.9.0.4"), "notice0 garp2 advert:255 grant");
  EXPECT_EQ(hear(m, 255, "10.9.0.6"), "linger MASTER>BACKUP notice4");
  EXPECT_EQ(hear(m, 254, "10.9.0.4"), "");
  run_until(m.instance, m.instance.deadline_us());
  EXPECT_EQ(m.instance.state(), State::kMaster) << "the other owner is gone";
}

TEST(Master, OwnerMayIgnoreAdverts) {
  InstanceConfig config = config_of(255);
  config.owner_ignore_adverts = true;
  Master m(config);
  EXPECT_EQ(hear(m, 255, "10.9.0.6"), "");
  EXPECT_EQ(m.instance.statistics().advert_rcvd, 0u);
}

TEST(Master, IgnoresItsOwnPackets) {
  Master m(config_of(100));
  EXPECT_EQ(hear(m, 200, "10.9.0.5"), "notice3");
  EXPECT_EQ(hear(m, 200, "10.9.0.5"), "");
  EXPECT_EQ(m.instance.state(), State::kMaster);
}

TEST(Master, StopReleases) {
  Master m(config_of(100));
  m.instance.stop(m.now_us + 1);
  EXPECT_EQ(did(m.instance), "revoke release advert:0 MASTER>INIT");
  EXPECT_EQ(m.instance.statistics().pri_zero_sent, 1u);
  EXPECT_FALSE(m.instance.lease().valid(m.now_us + 1));
  EXPECT_EQ(m.instance.next_timeout(), std::nullopt);
}

TEST(Master, PriorityChangeGoesOutWithTheNextAdvert) {
  Master m(config_of(100));
  m.instance.set_priority(50, m.now_us + 1);
  EXPECT_EQ(did(m.instance), "");
  m.instance.handle_timeout(m.now_us + kSecond_us);
  EXPECT_EQ(did(m.instance), "advert:50 grant");
}

TEST(Master, OwnersPriorityIsFixed) {
  Master m(config_of(255));
  m.instance.set_priority(50, m.now_us + 1);
  EXPECT_EQ(m.instance.effective_priority(), 255);
}

TEST(Master, ReloadKeepsMastership) {
  Master m(config_of(100));
  InstanceConfig config = m.instance.config();
  m.instance.reconfigure(config, m.now_us + 1);
  EXPECT_EQ(did(m.instance), "") << "nothing changed";
  config.vips.push_back(ip("10.9.0.101"));
  m.instance.reconfigure(config, m.now_us + 2);
  EXPECT_EQ(did(m.instance), "acquire garp2 advert:100 grant");
  config.advert_interval_us = 10 * kSecond_us;
  m.instance.reconfigure(config, m.now_us + 3);
  EXPECT_EQ(did(m.instance), "advert:100 grant");
  EXPECT_EQ(m.instance.lease().until_us(), m.now_us + 3 + 3 * kSecond_us) << "it may be late";
  m.instance.handle_timeout(m.now_us + 3 + kSecond_us);
  EXPECT_EQ(did(m.instance), "advert:100 grant");
  EXPECT_EQ(m.instance.lease().until_us(), m.now_us + 3 + 31 * kSecond_us);
  config.priority = 30;
  m.instance.reconfigure(config, m.now_us + 4 + kSecond_us);
  EXPECT_EQ(m.instance.effective_priority(), 30);
  EXPECT_EQ(m.instance.state(), State::kMaster);
}

TEST(Master, AnOwnerMayIgnoreAdverts) {
  InstanceConfig config = config_of(255);
  const Advert rival = advert_from(config, "10.9.0.9", 255);
  Master yields(config);
  yields.instance.handle_advert(rival, yields.now_us + 1);
  EXPECT_EQ(yields.instance.state(), State::kBackup) << "the higher address";
  config.owner_ignore_adverts = true;
  Master stays(config);
  EXPECT_EQ(stays.instance.handle_advert(rival, stays.now_us + 1), AdvertResult::kIgnored);
  EXPECT_EQ(stays.instance.state(), State::kMaster);
  config.priority = 254;
  Master other(config);
  other.instance.handle_advert(rival, other.now_us + 1);
  EXPECT_EQ(other.instance.state(), State::kBackup) << "only an owner may";
}

}  // namespace
}  // namespace keepline::vrrp
