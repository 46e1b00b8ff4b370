#include "engine/text_state.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/base/utf8.h"
#include "engine/record/invariants.h"
#include "engine/speculate/grow.h"

namespace draftscope {

TextState::TextState(const Pair& pair, TextOptions options, int32_t n_prompt)
    : pair_(&pair), options_(std::move(options)), n_prompt_(n_prompt) {
  const TargetConfig& target = pair.target.config();
  stop_ids_ = options_.stop_ids.value_or(pair.eos_ids);
  max_output_ = std::min(target.max_positions - n_prompt, options_.max_tokens);
}

void TextState::stop(EndReason reason) {
  if (done()) return;
  end_reason_ = reason;
  output_bytes_.resize(whole_characters(output_bytes_));  // no record has told of the rest
}

int32_t TextState::n_answers() const {
  if (options_.sampling.temperature <= 0) return 1;
  const int32_t vocab = pair_->target.config().vocab;
  return options_.sampling.top_k == 0 ? vocab : std::min(options_.sampling.top_k, vocab);
}

void TextState::begin(const TopK& answer, int64_t prefill_ns) {
  const int32_t last_of_prompt = n_prompt_ - 1;
  root_token_ = verdict(answer, 0, std::span(&last_of_prompt, 1)).choice[0];
  prefill_ns_ = prefill_ns;
  append(root_token_);
}

Verdict TextState::verdict(const TopK& answer, int32_t first_row, std::span<const int32_t> positions) const {
  Verdict verdict;
  for (size_t i = 0; i < positions.size(); ++i) {
    const size_t first = (static_cast<size_t>(first_row) + i) * static_cast<size_t>(answer.k);
    const std::span<const float> log_p(answer.log_p.data() + first, static_cast<size_t>(std::min(n_answers(), answer.k)));
    const int32_t rank = choose_rank(log_p, positions[i] + 1, options_.sampling);
    verdict.choice.push_back(answer.token[first + static_cast<size_t>(rank)]);
    verdict.choice_log_p.push_back(log_p[static_cast<size_t>(rank)]);
  }
  return verdict;
}

void TextState::commit(const DraftTree& tree, const Accepted& accepted) {
  for (size_t i = 1; i < accepted.path.size(); ++i) append(tree.token[accepted.path[i]]);
  append(accepted.bonus);
  root_token_ = accepted.bonus;
}

void TextState::append(int32_t token) {
  if (done()) return;
  if (std::find(stop_ids_.begin(), stop_ids_.end(), token) != stop_ids_.end()) {
    end_reason_ = EndReason::kEos;
    return;
  }
  output_.push_back(token);
  output_bytes_ += pair_->bytes_of(token);
  if (static_cast<int32_t>(output_.size()) >= max_output_) {
    end_reason_ = max_output_ < options_.max_tokens ? EndReason::kContextFull : EndReason::kMaxTokens;
  }
}

void TextState::finish_round(RoundRecord& record, const Marginals& q, Choice choice, int32_t min_ranks) {
  record.seq = n_rounds_++;
  decode_ns_ += record.took.total_ns();
  record.session = options_.session;
  record.temperature = options_.sampling.temperature;
  record.tree = std::move(choice.tree);
  record.decision = std::move(choice.decision);
  const int32_t deepest_rank = *std::max_element(record.tree.rank.begin(), record.tree.rank.end());
  record.q = first_ranks(q, std::max(min_ranks, deepest_rank + 1));

  std::vector<int32_t> tokens = record.tree.token;
  tokens.insert(tokens.end(), record.q.token.begin(), record.q.token.end());
  tokens.insert(tokens.end(), record.verdict.choice.begin(), record.verdict.choice.end());
  record.text = TokenText::of(std::move(tokens), [&](int32_t token) { return pair_->bytes_of(token); });
  record.committed_utf8 = take_untold_text();
}

std::string TextState::take_untold_text() {
  const std::string_view untold = std::string_view(output_bytes_).substr(n_bytes_told_);
  const size_t n_whole = done() ? untold.size() : whole_characters(untold);
  n_bytes_told_ += n_whole;
  return replace_broken_utf8(untold.substr(0, n_whole));
}

SessionInfo TextState::info() const {
  SessionInfo info;
  info.session = options_.session;
  info.target_name = pair_->target_name;
  info.drafter_name = pair_->drafter_name;
  info.backend = pair_->backend->describe();
  info.precision = pair_->backend->precision() == Precision::kBf16 ? "bf16" : "f32";
  info.machine = machine_name();
  info.note = pair_->note;
  info.prompt_utf8 = replace_broken_utf8(options_.prompt_utf8);
  info.prompt_tokens = n_prompt_;
  info.max_tokens = options_.max_tokens;
  info.temperature = options_.sampling.temperature;
  info.seed = options_.sampling.seed;
  return info;
}

SessionEnd TextState::end() const {
  DS_CHECK(done());
  SessionEnd end;
  end.session = options_.session;
  end.reason = *end_reason_;
  end.n_tokens = static_cast<int64_t>(output_.size());
  end.n_rounds = n_rounds_;
  end.decode_ns = decode_ns_;
  end.prefill_ns = prefill_ns_;
  end.output_utf8 = replace_broken_utf8(output_bytes_);
  return end;
}

StageTimes predicted_times(const RoundCost& cost, int32_t n) {
  const auto to_ns = [](double seconds) {
    return static_cast<int64_t>(std::llround(std::min(seconds * 1e9, static_cast<double>(kMostTime_ns))));
  };
  StageTimes times;
  times.draft_ns = to_ns(cost.draft_s);
  times.grow_ns = to_ns(cost.overhead_s);
  times.verify_ns = to_ns(cost.verify_s[static_cast<size_t>(n)]);
  times.provenance = Provenance::kPredicted;
  return times;
}

}  // namespace draftscope
