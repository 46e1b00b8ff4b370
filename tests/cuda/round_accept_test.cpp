// The device draws what the sampler draws, and walks the path that accept walks.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/sampler.h"
#include "engine/speculate/accept.h"
#include "engine/speculate/grow.h"
#include "tests/cuda/device_control.h"
#include "tests/cuda/round_case.h"

namespace draftscope::cuda {
namespace {

struct Answers {
  std::vector<int32_t> token;  // (rows, k)
  std::vector<float> log_p;    // (rows, k) descending
};

// The target's head after every node: the tokens of its children first in some rows, others in between.
Answers random_answers(std::mt19937& random, const Marginals& q, const DraftTree& tree, int32_t rows, int32_t k) {
  Answers answers;
  std::exponential_distribution<float> step(0.7f);
  for (int32_t row = 0; row < rows; ++row) {
    const int32_t depth = row < tree.size() ? tree.depth[static_cast<size_t>(row)] : 0;
    float log_p = -step(random);
    for (int32_t rank = 0; rank < k; ++rank, log_p -= step(random)) {
      const bool is_child = depth < q.n_depths && rank < q.n_ranks && random() % 4 != 0;
      answers.token.push_back(is_child ? q.token_at(depth, rank) : 5000 + rank);
      answers.log_p.push_back(log_p);
    }
  }
  return answers;
}

// Grows, answers and accepts on the device; compares choices, path and bonus.
void expect_same_acceptance(std::mt19937& random, const SamplingOptions& options, int32_t k) {
  constexpr int32_t kNodes = 70;
  const Marginals q = realistic_marginals(random, 6, 5);
  DeviceRound round(q, kNodes, k);
  round.texts[0].context_len = static_cast<int32_t>(random() % 1000);
  round.texts[0].root_token = 7;
  round.set_rule({.method = Method::kDdtree, .budget = static_cast<int32_t>(random() % kNodes), .max_nodes = kNodes});
  round.texts[0].draws.temperature = options.temperature;
  round.texts[0].draws.top_p = options.top_p;
  round.texts[0].draws.seed = options.seed;
  round.run_grow();
  const DraftTree tree = round.tree();
  const Answers answers = random_answers(random, q, tree, round.state.bucket, k);
  put(answers.token, round.view.answer.token);
  put(answers.log_p, round.view.answer.log_p);
  accept(round.view, round.state.bucket, nullptr);
  round.read_back();

  std::vector<int32_t> choice;
  std::vector<float> choice_log_p;
  for (int32_t row = 0; row <= round.state.n_chosen; ++row) {
    const std::span<const float> log_p(answers.log_p.data() + row * k, static_cast<size_t>(k));
    const int64_t position = round.texts[0].context_len + tree.depth[static_cast<size_t>(row)] + 1;
    const int32_t rank = choose_rank(log_p, position, options);
    choice.push_back(answers.token[static_cast<size_t>(row * k + rank)]);
    choice_log_p.push_back(log_p[static_cast<size_t>(rank)]);
  }
  EXPECT_EQ(get(round.view.choice, round.state.n_chosen + 1), choice);
  EXPECT_EQ(get(round.view.choice_log_p, round.state.n_chosen + 1), choice_log_p);
  Accepted accepted = draftscope::accept(tree, choice);
  EXPECT_EQ(round.texts[0].n_kept, static_cast<int32_t>(accepted.path.size()));
  EXPECT_EQ(round.texts[0].bonus, accepted.bonus);
  accepted.path.resize(static_cast<size_t>(q.n_depths) + 1, 0);  // padded for gather_rows
  EXPECT_EQ(get(round.view.kept, q.n_depths + 1), accepted.path);
}

TEST(RoundAccept, GreedyAndDrawn) {
  std::mt19937 random(21);
  for (int i = 0; i < 150; ++i) {
    SamplingOptions options;
    options.temperature = i % 3 == 0 ? 0.0f : 0.3f + 0.1f * static_cast<float>(i % 11);
    options.top_p = i % 2 == 0 ? 1.0f : 0.05f * static_cast<float>(i % 20);
    options.seed = random();
    SCOPED_TRACE(i);
    run_backwards(i % 2 == 1);
    expect_same_acceptance(random, options, i % 3 == 0 ? 1 : 1 + static_cast<int32_t>(random() % 60));
  }
  run_backwards(false);
}

TEST(RoundAccept, TheFirstOfTwinsIsFollowed) {
  const Marginals q{1, 3, {4, 9, 9}, {-1.0f, -1.1f, -1.2f}};
  DeviceRound round(q, 3);
  round.set_rule({.method = Method::kDdtree, .budget = 3, .max_nodes = 3});
  round.run_grow();
  put(std::vector<int32_t>{9, 1, 2, 3}, round.view.answer.token);
  put(std::vector<float>{-0.1f, -0.1f, -0.1f, -0.1f}, round.view.answer.log_p);
  accept(round.view, round.state.bucket, nullptr);
  EXPECT_EQ(get(round.view.kept, 2), (std::vector<int32_t>{0, 2}));
  EXPECT_EQ(text_of(round.view).bonus, 2);
}

}  // namespace
}  // namespace draftscope::cuda
