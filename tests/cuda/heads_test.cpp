// Products that end in heads: what norm_rope_append makes of the same product, bit for bit.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <memory>

#include "kernels/cuda/lt_rows.h"
#include "kernels/cuda/matmul.h"
#include "tests/cuda/attention_setup.h"
#include "tests/cuda/device_act.h"

namespace draftscope::cuda {
namespace {

constexpr int32_t kPositions = 50, kLayers = 2, kLayer = 1;

struct Case {
  HeadLayout heads;
  int32_t n_in;
  std::vector<int32_t> rows;
};
const Case kCases[] = {{{4, 2, 64}, 72, {1, 5, 16, 17, 33, 64, 130}},
                       {{3, 1, 128}, 3 * kUnitIn + 8, {1, 16, 32, 64}},  // splits
                       {{5, 1, 32}, 40, {1, 16, 40}},                    // the last tile has three heads of four
                       {{0, 2, 64}, 264, {16}},                          // keys and values only
                       {{129, 2, 128}, kUnitIn, {40}}};                  // wide blocks, the last one half used

/// One layer's heads on the device, and rows of which the third keeps no key.
class Layer {
 public:
  Layer(HeadLayout layout, int32_t n) : n_rows_(n) {
    cos_ = to_device(random_floats(kPositions, layout.head_dim / 2, 1).data);
    sin_ = to_device(random_floats(kPositions, layout.head_dim / 2, 2).data);
    q_norm_ = to_device(random_floats(1, layout.head_dim, 3).data);
    k_norm_ = to_device(random_floats(1, layout.head_dim, 4).data);
    TestRows rows;
    for (int32_t r = 0; r < n; ++r) {
      rows.add(n + 2 - r, 0, 1);
      rows.position.back() = r * 13 % kPositions;
    }
    if (n > 2) rows.cache_row[2] = kNoCacheRow;
    rows_ = std::make_unique<DeviceRows>(rows);
    args_ = {layout, q_norm_.data(), k_norm_.data(), 1e-6f, {cos_.data(), sin_.data()}, rows_->view(), {}, kLayer};
  }
  TestCache cache() const { return {kLayers, args_.layout, n_rows_ + 3, true}; }
  HeadsArgs into(TestCache& cache) const {
    HeadsArgs args = args_;
    args.kv = cache.view();
    return args;
  }

 private:
  int32_t n_rows_;
  DeviceBuffer<float> cos_, sin_, q_norm_, k_norm_;
  std::unique_ptr<DeviceRows> rows_;
  HeadsArgs args_;
};

std::vector<uint32_t> bits_of(const TestCache& cache, HeadLayout heads, int32_t capacity) {
  std::vector<uint32_t> bits;
  for (int32_t layer = 0; layer < kLayers; ++layer) {
    for (int32_t head = 0; head < heads.n_kv_heads; ++head) {
      for (int32_t row = 0; row < capacity; ++row) {
        for (int32_t i = 0; i < heads.head_dim; ++i) {
          bits.push_back(std::bit_cast<uint32_t>(cache.key(layer, head, row, i)));
          bits.push_back(std::bit_cast<uint32_t>(cache.value(layer, head, row, i)));
        }
      }
    }
  }
  return bits;
}

void run(MatmulArgs args) {
  const auto workspace =
      make_workspace(matmul_workspace_bytes(args.x.rows, args.w.n_out, args.w.n_in), kMaxCounters * sizeof(int32_t));
  args.workspace = workspace.data();
  matmul(args, nullptr);
}

void expect_same(const Case& c, int32_t n, bool is_normed) {
  const Layer layer(c.heads, n);
  const DeviceAct x(reference::random_table(n, c.n_in, 5)), two(n, c.heads.qkv_cols()), one(n, c.heads.qkv_cols());
  square_rows(x.act, nullptr);
  const DeviceWeights w(reference::random_weights(DType::kBf16, c.heads.qkv_cols(), c.n_in, 6));
  const auto norm = copy_to_device(std::vector<float>(static_cast<size_t>(c.n_in), 0.75f));
  MatmulArgs args;
  args.x = x.act;
  args.w = w.view;
  args.norm_weight = is_normed ? norm.data() : nullptr;
  args.eps = 1e-6f;
  TestCache of_two = layer.cache(), of_one = layer.cache();

  args.out = two.act;
  run(args);
  norm_rope_append(two.act, layer.into(of_two), nullptr);
  args.out = one.act;
  args.epilogue = Epilogue::kHeads;
  args.heads = layer.into(of_one);
  ASSERT_TRUE(can_end_in_heads(args));
  run(args);

  const std::vector<float> expected = two.values(), found = one.values();
  for (size_t i = 0; i < found.size(); ++i) {
    if (static_cast<int32_t>(i) % c.heads.qkv_cols() < c.heads.q_cols())
      ASSERT_EQ(found[i], expected[i]) << i;
    else
      ASSERT_TRUE(std::isnan(found[i])) << i << ": keys and values are not written here";
  }
  of_two.read_back();
  of_one.read_back();
  EXPECT_EQ(bits_of(of_one, c.heads, n + 3), bits_of(of_two, c.heads, n + 3));
}

TEST(CudaHeads, AProductThatEndsInHeadsEqualsTwoLaunches) {
  for (const Case& c : kCases) {
    for (const int32_t n : c.rows) {
      SCOPED_TRACE(fmt::format("{} + 2 x {} heads of {}, {} inputs, {} rows", c.heads.n_q_heads, c.heads.n_kv_heads,
                               c.heads.head_dim, c.n_in, n));
      expect_same(c, n, true);
      if (c.heads.n_q_heads < 64) expect_same(c, n, false);
    }
  }
}

TEST(CudaHeads, AreThereOnTensorCoresForWholeHeadsInOneLaunch) {
  MatmulArgs args;
  args.heads.layout = {4, 2, 128};
  args.x.rows = kSlabRows;
  EXPECT_TRUE(can_end_in_heads(args));
  for (const int32_t dim : {16, 40, 96, 256}) {
    args.heads.layout.head_dim = dim;
    EXPECT_FALSE(can_end_in_heads(args)) << dim;
  }
  args.heads.layout.head_dim = 64;
  args.x.rows = kSlabRows + 1;
  EXPECT_FALSE(can_end_in_heads(args));
  args.x.rows = 1;
  args.precision = Precision::kF32;
  EXPECT_FALSE(can_end_in_heads(args));
  args.precision = Precision::kBf16;
  args.w.is_bf16 = false;
  EXPECT_FALSE(can_end_in_heads(args));
}

}  // namespace
}  // namespace draftscope::cuda
