// A tree's rows hold the very bits that plain decoding computes, and what stays in the cache is a fresh prefill.
#include <gtest/gtest.h>

#include <cstring>

#include "engine/speculate/grow.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/kv_store.h"
#include "tests/engine/passes.h"
#include "tests/engine/test_pair.h"

namespace draftscope {
namespace {

/// Random marginals of `depths` x `ranks`, log q falling with the rank.
Marginals random_marginals(uint64_t seed, int32_t depths, int32_t ranks) {
  std::mt19937_64 random(seed);
  Marginals q{depths, ranks, {}, {}};
  for (int32_t depth = 0; depth < depths; ++depth) {
    float log_q = 0;
    for (int32_t rank = 0; rank < ranks; ++rank) {
      log_q -= 0.1f + static_cast<float>(random() % 100) / 100;
      q.token.push_back(static_cast<int32_t>(32 + random() % 90));
      q.log_q.push_back(log_q);
    }
  }
  return q;
}

struct Model {
  std::unique_ptr<Backend> backend;
  Target target;
  PlacedRope rope;
  KvCache kv;
  TargetWorkspace work;

  Model(CpuPath path, Precision precision) : backend(make(path, precision)),
        target(golden::must(Target::open(test_pair_dir("target"), *backend))),
        rope(place_rope(*backend, target.config().layer.head_dim, target.config().layer.rope_theta, 512)),
        kv(target.make_kv(512)), work(target.make_workspace(256, {})) {}
  static std::unique_ptr<Backend> make(CpuPath path, Precision precision) {
    CpuOptions options;
    options.path = path;
    options.precision = precision;
    return golden::must(make_cpu_backend(options));
  }

  void chain(const std::vector<int32_t>& tokens) {
    const int32_t n = static_cast<int32_t>(tokens.size());
    pass(chain_rows(tokens, kv.length));
    kv.keep(*backend, golden::counting(0, n));
  }
  void tree_pass(const DraftTree& tree) {
    pass(tree_rows(tree, tree.size() - 1, kv.length));
  }
  void pass(PassRows rows) {
    backend->place(rows);
    target.forward(rows, rope, *kv.store, work);
  }
  std::vector<float> hidden(int32_t row) const {
    const Act act = work.hidden->act;
    return {act.row(row), act.row(row) + act.cols};
  }
};

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

class TreePass : public testing::TestWithParam<std::tuple<CpuPath, Precision>> {
 protected:
  void SetUp() override {
    const std::vector<CpuPath> paths = supported_cpu_paths();
    if (std::find(paths.begin(), paths.end(), std::get<0>(GetParam())) == paths.end()) {
      GTEST_SKIP() << "this processor lacks " << name(std::get<0>(GetParam()));
    }
  }
};

TEST_P(TreePass, EveryNodeHasTheBitsOfItsChain) {
  Model model(std::get<0>(GetParam()), std::get<1>(GetParam()));
  model.chain(make_prompt(1, 37));
  const DraftTree tree = grow_tree(random_marginals(5, 7, 6), 'e', 40);
  model.tree_pass(tree);
  std::vector<std::vector<float>> in_tree;
  for (int32_t node = 0; node < tree.size(); ++node) in_tree.push_back(model.hidden(node));

  for (int32_t node = 0; node < tree.size(); ++node) {
    std::vector<int32_t> path;
    for (int32_t at = node; at >= 0; at = tree.parent[at]) path.insert(path.begin(), tree.token[at]);
    for (const int32_t token : path) model.chain({token});
    EXPECT_TRUE(same_bits(model.hidden(0), in_tree[node])) << "node " << node << " at depth " << tree.depth[node];
    model.kv.length = 37;
  }
}

TEST_P(TreePass, CompactionLeavesAFreshPrefill) {
  const std::vector<int32_t> prompt = make_prompt(2, 21);
  Model model(std::get<0>(GetParam()), std::get<1>(GetParam()));
  model.chain(prompt);
  const DraftTree tree = grow_tree(random_marginals(9, 8, 5), 't', 50);
  model.tree_pass(tree);
  std::vector<int32_t> path;
  const auto deepest = std::max_element(tree.depth.begin(), tree.depth.end()) - tree.depth.begin();
  for (int32_t at = static_cast<int32_t>(deepest); at >= 0; at = tree.parent[at]) path.insert(path.begin(), at);
  ASSERT_GT(path.size(), 3u);
  model.kv.keep(*model.backend, path);

  Model fresh(std::get<0>(GetParam()), std::get<1>(GetParam()));
  std::vector<int32_t> text = prompt;
  for (const int32_t node : path) text.push_back(tree.token[node]);
  fresh.chain(text);
  ASSERT_EQ(model.kv.length, fresh.kv.length);
  model.chain({'x'});
  fresh.chain({'x'});
  EXPECT_TRUE(same_bits(model.hidden(0), fresh.hidden(0)));
  const auto& mine = static_cast<const CpuKvStore&>(*model.kv.store);
  const auto& theirs = static_cast<const CpuKvStore&>(*fresh.kv.store);
  for (int32_t layer = 0; layer < mine.n_layers; ++layer) {
    for (int32_t row = 0; row < model.kv.length; ++row) {
      const int64_t at = mine.offset(layer, mine.n_kv_heads - 1, row);
      if (mine.is_bf16) {
        ASSERT_EQ(mine.k16[at], theirs.k16[at]) << "layer " << layer << " row " << row;
      } else {
        ASSERT_EQ(mine.v32[at], theirs.v32[at]) << "layer " << layer << " row " << row;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryPath, TreePass,
                         testing::Combine(testing::Values(CpuPath::kPlain, CpuPath::kAvx2, CpuPath::kAvx512Bf16,
                                                          CpuPath::kAmx),
                                          testing::Values(Precision::kBf16, Precision::kF32)));

}  // namespace
}  // namespace draftscope
