// The drafter against the published implementation: several cached rounds per checkpoint.
#include <gtest/gtest.h>

#include "engine/model/drafter.h"
#include "tests/engine/passes.h"
#include "tests/speculate/golden_files.h"

namespace draftscope::golden {
namespace {

constexpr int32_t kCapacity = 4096;  // tokens of the longest case this test can hold

struct Models {
  std::unique_ptr<Backend> backend;
  Target target;
  Drafter drafter;
};

Models open_models(const Json& about, const TestedBackend& tested) {
  std::unique_ptr<Backend> backend = tested.make(Precision::kF32);
  Target target = must(Target::open(path_of("dflash/" + text(about, "target_dir")), *backend));
  Drafter drafter = must(Drafter::open(path_of("dflash/" + text(about, "checkpoint_dir")), target));
  return {std::move(backend), std::move(target), std::move(drafter)};
}

/// Log-probabilities (depths, vocab) in the order of ids.
std::vector<float> by_id(const Marginals& q) {
  std::vector<float> log_q(q.token.size());
  for (size_t i = 0; i < q.token.size(); ++i) log_q[i / q.n_ranks * q.n_ranks + q.token[i]] = q.log_q[i];
  return log_q;
}

void check_case(const Json& about, const TestedBackend& tested) {
  const Models models = open_models(about, tested);
  const Tensors expected("dflash/" + text(about, "reference"));
  EXPECT_EQ(models.drafter.config().target_layer_ids, wholes(about, "target_layer_ids"));
  EXPECT_EQ(models.drafter.config().mask_token_id, whole(about, "mask_token_id"));
  const LayerConfig& layer = models.drafter.config().layer;
  const int32_t vocab = models.target.config().vocab, block = whole(about, "block_size");
  const LayerConfig& target_layer = models.target.config().layer;
  const PlacedRope rope = place_rope(*models.backend, layer.head_dim, layer.rope_theta, kCapacity);
  const PlacedRope target_rope = place_rope(*models.backend, target_layer.head_dim, target_layer.rope_theta, kCapacity);
  KvCache target_kv = models.target.make_kv(kCapacity), kv = models.drafter.make_kv(kCapacity);
  TargetWorkspace target_work = models.target.make_workspace(kCapacity, models.drafter.config().target_layer_ids);
  DrafterWorkspace work = models.drafter.make_workspace(kCapacity);

  const std::vector<int32_t> sequence = expected.values<int32_t>("sequence_token_ids");
  const Json rounds = get(about, "rounds");
  for (size_t i = 0; i < rounds.size(); ++i) {
    SCOPED_TRACE("round " + std::to_string(i));
    const std::string prefix = "round" + std::to_string(i) + ".";
    const int32_t start = whole(rounds.at(i), "start"), before = target_kv.length;
    // The target reads the forced tokens; their features are what the drafter takes in.
    const std::vector<int32_t> tokens(sequence.begin() + before, sequence.begin() + start);
    const int32_t n = start - before;
    PassRows rows = chain_rows(tokens, before);
    models.backend->place(rows);
    models.target.forward(rows, target_rope, *target_kv.store, target_work);
    target_kv.length = start;
    const Act features = target_work.features->act.first_rows(n);
    expect_close(read_act(*models.backend, features), expected.values<float>(prefix + "target_hidden"),
                 kStateTolerance, "target features");

    models.drafter.append_context(features, rope, kv, work);
    expect_close(read_act(*models.backend, work.context->act.first_rows(n)), expected.values<float>(prefix + "fused_context"), kStateTolerance, "fused context");
    const Marginals q = models.drafter.draft(whole(rounds.at(i), "root_token"), block, vocab, models.target, rope, kv, work);
    EXPECT_EQ(kv.length, whole(rounds.at(i), "cache_len_after_crop"));
    expect_close(read_act(*models.backend, work.hidden->act.first_rows(block)), expected.values<float>(prefix + "output_hidden"), kStateTolerance, "output");
    const std::vector<float> logits = expected.values<float>(prefix + "draft_logits");
    expect_close(by_id(q), log_softmax(logits, vocab), kLogitTolerance, "draft logits");
    if (i < 2 || i + 1 == rounds.size()) {
      expect_close(cached(*kv.store, start, true), expected.values<float>(prefix + "draft_cache_k_after_crop"), kStateTolerance,
                   "cached keys");
      expect_close(cached(*kv.store, start, false), expected.values<float>(prefix + "draft_cache_v_after_crop"), kStateTolerance,
                   "cached values");
    }
  }
}

TEST(GoldenDflash, RoundsAgreeWithThePublishedDrafter) {
  const Json cases = get(read_json("dflash/manifest.json"), "cases");
  ASSERT_GT(cases.size(), 0u);
  if (tested_backends().empty()) GTEST_SKIP() << missing_backend();
  for (const TestedBackend& backend : tested_backends()) {
    for (size_t i = 0; i < cases.size(); ++i) {
      SCOPED_TRACE(text(cases.at(i), "name") + " on " + backend.name);
      check_case(cases.at(i), backend);
    }
  }
}

}  // namespace
}  // namespace draftscope::golden
