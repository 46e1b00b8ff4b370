// What layers keep between two operations as bf16, because only a product reads it: a pass has the bits of float32.
#include <gtest/gtest.h>

#include "tests/engine/passes.h"
#include "tests/engine/test_pair.h"

namespace draftscope {
namespace {

/// Hidden states, features of every layer, and keys after one pass of `n` rows.
std::vector<std::vector<float>> pass(const Target& target, int32_t n, TargetWorkspace work) {
  Backend& backend = target.backend();
  const LayerConfig& layer = target.config().layer;
  const PlacedRope rope = place_rope(backend, layer.head_dim, layer.rope_theta, n);
  const KvCache kv = target.make_kv(n);
  PassRows rows = chain_rows(golden::counting(5, n), 0);
  backend.place(rows);
  target.forward(rows, rope, *kv.store, work);
  return {read_act(backend, work.hidden->act.first_rows(n)), read_act(backend, work.features->act.first_rows(n)),
          cached(*kv.store, n, true)};
}

TEST(LayerActivations, KeptAsBf16GiveTheBitsOfFloat32) {
  if (tested_backends().empty()) GTEST_SKIP() << missing_backend();
  const std::string golden_qwen3 = DS_SOURCE_DIR "/tests/golden/qwen3/";
  for (const std::string& dir : {test_pair_dir("target"), golden_qwen3 + "tied_bf16", golden_qwen3 + "untied_f32"}) {
    const auto backend = tested_backends()[0].make(Precision::kBf16);
    const Target target = golden::must(Target::open(dir, *backend));
    for (const int32_t n : {1, 5, 40}) {
      const auto workspace = [&] { return target.make_workspace(n, golden::counting(0, target.config().n_layers)); };
      TargetWorkspace floats = workspace();
      ASSERT_TRUE(floats.layers.attended->act.bf16 != nullptr && floats.layers.mlp->act.bf16 != nullptr);
      floats.layers.attended = backend->make_act(n, floats.layers.attended->act.cols);
      floats.layers.mlp = backend->make_act(n, floats.layers.mlp->act.cols);
      EXPECT_EQ(pass(target, n, workspace()), pass(target, n, std::move(floats))) << dir << ", " << n << " rows";
    }
  }
}

TEST(LayerActivations, StayFloat32WhereProductsAreFloat32) {
  if (tested_backends().empty()) GTEST_SKIP() << missing_backend();
  const auto backend = tested_backends()[0].make(Precision::kF32);
  const auto input = backend->make_product_input(3, 8);
  EXPECT_TRUE(input->act.data != nullptr && input->act.bf16 == nullptr);
}

}  // namespace
}  // namespace draftscope
