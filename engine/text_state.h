// TextState: one generation as text: what it has written, when it ends and why, and what records say of it. A session has
// one, a batch one per request.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/model/pair.h"
#include "engine/record/round.h"
#include "engine/sampler.h"
#include "engine/speculate/budget.h"

namespace draftscope {

constexpr int32_t kViewedRanks = 16;  // ranks per depth that a record keeps at least, for the marginals panel

struct TextOptions {
  int64_t session = 0;
  int32_t max_tokens = 256;         // generated at most
  SamplingOptions sampling;
  std::optional<std::vector<int32_t>> stop_ids;  // empty: the target's end-of-text tokens
  std::string prompt_utf8;          // for the record
};

class TextState {
 public:
  /// Requires check_text.
  TextState(const Pair& pair, TextOptions options, int32_t n_prompt);

  const TextOptions& options() const { return options_; }
  int32_t n_prompt() const { return n_prompt_; }
  int32_t max_output() const { return max_output_; }  // tokens that the context leaves room for, max_tokens at most
  /// Committed, not yet in the target's cache.
  int32_t root_token() const { return root_token_; }
  const std::vector<int32_t>& output() const { return output_; }  // end of text excluded
  int64_t n_rounds() const { return n_rounds_; }
  bool done() const { return end_reason_.has_value(); }
  /// Ends the text behind its last whole character; keeps the reason that it has.
  void stop(EndReason reason);

  /// Ranks of the target's answer that a draw looks at.
  int32_t n_answers() const;
  /// The first token, drawn from the target's answer after the prompt.
  void begin(const TopK& answer, int64_t prefill_ns);
  /// The target's token after each row of `answer` from first_row on, as many as positions (where those rows stand).
  Verdict verdict(const TopK& answer, int32_t first_row, std::span<const int32_t> positions) const;
  /// Writes the accepted path and the bonus, which becomes the root.
  void commit(const DraftTree& tree, const Accepted& accepted);
  /// Counts the round and fills what its record says of tree, decision, drafts (min_ranks per depth at least), token
  /// texts and new output; its times, verdict and acceptance are there.
  void finish_round(RoundRecord& record, const Marginals& q, Choice choice, int32_t min_ranks = kViewedRanks);

  /// What the pair and the text say; rule, cost and drafter block are the caller's.
  SessionInfo info() const;
  SessionEnd end() const;  // requires done()

 private:
  void append(int32_t token);
  std::string take_untold_text();

  const Pair* pair_;
  TextOptions options_;
  std::vector<int32_t> stop_ids_;
  int32_t n_prompt_ = 0, max_output_ = 0;
  int32_t root_token_ = -1;
  std::vector<int32_t> output_;
  std::string output_bytes_;
  size_t n_bytes_told_ = 0;  // of output_bytes_, in records so far
  std::optional<EndReason> end_reason_;
  int64_t n_rounds_ = 0, decode_ns_ = 0, prefill_ns_ = 0;
};

/// What a round of n nodes is believed to take. Curves go on beyond what was measured, so a stage may come to more than a
/// record can say: it says the most it can.
StageTimes predicted_times(const RoundCost& cost, int32_t n);

}  // namespace draftscope
