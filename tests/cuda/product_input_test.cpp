// Products' inputs that are kept as bf16: the bits are those of float32 ones, which products round on their way in.
#include <gtest/gtest.h>

#include <cstring>

#include "kernels/cuda/matmul.h"
#include "tests/cuda/device_act.h"

namespace draftscope::cuda {
namespace {

using reference::Table;

struct Case {
  DType weights;
  int64_t n_out, n_in;
  std::vector<int64_t> rows;
};
const Case kCases[] = {{DType::kBf16, 208, 72, {1, 5, 16, 33, 64, 130}},
                       {DType::kBf16, 176, 3 * kUnitIn + 8, {1, 5, 16, 33, 64}},  // splits, the last one padded
                       {DType::kBf16, 30 * kTileOut + 64, 3 * kUnitIn + 40, {64}},  // of wide blocks, the last half used
                       {DType::kBf16, 16, 8, {kSlabRows + 3}},                      // two launches
                       {DType::kF32, 80, kUnitIn + 8, {1, 33}}};

void run(Act x, WeightsView w, Act out, Epilogue epilogue) {
  const auto workspace = make_workspace(matmul_workspace_bytes(x.rows, w.n_out, w.n_in), kMaxCounters * sizeof(int32_t));
  w.gate_up = epilogue == Epilogue::kSwiGlu;
  MatmulArgs args;
  args.x = x;
  args.w = w;
  args.out = out;
  args.epilogue = epilogue;
  args.workspace = workspace.data();
  matmul(args, nullptr);
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

TEST(CudaProductInput, KeptAsBf16GivesTheBitsOfFloat32) {
  for (const auto& [dtype, n_out, n_in, all_rows] : kCases) {
    const DeviceWeights w(reference::random_weights(dtype, n_out, n_in, 1));
    for (const int64_t rows : all_rows) {
      SCOPED_TRACE(fmt::format("{} rows, {} x {}, bf16 weights {}", rows, n_out, n_in, w.view.is_bf16));
      const Table x = reference::random_table(rows, n_in, 2), before = reference::random_table(rows, n_out, 3);
      const DeviceAct floats(x), expected(before), found(before);
      const DeviceBf16 halves(x);
      run(floats.act, w.view, expected.act, Epilogue::kAdd);
      run(halves.act, w.view, found.act, Epilogue::kAdd);
      EXPECT_TRUE(same_bits(found.values(), expected.values()));
      EXPECT_TRUE(same_bits(found.squares(), expected.squares()));
    }
  }
}

TEST(CudaProductInput, GatedProductsRoundWhatTheyWrite) {
  for (const auto& [dtype, n_out, n_in, all_rows] : kCases) {
    const DeviceWeights w(reference::random_weights(dtype, n_out, n_in, 4));
    for (const int64_t rows : all_rows) {
      SCOPED_TRACE(fmt::format("{} rows, {} x {}, bf16 weights {}", rows, n_out, n_in, w.view.is_bf16));
      const DeviceAct x(reference::random_table(rows, n_in, 5, 0.3)), floats(rows, n_out / 2);
      const DeviceBf16 halves(rows, n_out / 2);
      run(x.act, w.view, floats.act, Epilogue::kSwiGlu);
      run(x.act, w.view, halves.act, Epilogue::kSwiGlu);
      EXPECT_EQ(halves.bits(), DeviceBf16::rounded(floats.values()));
    }
  }
}

TEST(CudaProductInput, NanAndInfinityStayInTheirRow) {
  Table x = reference::random_table(20, 32, 6);
  x.at(2, 5) = NAN;
  x.at(17, 1) = INFINITY;
  const DeviceWeights w(reference::random_weights(DType::kBf16, 40, 32, 7));
  const DeviceAct floats(x), expected(20, 40), found(20, 40);
  const DeviceBf16 halves(x);
  run(floats.act, w.view, expected.act, Epilogue::kSet);
  run(halves.act, w.view, found.act, Epilogue::kSet);
  const std::vector<float> values = found.values(), of_floats = expected.values();
  for (size_t i = 0; i < values.size(); ++i)
    ASSERT_TRUE(values[i] == of_floats[i] || (std::isnan(values[i]) && std::isnan(of_floats[i]))) << i;
}

}  // namespace
}  // namespace draftscope::cuda
