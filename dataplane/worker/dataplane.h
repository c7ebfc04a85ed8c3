// The dataplane as the control thread sees it: start, publish, leases, mail, counters, stop.
//
// Control thread only. Hides DPDK: nothing of it is in this header.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "dataplane/lb/stages.h"
#include "dataplane/worker/devices.h"
#include "dataplane/worker/worker.h"

namespace keepline::worker {

struct DataplaneConfig {
  std::string file_prefix;
  std::vector<DeviceConfig> devices;
  std::vector<PortConfig> ports;
  lb::PipelineConfig pipeline;  ///< Of all workers together.
  unsigned workers = 1;         ///< 1..kMaxWorkers.
  IdleMode idle = IdleMode::kAdaptive;
};

class Dataplane {
 public:
  /// Starts DPDK, attaches the devices and prepares the workers, which run() sets going. The TAPs
  /// have the MACs of their NICs then. For each port of an owned device, in their order, a port to
  /// its TAP follows all of `config`.
  /// On error everything is as it was before; the text names the port and what to do.
  static tl::expected<std::unique_ptr<Dataplane>, std::string> start(const DataplaneConfig& config);
  /// Stops the workers and detaches the ports.
  ~Dataplane();
  Dataplane(const Dataplane&) = delete;
  Dataplane& operator=(const Dataplane&) = delete;

  void run();

  /// See rcu::Cell::publish.
  rcu::Publish publish(std::unique_ptr<const lb::Snapshot>& next);

  /// Lets the workers speak for the slot for `duration_us` from now; muted, see lb::LeaseTable.
  void grant_lease(lb::LeaseSlot slot, std::int64_t duration_us, bool muted);
  void revoke_lease(lb::LeaseSlot slot);
  void mute_lease(lb::LeaseSlot slot);   ///< See lb::LeaseTable::mute.
  void share_lease(lb::LeaseSlot slot);  ///< See lb::LeaseTable::share.

  enum class Send : std::uint8_t { kQueued, kFull };
  /// Sends a frame through a port, or drops it when that was not possible within `valid_us`.
  Send send(net::PortId port, net::Bytes frame, std::int64_t valid_us);

  /// Whether at least half of the port's queue of frames to send is free.
  bool has_room(net::PortId port) const;
  /// Whether the workers have taken everything given to send().
  bool all_sent() const;

  /// File descriptor that becomes readable when there is mail; see receive_mail().
  int doorbell_fd() const;
  /// Makes it unreadable again; call before receive_mail().
  void silence_doorbell();
  struct MailHandlers {
    std::function<void(net::PortId, net::Bytes frame)> advert;
    std::function<void(const lb::NeighbourSeen&)> neighbour;
    std::function<void(const ConnectionRecord&)> connection;
    std::function<void(const ExplainRecord&)> explanation;
    std::function<void(const BfdEvent&)> bfd;
  };
  /// Empties the queues, at most kMailPerCall of each kind; rearms the doorbell. True when more
  /// may be waiting.
  bool receive_mail(const MailHandlers& handlers);

  /// Asks one worker for a page of its connections; it arrives as mail.
  Send list_connections(unsigned worker, const ListingRequest& request);

  /// Tells every worker how many connections the others have of a real server; see lb::Loads.
  void share_load(const lb::RealServer& real);

  unsigned worker_count() const;
  /// The kernel's ids of the workers' threads; none before run().
  const std::vector<int>& threads() const;
  const Worker& worker(unsigned index) const;
  /// The workers' clock, see lb::LeavingServer::until_s.
  std::uint32_t now_s() const;
  /// Gives a worker frames to capture into; nullptr: it is to stop. It lets go of the one before at
  /// its next turn.
  Send capture(unsigned worker, std::shared_ptr<Capture> capture);
  /// Asks the worker whose packet it is; the answer arrives as mail.
  Send explain(const ExplainRequest& request);

  /// To the worker that has the BFD sessions; what becomes of it arrives as mail.
  Send order_bfd(const BfdOrder& order);
  const BfdBoard& bfd_board() const;
  /// The clock that the board goes by.
  std::int64_t now_us() const;

  /// Whether workers measure the cycles of each stage, on some of their bursts; off at start.
  void sample_stages(bool on);
  lb::StageFigures stage_figures(unsigned worker) const;
  /// Of the counter that stage figures are in.
  std::uint64_t cycles_per_s() const;
  bool hugepages() const;
  /// Lets the TAPs of owned NICs have a carrier while there is a cable; asks the devices.
  void follow_links();
  /// Which NICs of a bond (bit n: the n-th) carry traffic; by default none does.
  void use_nics(std::size_t device, std::uint32_t nics);
  std::uint64_t missed(net::PortId port) const;

 private:
  Dataplane();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace keepline::worker
