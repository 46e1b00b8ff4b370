// The device grows the very tree that TreeGrower grows, and lays out its rows as ancestor_rows does.
#include <gtest/gtest.h>

#include "engine/speculate/ancestors.h"
#include "engine/speculate/grow.h"
#include "tests/cuda/device_control.h"
#include "tests/cuda/round_case.h"

namespace draftscope::cuda {
namespace {

class RoundGrow : public ::testing::Test {
 protected:
  void TearDown() override { run_backwards(false); }
};

DraftTree grown_on_device(const Marginals& q, int32_t n_nodes) {
  DeviceRound round(q, n_nodes);
  round.texts[0].root_token = 7;
  round.set_rule({.method = Method::kDdtree, .budget = n_nodes, .max_nodes = n_nodes});
  round.run_grow();
  return round.tree();
}

TEST_F(RoundGrow, IsTheHostsTreeForEveryKindOfMarginals) {
  std::mt19937 random(1);
  for (int i = 0; i < 150; ++i) {
    const auto pick = [&random](uint32_t n) { return 1 + static_cast<int32_t>(random() % n); };
    const int32_t n_nodes = i % 10 == 0 ? pick(300) : pick(70);
    const Marginals q = random_marginals(random, pick(8), pick(12), static_cast<Spread>(i % 3));
    SCOPED_TRACE(i);
    run_backwards(i % 2 == 1);
    expect_same_tree(grown_on_device(q, n_nodes), grow_tree(q, 7, n_nodes));
  }
}

TEST_F(RoundGrow, UpToTheMostNodes) {
  std::mt19937 random(2);
  for (const Spread spread : {Spread::kRandom, Spread::kTied, Spread::kSparse}) {
    const Marginals q = random_marginals(random, 15, 40, spread);
    expect_same_tree(grown_on_device(q, kMaxTreeNodes), grow_tree(q, 7, kMaxTreeNodes));
  }
  const Marginals one_depth = random_marginals(random, 1, kMaxTreeNodes, Spread::kTied);
  expect_same_tree(grown_on_device(one_depth, kMaxTreeNodes), grow_tree(one_depth, 7, kMaxTreeNodes));
  const Marginals likely = realistic_marginals(random, 15, kMaxTreeNodes);
  expect_same_tree(grown_on_device(likely, kMaxTreeNodes), grow_tree(likely, 7, kMaxTreeNodes));
}

TEST_F(RoundGrow, WhenEveryPathIsTied) {
  Marginals q{6, 4, {}, std::vector<float>(24, -1.5f)};
  for (int32_t token = 0; token < 24; ++token) q.token.push_back(token);
  expect_same_tree(grown_on_device(q, 200), grow_tree(q, 7, 200));
  q.log_q.assign(24, 0.0f);  // certain, all of them
  expect_same_tree(grown_on_device(q, 200), grow_tree(q, 7, 200));
}

TEST_F(RoundGrow, LooksAtTheFirstRanksOnly) {
  std::mt19937 random(3);
  const Marginals q = random_marginals(random, 6, 12, Spread::kRandom);
  DeviceRound round(q, 100);
  round.set_rule({.method = Method::kDdtree, .budget = 100, .max_nodes = 100});
  round.params.n_ranks = 3;
  round.run_grow();
  expect_same_tree(round.tree(), grow_tree(first_ranks(q, 3), 0, 100));
}

void expect_rows(const DeviceRound& round, const Marginals& q, int32_t context_len) {
  const RoundState& state = round.state;
  const DraftTree tree = grow_tree(q, round.texts[0].root_token, state.n_chosen);
  const AncestorRows host = ancestor_rows(tree, state.n_chosen, context_len);
  const RowsView rows = round.view.verify.view(state.bucket);
  const std::vector<int32_t> token = get(rows.token, rows.n_rows), position = get(rows.position, rows.n_rows),
                             cache_row = get(rows.cache_row, rows.n_rows);
  for (int32_t row = 0; row < state.bucket; ++row) {
    const size_t r = static_cast<size_t>(row);
    const std::vector<int32_t> keys = keys_of(rows, row);
    if (row > state.n_chosen) {
      EXPECT_EQ(keys, std::vector<int32_t>{0});
      EXPECT_EQ(cache_row[r], kNoCacheRow);
      EXPECT_EQ(std::pair(token[r], position[r]), std::pair(0, 0));
      continue;
    }
    std::vector<int32_t> expected(static_cast<size_t>(host.n_contiguous[r]));
    for (size_t i = 0; i < expected.size(); ++i) expected[i] = static_cast<int32_t>(i);
    const auto extra = host.extra.begin();
    expected.insert(expected.end(), extra + host.extra_begin[r], extra + host.extra_begin[r + 1]);
    EXPECT_EQ(keys, expected) << "row " << row;
    EXPECT_EQ(get(rows.n_contiguous, rows.n_rows)[r], host.n_contiguous[r]);
    EXPECT_EQ(token[r], tree.token[r]);
    EXPECT_EQ(position[r], context_len + tree.depth[r]);
    EXPECT_EQ(cache_row[r], context_len + row);
  }
}

TEST_F(RoundGrow, RowsAttendToTheContextAndTheirAncestors) {
  std::mt19937 random(4);
  for (int i = 0; i < 60; ++i) {
    const int32_t n_nodes = static_cast<int32_t>(random() % 90), context_len = static_cast<int32_t>(random() % 50);
    const Marginals q =
        i % 2 == 0 ? realistic_marginals(random, 7, 6) : random_marginals(random, 4, 3, Spread::kRandom);
    DeviceRound round(q, 90);
    round.texts[0].root_token = 7;
    round.texts[0].context_len = context_len;
    round.set_rule({.method = Method::kDdtree, .budget = n_nodes, .max_nodes = 90});
    round.run_grow();
    EXPECT_EQ(round.state.bucket, round.bucket_of(round.state.n_chosen + 1));
    expect_rows(round, q, context_len);
  }
}

TEST_F(RoundGrow, ThePassIsAnnouncedInOneWord) {
  std::mt19937 random(5);
  const Marginals q = realistic_marginals(random, 5, 6);
  DeviceRound round(q, 40);
  round.state.seq = (int64_t{1} << 32) + 4;  // only the low half travels
  EXPECT_FALSE(round.buffers.grown(round.state.seq));
  round.set_rule({.method = Method::kDdtree, .budget = 18, .max_nodes = 40});
  round.run_grow();
  const std::optional<GrownRows> rows = round.buffers.grown(round.state.seq);
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->n_rows, 19);
  EXPECT_EQ(rows->bucket, 24);
  EXPECT_FALSE(round.buffers.grown(round.state.seq + 1));
}

}  // namespace
}  // namespace draftscope::cuda
