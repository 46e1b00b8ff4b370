// RecordStore: the append-only history that every view reads. Filled from one Source, on the ui thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "engine/record/round.h"

namespace draftscope {

/// One generation: a session alone, or one request of a batch.
struct RequestHistory {
  std::optional<SessionInfo> info;
  std::deque<RoundRecord> rounds;
  std::optional<SessionEnd> end;
  int64_t n_skipped = 0;  // rounds that are missing here (gaps in seq)
};

class RecordStore {
 public:
  /// A SessionInfo begins a new generation and clears what was there; one more request of the same batch joins it.
  void append(Message message);
  /// Remembers a frame that could not be read; shown to people, never thrown away silently.
  void report(std::string error) { errors_.push_back(std::move(error)); }

  /// Every request in the order of its first frame; at least one, empty until something arrives.
  const std::deque<RequestHistory>& requests() const { return requests_; }
  /// The request that the four below speak of: the first, until another is chosen.
  size_t shown_request() const { return shown_; }
  void show_request(size_t request);

  const std::optional<SessionInfo>& info() const { return shown().info; }
  const std::optional<SessionEnd>& end() const { return shown().end; }
  const std::deque<RoundRecord>& rounds() const { return shown().rounds; }
  /// Rounds that are missing here: the live queue was full, or a frame could not be read.
  int64_t n_skipped() const { return shown().n_skipped; }
  bool empty() const { return rounds().empty(); }
  const std::vector<std::string>& errors() const { return errors_; }
  /// Changes with every append and every choice; views cache on it.
  uint64_t version() const { return version_; }

 private:
  const RequestHistory& shown() const { return requests_[shown_]; }
  void begin(SessionInfo info);
  // The request of a session; null, after a report, when its SessionInfo is missing: it would mix two generations.
  RequestHistory* request_of(int64_t session);
  // Adds the rounds between the last one here and `seq`.
  static void count_skipped(RequestHistory& request, int64_t seq);

  std::deque<RequestHistory> requests_ = std::deque<RequestHistory>(1);
  size_t shown_ = 0;
  std::vector<std::string> errors_;
  uint64_t version_ = 0;
};

}  // namespace draftscope
