// The forwarding benchmark: one JSON command a line on stdin, one JSON answer a line on stdout.
// scripts/bench is its front end; see docs/performance.md for what is measured and why.
#include <rte_cycles.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <vector>

#include "tests/bench/rig.h"

namespace keepline::bench {
namespace {

namespace json = boost::json;

constexpr unsigned kMostWorkers = 2;
constexpr std::uint32_t kEndless = 0xffffffff;
constexpr std::uint64_t kSlice = 1 << 19;  // packets between two lines of progress

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

void say(const json::value& value) {
  std::cout << json::serialize(value) << std::endl;
}

class Bench {
 public:
  Bench() : ground_(kMostWorkers) {
    say({{"hello",
          {{"cpu", cpu_name()},
           {"tsc_mhz", rte_get_tsc_hz() / 1'000'000},
           {"hugepages", ground_.hugepages()}}}});
  }

  json::value answer(const json::object& command) {
    if (const auto* p = command.if_contains("prepare")) return prepare(p->as_object());
    if (const auto* p = command.if_contains("run")) return run(p->as_object());
    if (const auto* p = command.if_contains("setups")) return setups(p->as_object());
    if (const auto* p = command.if_contains("cookies")) return cookies(p->as_object());
    if (const auto* p = command.if_contains("lives")) return lives(p->as_object());
    if (const auto* p = command.if_contains("publish")) return publish(p->as_object());
    throw std::runtime_error("unknown command");
  }

 private:
  json::value prepare(const json::object& wanted);
  json::value run(const json::object& wanted);
  json::value setups(const json::object& wanted);
  json::value cookies(const json::object& wanted);
  json::value lives(const json::object& wanted);
  json::value publish(const json::object& wanted);
  void establish(std::uint8_t flags, double from, double to);
  void answer_all(double from, double to);
  void send(const std::vector<std::unique_ptr<Source>>& sources, std::uint64_t packets, double from,
            double to);

