// A live capture: the workers' frames as a pcapng stream.
//
// Control thread only. Bound: Capture::kFrames frames wait in each worker.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "control/api/server.h"
#include "control/pcapng.h"
#include "dataplane/worker/capture.h"
#include "dataplane/worker/dataplane.h"

namespace keepline::control {

class LiveCapture final : public api::CaptureSource {
 public:
  /// Sets the workers going; an error says why not.
  static tl::expected<std::unique_ptr<LiveCapture>, std::string> start(
      worker::Dataplane& dataplane, const std::vector<std::string>& ports,
      const api::CaptureQuery& query);
  /// A worker lets go of its part at its next turn.
  ~LiveCapture() override;
  LiveCapture(const LiveCapture&) = delete;
  LiveCapture& operator=(const LiveCapture&) = delete;

  /// What there is of the file by now, at most `most` frames of it; `frames` counts them.
  std::string read(std::size_t most, std::size_t& frames) override;
  /// How many matched and were missed so far, as a block of the file.
  std::string statistics() override;
  /// Expires with this.
  std::weak_ptr<void> life() const { return life_; }

 private:
  LiveCapture(worker::Dataplane& dataplane, const std::vector<std::string>& ports,
              std::uint16_t kept);

  worker::Dataplane& dataplane_;
  std::vector<std::shared_ptr<worker::Capture>> captures_;  // by worker
  PcapngWriter writer_;
  std::shared_ptr<void> life_ = std::make_shared<char>();
};

}  // namespace keepline::control
