// A made-up dense recording, as messages: easy and hard stretches of text, a drafter that is a little too
// sure.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/record/make_record.h"

namespace draftscope::test {

struct DenseRecording {
  SessionInfo info;
  std::vector<RoundRecord> rounds;
};

namespace dense_parts {

/// How hard the token at `position` is, 0 to 1: waves with some noise.
inline double hardness(Random& random, int32_t position) {
  const double wave = 0.5 + 0.5 * std::sin(0.11 * position) * std::cos(0.037 * position);
  return std::clamp(wave * wave + 0.3 * (random.unit() - 0.5), 0.0, 1.0);
}

/// One row: `sure` on the first rank, the rest falling by half; the text's token `answer` at a rank drawn
/// from what is really true, or nowhere.
inline void add_row(Random& random, Marginals& q, double sure, int32_t answer) {
  std::vector<int32_t> texts;
  for (int32_t i = 0; i < kTexts_n; ++i) {
    if (token_id(i) != answer) texts.push_back(i);
  }
  std::shuffle(texts.begin(), texts.end(), random.engine);
  int32_t answer_rank = random.unit() < 0.9 * sure ? 0 : 1;
  while (answer_rank > 0 && answer_rank < q.n_ranks && random.unit() < 0.45) ++answer_rank;
  double left = 0.995 - sure;
  for (int32_t rank = 0; rank < q.n_ranks; ++rank) {
    const double p = rank == 0 ? sure : 0.5 * left;
    if (rank > 0) left -= p;
    q.token.push_back(rank == answer_rank ? answer : token_id(texts[static_cast<size_t>(rank)]));
    q.log_q.push_back(static_cast<float>(std::log(p)));
  }
}

}  // namespace dense_parts

/// Session 1 with `n_tokens` plain rounds that carry marginals for trees of up to max_nodes nodes. Same
/// arguments, same messages.
inline DenseRecording make_dense(int32_t n_tokens, int32_t max_nodes = 256, uint64_t seed = 1) {
  Random random{std::mt19937_64(seed)};
  std::vector<int32_t> text;  // (n_tokens + 1 + kDepths,) root of the first round, then what the target says
  std::vector<double> hard;
  for (int32_t i = 0; i < n_tokens + 1 + kDepths; ++i) {
    text.push_back(token_id(random.below(28)));  // those that are whole words and signs
    hard.push_back(dense_parts::hardness(random, i));
  }
  DenseRecording out;
  out.info = make_info();
  out.info.method = Method::kPlain;
  out.info.temperature = 0;
  out.info.dense = true;
  out.info.max_nodes = max_nodes;
  for (int32_t i = 0; i < n_tokens; ++i) {
    RoundRecord round = make_round(static_cast<uint64_t>(i), 0);
    round.temperature = 0;
    round.context_len = out.info.prompt_tokens + i;
    round.q = {kDepths, 24, {}, {}};
    for (int32_t depth = 1; depth <= kDepths; ++depth) {
      const double sure =
          std::clamp(0.97 - 0.75 * hard[static_cast<size_t>(i + depth)] - 0.02 * depth, 0.08, 0.97);
      dense_parts::add_row(random, round.q, sure, text[static_cast<size_t>(i + depth)]);
    }
    round.tree.token[0] = text[static_cast<size_t>(i)];
    const int32_t next = text[static_cast<size_t>(i) + 1];
    round.verdict.choice = {next};
    round.accepted.bonus = next;
    std::vector<int32_t> tokens = round.q.token;
    tokens.insert(tokens.end(), {round.tree.token[0], next});
    round.text = TokenText::of(std::move(tokens), bytes_of);
    round.committed_utf8 = replace_broken_utf8(bytes_of(next));
    out.rounds.push_back(std::move(round));
  }
  return out;
}

}  // namespace draftscope::test
