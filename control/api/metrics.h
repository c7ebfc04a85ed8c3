// The daemon's figures in Prometheus' text format (version 0.0.4).
//
// PURE; made of the reports that the rest of the API gives, written in pieces of kLinesPerPiece.
// The names and labels are documented in docs/metrics.md. Cardinality is bounded: beyond
// kMaxServices services and kMaxServers real servers the rest has no series of its own, and
// keepline_series_left_out says how many.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/api/status.h"

namespace keepline::api {

class MetricsWriter {
 public:
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";
  static constexpr std::size_t kMaxServices = 2000;
  static constexpr std::size_t kMaxServers = 10'000;
  static constexpr std::size_t kLinesPerPiece = 512;

  MetricsWriter(StatusReport status, LcoresReport lcores, VrrpsReport vrrp, BfdsReport bfd = {});

  /// Before the first piece.
  void add(ServiceReport service);

  enum class Piece : std::uint8_t { kMore, kLast };
  Piece write_piece();
  std::string take_text() { return std::move(text_); }

 private:
  class Lines;
  void write_daemon();
  void write_workers();
  void write_ports();
  void write_vrrp();
  void write_bfd();

  StatusReport status_;
  LcoresReport lcores_;
  VrrpsReport vrrp_;
  BfdsReport bfd_;
  std::vector<ServiceReport> services_;
  std::size_t servers_ = 0;
  std::size_t left_out_ = 0;
  bool head_written_ = false;
  std::size_t family_ = 0;   // of those of services and servers
  std::size_t service_ = 0;  // within the family
  std::string text_;
};

}  // namespace keepline::api
