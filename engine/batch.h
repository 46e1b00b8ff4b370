// Batch: several requests on one pair, one budget for all. A round drafts, decides and verifies for every request in
// flight at once; requests come and go between rounds. Every request writes the very text that a session alone writes.
// Where the backend can, rounds stay in its memory; the host takes over while a request in flight draws from more of the
// target's answer than the device ranks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "engine/device_rounds.h"
#include "engine/pair_memory.h"
#include "engine/record/round.h"
#include "engine/speculate/shared_budget.h"
#include "engine/stage_clock.h"
#include "engine/text_state.h"

namespace draftscope {

struct BatchOptions {
  BudgetRule rule;           // methods that share_budget: max_nodes caps the sum; others: each request's own tree
  int32_t n_slots = 8;       // requests in flight at most
  int32_t slot_tokens = 2048;  // room of a slot: prompt and output; never more than the target's context
  int32_t block_size = 0;    // drafter slots used, anchor included; 0: as trained
  CostModel cost;            // of passes over one text; see pass_cost for what is made of it
  bool whole_curves = true;  // fill every candidate budget of the records, outside the timed stages
};

/// A request that left its slot.
struct FinishedRequest {
  SessionEnd end;
  std::vector<int32_t> output;
};

class Batch {
 public:
  /// Memory for all slots. Errors: an unusable rule, cost or number.
  static Result<Batch> start(const Pair& pair, BatchOptions options);

  int32_t n_active() const;
  bool has_room() const { return n_active() < options_.n_slots; }
  /// Reads the prompt into a free slot; the request takes part from the next round on. Returns its info for the record.
  /// Errors: no slot is free (has_room tells), a prompt or sampling as Session::start refuses them, a text longer than a
  /// slot, a session id in use, a stopped prompt; the batch goes on as if nothing had been asked.
  Result<SessionInfo> admit(const std::vector<int32_t>& prompt, TextOptions options,
                            const std::function<bool(int32_t done, int32_t total)>& progress = {});

  /// One round of every request in flight, in the order of their slots. Requires n_active() > 0.
  std::vector<RoundRecord> round();
  /// Ends every request in flight after the rounds so far.
  void stop(EndReason reason = EndReason::kStopped);
  /// The requests that ended since the last call; their slots are free.
  std::vector<FinishedRequest> take_finished();
  /// The last pass's records have been sent: those of the next one say what making and sending them took, measured.
  void records_sent() { telemetry_ns_ = after_round_.telemetry_ns(); }

 private:
  struct Request {
    TextState text;
    KvCache target, drafter;
    int32_t cast_width = 0;  // kCast: of the request's first draft
    int32_t n_new = 0;       // rows of memory_.new_features that wait for the drafter
  };
  /// One request's part of the pass at work.
  struct Part;

  Batch(const Pair& pair, BatchOptions options);
  bool drafts() const { return options_.rule.method != Method::kPlain; }
  int32_t max_tree_nodes() const;  // of one request, which may take the whole budget
  RoundCost cost_of(std::span<const Part> parts) const;

  // The stages of a round, in order.
  void draft(std::span<Part> parts);
  void grow(std::span<Part> parts, const RoundCost& cost);
  void grow_alone(Part& part);
  void verify(std::span<Part> parts);
  void commit(std::span<Part> parts);
  std::vector<RoundRecord> describe(std::span<Part> parts, const RoundCost& cost, const StageTimes& took);
  std::vector<RoundRecord> end_round(std::span<Part> parts, const RoundCost& cost, const StageTimes& took);

  // Rounds that stay on the device.
  LoopSizes loop_sizes(int32_t n_answers) const;
  bool on_device(std::span<const Part> parts);
  void make_loop(const LoopSizes& sizes);
  void begin_loop(std::span<const Part> parts);
  void leave_loop();
  std::vector<RoundRecord> device_round(std::span<Part> parts);

  void take_in_features();
  SessionInfo info_of(const TextState& text) const;
  void retire();

  const Pair* pair_;
  BatchOptions options_;
  CostTable cost_;
  std::unique_ptr<PairMemory> memory_;           // on the heap: a device loop points into it
  std::vector<std::unique_ptr<Request>> slots_;  // (n_slots,) null: free
  std::vector<FinishedRequest> finished_;
  std::unique_ptr<RoundLoop> loop_;              // null: the host decides every round
  int32_t loop_answers_ = 0;                     // ranks of the target's answer that it keeps
  bool company_changed_ = true;                  // the requests in flight are not those that the loop drafts for
  AfterRound after_round_;
  int64_t n_passes_ = 0, telemetry_ns_ = 0;
};

}  // namespace draftscope
