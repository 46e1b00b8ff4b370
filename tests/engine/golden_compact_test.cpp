// Compaction of the cache against the published loop: which rows stay, and where.
#include <gtest/gtest.h>

#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/kv_store.h"
#include "tests/engine/passes.h"
#include "tests/speculate/golden_files.h"

namespace draftscope::golden {
namespace {

/// A float32 cache of any head size; the published cases are smaller than the kernels' own stores may be.
std::unique_ptr<CpuKvStore> make_store(const Json& about) {
  auto store = std::make_unique<CpuKvStore>();
  store->n_layers = whole(about, "layers");
  store->n_kv_heads = whole(about, "kv_heads");
  store->head_dim = whole(about, "head_dim");
  store->capacity = whole(about, "past_length") + whole(about, "appended");
  const size_t n = static_cast<size_t>(store->n_layers) * store->n_kv_heads * store->capacity * store->head_dim;
  store->k32.resize(n);
  store->v32.resize(n);
  return store;
}

/// All layers of one side, in the order (layers, kv_heads, tokens, head_dim).
std::vector<float> layers(const Tensors& tensors, const Json& about, const std::string& suffix) {
  std::vector<float> all;
  for (int32_t layer = 0; layer < whole(about, "layers"); ++layer) {
    const std::vector<float> one = tensors.values<float>("compact" + std::to_string(whole(about, "id")) + ".layer" +
                                                         std::to_string(layer) + "." + suffix);
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

TEST(GoldenCompact, KeptRowsAreThoseOfThePublishedLoop) {
  const Tensors tensors("verify/verify.safetensors");
  const Json cases = get(read_json("verify/verify.json"), "compact");
  ASSERT_GT(cases.size(), 0u);
  const std::unique_ptr<Backend> backend = must(make_cpu_backend({Precision::kF32, 1, CpuPath::kPlain}));
  for (size_t i = 0; i < cases.size(); ++i) {
    const Json about = cases.at(i);
    std::unique_ptr<CpuKvStore> store = make_store(about);
    const std::vector<float> keys = layers(tensors, about, "k_before"), values = layers(tensors, about, "v_before");
    store->k32.assign(keys.begin(), keys.end());  // a full store has the references' own layout
    store->v32.assign(values.begin(), values.end());
    KvCache kv{std::move(store), whole(about, "past_length")};
    kv.keep(*backend, wholes(about, "keep_current_indices"));
    EXPECT_EQ(kv.length, whole(about, "length_after"));
    EXPECT_EQ(cached(*kv.store, kv.length, true), layers(tensors, about, "k_after")) << "case " << i;
    EXPECT_EQ(cached(*kv.store, kv.length, false), layers(tensors, about, "v_after")) << "case " << i;
  }
}

}  // namespace
}  // namespace draftscope::golden
