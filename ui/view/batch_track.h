// A batch along its passes: which requests were in flight, how many nodes each was given, and how that depends on how many
// shared the budget.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ui/store.h"

namespace draftscope {

/// One request's rounds.
struct BatchLane {
  size_t request = 0;              // index into RecordStore::requests()
  int64_t session = 0;
  int32_t row = 0;                 // of the picture; a request that came after another ended may share its row
  std::vector<int32_t> pass;       // (n_rounds,) ascending indices into BatchTrack's passes
  std::vector<int32_t> nodes, tokens;  // (n_rounds,) verified below the root; decoded
};

/// All passes that the same number of requests shared.
struct BudgetAtSize {
  int32_t n_requests = 0;
  int32_t n_passes = 0;
  double nodes = 0;         // per request and pass, mean
  double tokens = 0;        // decoded per request and pass, mean
  double tokens_per_s = 0;  // of all requests together
};

/// Sums over passes.
class BudgetsBySize {
 public:
  /// One record of each pass. Requires record.shared.
  void add(const RoundRecord& record);
  /// Takes off what a text committed behind its end, in its last pass, which was one of `n_requests` and is added already.
  void take_off(int32_t n_requests, int64_t n_tokens);
  /// Ascending n_requests; means and speeds from 0 on.
  std::vector<BudgetAtSize> figures() const;

 private:
  struct Sums {
    int32_t n_passes = 0;
    double nodes = 0, tokens = 0, seconds = 0;  // of all requests of those passes
  };
  std::map<int32_t, Sums> sums_;
};

struct BatchTrack {
  // (n_passes,) each, in the order of the passes.
  std::vector<int64_t> number;              // ascending, as the records name it
  std::vector<int32_t> n_requests, n_tokens;  // n_tokens: decoded, as decoded_tokens counts them
  std::vector<double> nodes_each, took_ms;  // mean nodes per request; of the whole pass
  std::vector<BatchLane> lanes;             // with rounds, in the order of requests()
  std::vector<BudgetAtSize> by_size;        // ascending n_requests
  int32_t n_rows = 0;                       // of the picture
  int32_t most_nodes = 1;                   // that any request was given in a pass, at least 1
  std::string took_origin;
  std::string empty_reason;

  int32_t n_passes() const { return static_cast<int32_t>(n_requests.size()); }
};

BatchTrack batch_track(const RecordStore& store);

/// "pass 12: 4 requests in flight, 18.5 nodes each, 11 tokens, 9.1 ms measured". Empty when out of range.
std::string pass_line(const BatchTrack& track, int32_t pass);
/// "request 3: 18 nodes, 4 tokens; Tell me a story": the lane's part of the pass, and the start of its prompt.
std::string lane_line(const RecordStore& store, const BatchLane& lane, int32_t pass);
/// Index of the pass that `record` belongs to; -1 when it shared none.
int32_t pass_of(const BatchTrack& track, const RoundRecord& record);
/// Index of the first round of a request in pass `number` or later; its last round when there is none; 0 without rounds.
int64_t round_at_pass(const RequestHistory& request, int64_t number);

}  // namespace draftscope
