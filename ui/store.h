// RecordStore: the append-only history that every view reads. Filled from one Source, on the ui thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "engine/record/round.h"

namespace draftscope {

class RecordStore {
 public:
  /// A SessionInfo begins a new generation and clears the rounds of the one before.
  void append(Message message);
  /// Remembers a frame that could not be read; shown to people, never thrown away silently.
  void report(std::string error) { errors_.push_back(std::move(error)); }

  const std::optional<SessionInfo>& info() const { return info_; }
  const std::optional<SessionEnd>& end() const { return end_; }
  const std::deque<RoundRecord>& rounds() const { return rounds_; }
  const std::vector<std::string>& errors() const { return errors_; }
  bool empty() const { return rounds_.empty(); }
  /// Rounds that are missing here (gaps in seq): the live queue was full, or a frame could not be read.
  int64_t n_skipped() const { return n_skipped_; }
  /// Changes with every append; views cache on it.
  uint64_t version() const { return version_; }

 private:
  // A message whose SessionInfo is missing would mix two generations: it is reported instead.
  void report_stray_session(int64_t session);
  // Adds the rounds between the last one here and `seq`.
  void count_skipped(int64_t seq);

  std::optional<SessionInfo> info_;
  std::optional<SessionEnd> end_;
  std::deque<RoundRecord> rounds_;
  std::vector<std::string> errors_;
  int64_t n_skipped_ = 0;
  uint64_t version_ = 0;
};

}  // namespace draftscope
