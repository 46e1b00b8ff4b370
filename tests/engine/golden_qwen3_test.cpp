// The target against transformers: prefill, decoding, draft trees, compaction, long prompts.
#include <gtest/gtest.h>

#include "engine/record/round.h"
#include "tests/engine/passes.h"
#include "tests/speculate/golden_files.h"

namespace draftscope::golden {
namespace {

/// A target with a feature tap on every layer, and one text in its cache.
class Runner {
 public:
  Runner(const std::string& dir, const TestedBackend& backend)
      : backend_(backend.make(Precision::kF32)), target_(must(Target::open(path_of("qwen3/" + dir), *backend_))),
        rope_(place_rope(*backend_, target_.config().layer.head_dim, target_.config().layer.rope_theta, 4096)),
        kv_(target_.make_kv(4096)),
        work_(target_.make_workspace(4096, counting(0, target_.config().n_layers))) {}

  void pass(PassRows rows) {
    backend_->place(rows);
    target_.forward(rows, rope_, *kv_.store, work_);
  }
  void chain(const std::vector<int32_t>& tokens) {
    const int32_t n = static_cast<int32_t>(tokens.size());
    pass(chain_rows(tokens, kv_.length));
    keep(counting(0, n));
  }
  void keep(const std::vector<int32_t>& rows) { kv_.keep(*backend_, rows); }
  void forget(int32_t length) { kv_.length = length; }

  /// Rows [first, last) of the last pass.
  void expect_logits(std::span<const float> logits, int32_t first, const std::string& what) {
    const int32_t vocab = target_.config().vocab;
    const Act rows = work_.hidden->act.rows_from(first, static_cast<int32_t>(logits.size()) / vocab);
    expect_close(all_log_p(target_, rows), log_softmax(logits, vocab), kLogitTolerance, what);
  }
  /// states (layers + 1, rows, hidden): every layer's output; index 0 is the embedding and is not tapped.
  void expect_states(const std::vector<float>& states, int32_t first_row, int32_t n_rows, const std::string& what) {
    const int32_t dim = target_.config().layer.hidden;
    const Act features = work_.features->act;
    const std::vector<float> all = read_act(*backend_, {features.row(first_row), n_rows, features.cols});
    for (int32_t layer = 0; layer < target_.config().n_layers; ++layer) {
      std::vector<float> found;
      for (int32_t row = 0; row < n_rows; ++row) {
        const float* from = &all[static_cast<size_t>(row) * features.cols + layer * dim];
        found.insert(found.end(), from, from + dim);
      }
      const std::span<const float> expected(&states[static_cast<size_t>(layer + 1) * n_rows * dim],
                                            static_cast<size_t>(n_rows) * dim);
      expect_close(found, expected, kStateTolerance, what + " layer " + std::to_string(layer));
    }
  }
  const KvCache& kv() const { return kv_; }
  int32_t vocab() const { return target_.config().vocab; }

