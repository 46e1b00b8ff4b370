// Session: one generation. round() is the program: draft, choose a tree, verify, accept, commit.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/device_rounds.h"
#include "engine/pair_memory.h"
#include "engine/record/round.h"
#include "engine/speculate/budget.h"
#include "engine/speculate/cost.h"
#include "engine/spare_memory.h"
#include "engine/speculate/online_cost.h"
#include "engine/stage_clock.h"
#include "engine/text_state.h"

namespace draftscope {

struct SessionOptions {
  int64_t session = 0;
  BudgetRule rule;                  // method, fixed budget, cap on the nodes of a tree
  int32_t max_tokens = 256;         // generated at most
  int32_t block_size = 0;           // drafter slots used, anchor included; 0: as trained
  SamplingOptions sampling;
  std::optional<CostModel> cost;    // empty: a made-up line; its numbers are labelled illustrative
  std::optional<std::vector<int32_t>> stop_ids;  // empty: the target's end-of-text tokens
  bool whole_curves = true;         // fill every candidate budget of the record, outside the timed stages
  bool online_cost = false;         // re-estimate what passes cost in the commit stage, for the rounds to come
  bool dense = false;               // kPlain only: every round also drafts, and its record keeps the marginals
  std::string prompt_utf8;          // for the record
};

class Session {
 public:
  /// Prefills `prompt` (token ids). `progress(done, total)` is called between chunks; false stops: the Error then
  /// says so. Errors: empty prompt, prompt longer than the context, a method that needs a drafter without one,
  /// ids outside the vocabulary, an unusable cost model.
  static Result<Session> start(const Pair& pair, const std::vector<int32_t>& prompt, SessionOptions options,
                               const std::function<bool(int32_t done, int32_t total)>& progress = {});
  /// Leaves its memory to the pair's next session, should it have ended well.
  ~Session();
  Session(Session&&) = default;

  bool done() const { return text_.done(); }
  /// Runs one round. Requires !done().
  RoundRecord round();
  /// Ends the generation after the rounds so far.
  void stop(EndReason reason = EndReason::kStopped) { text_.stop(reason); }

  /// Take effect with the next round.
  Status set_rule(BudgetRule rule);
  Status set_cost(CostModel cost);
  /// The last round's record has been sent: the next record says what making and sending it took, measured.
  void record_sent() { telemetry_ns_ = after_round_.telemetry_ns(); }

  const std::vector<int32_t>& output() const { return text_.output(); }  // generated, end of text excluded
  SessionInfo info() const;
  SessionEnd end() const { return text_.end(); }  // requires done()

 private:
  Session(const Pair& pair, SessionOptions options, TextState text);
  /// Whether rounds under the rule in force begin with a draft.
  bool drafts() const { return options_.rule.method != Method::kPlain || options_.dense; }

  // The stages of a round, in order.
  Marginals draft();
  RoundCost cost_here() const;  // what rounds under the rule in force are believed to cost at this context
  Choice grow(const Marginals& q, const RoundCost& cost);
  Verdict verify(const DraftTree& tree, int32_t n_nodes);
  void commit(const DraftTree& tree, const Accepted& accepted);
  void finish_round(RoundRecord& record, const Marginals& q, const RoundCost& cost, Choice choice);

  // Rounds that stay on the device, where the backend has such a loop and the method can be decided there.
  bool on_device();
  bool rounds_on_device() const;
  LoopSizes loop_sizes() const;
  RoundRecord device_round();
  void tell_loop();   // of a new rule or cost
  void leave_loop();  // the host takes over

  void learn_cost(int32_t n_rows, RoundRecord& record);

  const Pair* pair_;
  SessionOptions options_;
  std::unique_ptr<CostTable> cost_;
  std::optional<OnlineCost> online_cost_;
  bool cost_is_guess_ = false;
  std::unique_ptr<PairMemory> memory_;       // on the heap: a device loop points into it
  SizedLoop sized_;                          // made when the device first decides, or left by the session before
  RoundLoop* loop_ = nullptr;                // that one while the device decides; null: the host does

  TextState text_;
  AfterRound after_round_;
  int64_t telemetry_ns_ = 0;
};

}  // namespace draftscope