  Ground ground_;
  std::unique_ptr<Rig> rig_;
  RigConfig config_;
  std::uint32_t flows_ = 0;
  std::vector<std::unique_ptr<Source>> sources_;
};

int family_of(const json::object& wanted) {
  return static_cast<int>(wanted.at("family").to_number<int>());
}

// Sends one packet of every flow, in order.
void Bench::establish(std::uint8_t flags, double from, double to) {
  const std::uint32_t share = (flows_ + config_.workers - 1) / config_.workers;
  std::vector<std::unique_ptr<Source>> sources;
  for (unsigned i = 0; i < config_.workers; ++i) {
    sources.push_back(std::make_unique<InOrder>(config_.family, i * share,
                                                std::min(flows_, (i + 1) * share), flags));
  }
  send(sources, share, from, to);
}

template <typename F>
std::vector<Answer> answers_of(const lb::ConnectionTable<F>& table) {
  std::vector<Answer> answers;
  for (std::size_t position = 0; position < table.high_water(); ++position) {
    if (const auto* c = table.at(position)) {
      answers.push_back(
          {flow_of(F::generic(c->local)), number_of_server(F::generic(c->real)), c->local_port});
    }
  }
  return answers;
}

// Sends the server's SYN-ACK of every connection that there is.
void Bench::answer_all(double from, double to) {
  std::vector<std::unique_ptr<Source>> sources;
  std::size_t most = 0;
  for (unsigned i = 0; i < config_.workers; ++i) {
    const lb::Pipeline& pipeline = rig_->worker(i).pipeline();
    auto answers = config_.family == 6 ? answers_of(pipeline.connections6())
                                       : answers_of(pipeline.connections4());
    if (answers.empty()) answers.push_back({});
    most = std::max(most, answers.size());
    sources.push_back(std::make_unique<Answers>(config_.family, std::move(answers)));
  }
  send(sources, most, from, to);
}

// At least `packets` of each worker's source, with progress between `from` and `to`.
void Bench::send(const std::vector<std::unique_ptr<Source>>& sources, std::uint64_t packets,
                 double from, double to) {
  std::vector<Source*> pointers;
  for (const auto& source : sources) pointers.push_back(source.get());
  for (std::uint64_t done = 0; done < packets; done += kSlice) {
    rig_->run(pointers, std::min<std::uint64_t>(kSlice, packets - done), 0);
    say({{"progress",
          from + (to - from) * static_cast<double>(done) / static_cast<double>(packets)}});
  }
}

lb::Method method_of(const json::object& wanted) {
  const json::string& name = wanted.at("method").as_string();
  if (name == "dr") return lb::Method::kDirectRouting;
  if (name == "tun") return lb::Method::kTunnel;
  return name == "fullnat" ? lb::Method::kFullNat : lb::Method::kNat;
}

json::value Bench::prepare(const json::object& wanted) {
  rig_.reset();
  config_ = {};
  config_.method = method_of(wanted);
  config_.family = family_of(wanted);
  config_.workers = wanted.at("workers").to_number<unsigned>();
  flows_ = wanted.at("flows").to_number<std::uint32_t>();
  // Bursts of a few flows overshoot; nothing is to be refused for that.
  config_.connections = flows_ + flows_ / 50 + 8192;
  rig_ = std::make_unique<Rig>(ground_, config_);
  // Again when a worker was held up by the machine for so long that frames for it were dropped.
  std::uint64_t dropped = 0;
  for (int tries = 0; tries == 0 || (rig_->drops() != dropped && tries < 5); ++tries) {
    dropped = rig_->drops();
    establish(net::kTcpSyn, 0, 0.4);
    if (lb::translates(config_.method)) answer_all(0.4, 0.7);
    establish(net::kTcpAck, 0.7, 1);
  }
  sources_.clear();
  for (unsigned i = 0; i < config_.workers; ++i) {
    sources_.push_back(std::make_unique<Uniform>(config_.family, flows_));
  }
  const auto bytes = [&](const auto& table) { return table.bytes_per_connection(); };
  const lb::Pipeline& pipeline = rig_->worker(0).pipeline();
  std::uint64_t connections = 0;
  for (unsigned i = 0; i < config_.workers; ++i) {
    connections += rig_->worker(i).pipeline().counters().connections.get();
  }
  if (rig_->drops() != dropped) {
    throw std::runtime_error("dropped while preparing: " + rig_->drop_reasons());
  }
  return {{"ready",
           {{"bytes_per_connection",
             config_.family == 6 ? bytes(pipeline.connections6()) : bytes(pipeline.connections4())},
            {"connections", connections}}}};
}

// Nanoseconds per packet of each stage, as the first worker's sampling has found since prepare().
json::object stages_of(const Rig& rig) {
  const lb::StageFigures figures = rig.worker(0).stages().figures();
  json::object result;
  for (std::size_t i = 0; i < lb::kStages; ++i) {
    const auto cycles = static_cast<double>(figures.cycles[i]);
    const double seconds = cycles / static_cast<double>(rte_get_tsc_hz());
    result[lb::to_string(static_cast<lb::Stage>(i))] =
        seconds * 1e9 / static_cast<double>(std::max<std::uint64_t>(figures.packets, 1));
  }
  return result;
}

json::value Bench::run(const json::object& wanted) {
  if (rig_ == nullptr) throw std::runtime_error("prepare comes first");
  const bool sampled = wanted.contains("stages") && wanted.at("stages").as_bool();
  rig_->sample_stages(sampled);
  std::vector<Source*> pointers;
  for (const auto& source : sources_) pointers.push_back(source.get());
  const std::uint64_t before = rig_->received();
  const std::uint64_t dropped = rig_->drops();
  const Rig::Taken taken = rig_->run(pointers, 0, wanted.at("seconds").to_number<double>());
  const auto packets = static_cast<double>(rig_->received() - before);
  const auto lost = static_cast<double>(rig_->drops() - dropped);
  json::object ran = {{"packets", packets},
                      {"dropped", lost},
                      {"ns_per_packet", taken.wall_s * 1e9 / packets},
                      {"cpu_ns_per_packet", taken.cpu_s * 1e9 / packets}};
  if (sampled) ran["stages"] = stages_of(*rig_);
  return {{"ran", ran}};
}

// SYNs of flows that never were, while as many expire: the clock runs so much faster that the 60 s
// of SYN_RECV pass in less than one.
json::value Bench::setups(const json::object& wanted) {
  rig_.reset();
  config_ = {};
  config_.family = family_of(wanted);
  config_.connections = 1 << 23;
  config_.clock_factor = 100;
  rig_ = std::make_unique<Rig>(ground_, config_);
  InOrder source(config_.family, 0, kEndless, net::kTcpSyn);
  rig_->run({&source}, 0, 1.0);  // until as many expire as come
  const lb::PipelineCounters& counters = rig_->worker(0).pipeline().counters();
  const std::uint64_t created = counters.created.get();
  const std::uint64_t expired = counters.expired.get();
  const double seconds = rig_->run({&source}, 0, wanted.at("seconds").to_number<double>()).wall_s;
  if (rig_->drops() != 0 || counters.stateless.get() != 0 || counters.reclaimed.get() != 0) {
    throw std::runtime_error("the table was too small for the rate");
  }
  return {
      {"setups",
       {{"per_second", static_cast<double>(counters.created.get() - created) / seconds},
        {"expired_per_second", static_cast<double>(counters.expired.get() - expired) / seconds}}}};
}

// SYNs of a flood that a SYN proxy answers.
json::value Bench::cookies(const json::object& wanted) {
  rig_.reset();
  config_ = {};
  config_.family = family_of(wanted);
  config_.syn_proxy = true;
  rig_ = std::make_unique<Rig>(ground_, config_);
  InOrder source(config_.family, 0, kEndless, net::kTcpSyn);
  const lb::Counter& answered = rig_->worker(0).pipeline().counters().syn_cookies;
  rig_->run({&source}, 0, 0.1);
  const std::uint64_t before = answered.get();
  const double seconds = rig_->run({&source}, 0, wanted.at("seconds").to_number<double>()).wall_s;
  if (rig_->drops() != 0) throw std::runtime_error("packets were dropped");
  return {{"cookies", {{"per_second", static_cast<double>(answered.get() - before) / seconds}}}};
}

json::value Bench::lives(const json::object& wanted) {
  rig_.reset();
  config_ = {};
  config_.family = family_of(wanted);
  config_.connections = 1 << 23;
  config_.clock_factor = 200;  // 120 s of TIME_WAIT in 0.6 s
  rig_ = std::make_unique<Rig>(ground_, config_);
  Lives source(config_.family);
  rig_->run({&source}, 0, 1.0);
  const std::uint64_t before = source.completed();
  const std::uint64_t expired = rig_->worker(0).pipeline().counters().expired.get();
  const double seconds = rig_->run({&source}, 0, wanted.at("seconds").to_number<double>()).wall_s;
  if (rig_->drops() != 0) throw std::runtime_error("packets were dropped");
  return {{"lives",
           {{"per_second", static_cast<double>(source.completed() - before) / seconds},
            {"expired_per_second",
             static_cast<double>(rig_->worker(0).pipeline().counters().expired.get() - expired) /
                 seconds}}}};
}

// One weight changes among all services: what the builder needs, and what the worker's first turns
// with the new snapshot take more than others.
// A Maglev ring of 65,537 slots for 1,000 servers, in microseconds: what a change of the pool of an
// `mh` service costs the builder.
double ring_us() {
  std::vector<lb::MaglevRing::Member> members;
  for (std::uint32_t i = 0; i < 1000; ++i) members.push_back({0x0a000000u + i, 1});
  std::vector<double> taken;
  for (int round = 0; round < 21; ++round) {
    const auto start = std::chrono::steady_clock::now();
    const lb::MaglevRing ring(members, 65537);
    taken.push_back(seconds_since(start) * 1e6);
  }
  std::sort(taken.begin(), taken.end());
  return taken[taken.size() / 2];
}

json::value Bench::publish(const json::object& wanted) {
  const auto services = wanted.at("services").to_number<std::uint32_t>();
  const auto servers = wanted.at("servers").to_number<std::uint32_t>();
  rig_.reset();
  config_ = {};
  rig_ = std::make_unique<Rig>(ground_, config_);
  const auto make = [&](std::uint32_t slot, std::uint32_t weight) {
    auto service = std::make_shared<lb::Service>();
    service->slot = slot;
    service->vip = {net::Ip4(0xc6120000 + slot), 80};
    for (std::uint32_t i = 0; i < servers; ++i) {
      lb::RealServer real;
      real.slot = 1000 + slot * servers + i;
      real.generation = 1;
      real.endpoint = {net::Ip4(0x0b000000 + slot * servers + i), 80};
      real.weight = i == 0 ? weight : 1;
      service->pool.push_back(real);
    }
    service->seal();
    return service;
  };
  for (std::uint32_t slot = 1; slot <= services; ++slot) {
    rig_->builder().set_service(make(slot, 1));
    if (slot % 1000 == 0) say({{"progress", static_cast<double>(slot) / services}});
  }
  rig_->publish();
  InOrder source(4, 0, kEndless, net::kTcpSyn);
  std::vector<double> builder_us;
  std::vector<double> worker_us;
  for (std::uint32_t round = 0; round < 100; ++round) {
    auto changed = make(1 + round * 37 % services, 2 + round);
    const auto start = std::chrono::steady_clock::now();
    rig_->builder().set_service(std::move(changed));
    rig_->publish();
    builder_us.push_back(seconds_since(start) * 1e6);
    const double with_new = rig_->turn(source);
    worker_us.push_back((with_new - rig_->turn(source)) * 1e6);
  }
  std::sort(builder_us.begin(), builder_us.end());
  std::sort(worker_us.begin(), worker_us.end());
  return {{"publish",
           {{"builder_us", builder_us[50]},
            {"builder_max_us", builder_us.back()},
            {"worker_us", std::max(worker_us[50], 0.0)},
            {"ring_us", ring_us()}}}};
}

}  // namespace
}  // namespace keepline::bench

int main() {
  using namespace keepline::bench;
  try {
    Bench bench;
    for (std::string line; std::getline(std::cin, line);) {
      try {
        say(bench.answer(json::parse(line).as_object()));
      } catch (const std::exception& error) {
        say({{"error", error.what()}});
      }
    }
  } catch (const std::exception& error) {
    say({{"error", error.what()}});
    return 1;
  }
  return 0;
}