 private:
  std::unique_ptr<Backend> backend_;
  Target target_;
  PlacedRope rope_;
  KvCache kv_;
  TargetWorkspace work_;
};

void check_chain(Runner& runner, const Tensors& expected) {
  const std::vector<int32_t> prompt = expected.values<int32_t>("input_ids");
  const int32_t n = static_cast<int32_t>(prompt.size());
  runner.chain(prompt);
  runner.expect_logits(expected.values<float>("prefill_logits"), 0, "prefill logits");
  runner.expect_states(expected.values<float>("prefill_hidden_states"), 0, n, "prefill");
  expect_close(cached(*runner.kv().store, n, true), expected.values<float>("prefill_cache_k"), kStateTolerance, "keys");
  expect_close(cached(*runner.kv().store, n, false), expected.values<float>("prefill_cache_v"), kStateTolerance, "values");

  const std::vector<float> logits = expected.values<float>("decode_logits");
  int32_t step = 0;
  for (const int32_t token : expected.values<int32_t>("decode_input_tokens")) {
    runner.chain({token});
    runner.expect_logits(std::span(logits).subspan(static_cast<size_t>(step) * runner.vocab(), runner.vocab()), 0,
                         "decode step " + std::to_string(step));
    ++step;
  }
  runner.forget(n);
}

DraftTree read_tree(const Tensors& expected, const std::string& prefix) {
  DraftTree tree;
  tree.token = expected.values<int32_t>(prefix + "token_ids");
  tree.parent = expected.values<int32_t>(prefix + "parents");
  for (size_t i = 0; i < tree.token.size(); ++i) {
    tree.depth.push_back(tree.parent[i] < 0 ? 0 : tree.depth[tree.parent[i]] + 1);
  }
  return tree;
}

void check_tree(Runner& runner, const Tensors& expected, const Json& about) {
  const std::string prefix = text(about, "prefix");
  const DraftTree tree = read_tree(expected, prefix);
  const int32_t context = whole(about, "context_length");
  EXPECT_EQ(tree_rows(tree, tree.size() - 1, context).position, expected.values<int32_t>(prefix + "position_ids"));

  const Json accepts = get(about, "accepts");
  for (size_t j = 0; j < accepts.size(); ++j) {
    runner.forget(context);
    runner.pass(tree_rows(tree, tree.size() - 1, context));
    runner.expect_logits(expected.values<float>(prefix + "logits"), 0, prefix + "logits");
    const std::string name = prefix + "accept" + std::to_string(j) + ".";
    runner.keep(expected.values<int32_t>(name + "indices"));
    const std::vector<float> logits = expected.values<float>(name + "next_logits");
    int32_t step = 0;
    for (const int32_t token : expected.values<int32_t>(name + "next_tokens")) {
      runner.chain({token});
      runner.expect_logits(std::span(logits).subspan(static_cast<size_t>(step) * runner.vocab(), runner.vocab()), 0,
                           name + "next " + std::to_string(step));
      ++step;
    }
  }
  runner.forget(context);
}

TEST(GoldenQwen3, LogitsStatesAndCachesAgreeWithTransformers) {
  if (tested_backends().empty()) GTEST_SKIP() << missing_backend();
  for (const TestedBackend& backend : tested_backends()) {
    const Json cases = get(read_json("qwen3/manifest.json"), "cases");
    ASSERT_GT(cases.size(), 0u);
    for (size_t i = 0; i < cases.size(); ++i) {
      SCOPED_TRACE(text(cases.at(i), "name") + " on " + backend.name);
      const Tensors expected("qwen3/" + text(cases.at(i), "reference"));
      Runner runner(text(cases.at(i), "checkpoint_dir"), backend);
      check_chain(runner, expected);
      const Json trees = get(cases.at(i), "trees");
      for (size_t t = 0; t < trees.size(); ++t) check_tree(runner, expected, trees.at(t));
      if (HasFatalFailure()) return;
    }
  }
}

TEST(GoldenQwen3, LongPromptsAgree) {
  if (tested_backends().empty()) GTEST_SKIP() << missing_backend();
  if (!test_share().long_prompts) GTEST_SKIP() << tested_backends().back().name << " is too slow for long prompts";
  const Json cases = get(read_json("qwen3/manifest.json"), "cases");
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(text(cases.at(i), "name"));
    const Tensors expected("qwen3/" + text(cases.at(i), "reference"));
    Runner runner(text(cases.at(i), "checkpoint_dir"), tested_backends().back());
    const std::vector<int32_t> prompt = expected.values<int32_t>("long_input_ids");
    const int32_t n = static_cast<int32_t>(prompt.size());
    runner.chain(prompt);
    const std::vector<float> logits = expected.values<float>("long_logits_last4");
    const int32_t n_last = static_cast<int32_t>(logits.size()) / runner.vocab();
    runner.expect_logits(logits, n - n_last, "long logits");
    runner.expect_states(expected.values<float>("long_hidden_states_last4"), n - n_last, n_last, "long");
  }
}

}  // namespace
}  // namespace draftscope::golden
