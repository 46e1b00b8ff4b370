// Operations on single rows, against the formulas in double.
#include <gtest/gtest.h>

#include "kernels/cuda/matmul.h"
#include "tests/cuda/device_act.h"

namespace draftscope::cuda {
namespace {

using reference::Table;
using reference::Weights;

TEST(CudaEmbed, CopiesRowsExactlyAndSumsTheirSquares) {
  for (const DType dtype : {DType::kBf16, DType::kF32}) {
    for (const int64_t dim : {8, 64, 200, 1032}) {
      const Weights table = reference::random_weights(dtype, 50, dim, 1);
      const DeviceWeights on_device(table);
      const std::vector<int32_t> tokens = {49, 0, 7, 7};
      const auto token = copy_to_device(tokens);
      RowsView rows;
      rows.n_rows = 4;
      rows.token = token.data();
      const DeviceAct out(4, dim);
      embed(on_device.view, rows, out.act, nullptr);
      const Table found = out.table();
      const std::vector<float> squares = out.squares();
      for (int64_t r = 0; r < 4; ++r) {
        std::vector<double> expected(squares.size() / 4);
        for (int64_t c = 0; c < dim; ++c) {
          ASSERT_EQ(found.at(r, c), table.values.at(tokens[static_cast<size_t>(r)], c));
          expected[static_cast<size_t>(c / kSquarePiece)] += found.at(r, c) * found.at(r, c);
        }
        for (size_t piece = 0; piece < expected.size(); ++piece)  // 64 additions of float32
          ASSERT_NEAR(squares[static_cast<size_t>(r) * expected.size() + piece], expected[piece],
                      64 * 0x1p-24 * expected[piece]);
      }
    }
  }
}

TEST(CudaEmbed, LeavesSquaresAloneWhereNoneAreKept) {
  const DeviceWeights table(reference::random_weights(DType::kF32, 5, 64, 2));
  const auto token = copy_to_device(std::vector<int32_t>{3});
  RowsView rows;
  rows.n_rows = 1;
  rows.token = token.data();
  const DeviceAct out(1, 64);
  Act without = out.act;
  without.squares = nullptr;
  embed(table.view, rows, without, nullptr);
  EXPECT_FALSE(std::isnan(out.values()[63]));
  EXPECT_TRUE(std::isnan(out.squares()[0]));
}

TEST(CudaRmsNorm, EqualsItsFormulaAlsoInPlace) {
  for (const int64_t dim : {8, 64, 200, 2600}) {
    const Table x = reference::random_table(5, dim, 3, 2.0), weight = reference::random_table(1, dim, 4);
    const std::vector<float> weights(weight.data.begin(), weight.data.end());
    const auto on_device = copy_to_device(weights);
    const Table expected = reference::rms_norm(x, weights, 1e-6);
    const DeviceAct in(x), out(5, dim), alone(reference::row_of(x, 3)), alone_out(1, dim);
    rms_norm(in.act, on_device.data(), 1e-6f, out.act, nullptr);
    const Table found = out.table();
    for (size_t i = 0; i < found.data.size(); ++i)  // the scale and two products, some ulp
      ASSERT_NEAR(found.data[i], expected.data[i], 1e-6 * std::fabs(expected.data[i]));
    rms_norm(in.act, on_device.data(), 1e-6f, in.act, nullptr);
    EXPECT_EQ(in.values(), out.values());
    rms_norm(alone.act, on_device.data(), 1e-6f, alone_out.act, nullptr);
    EXPECT_EQ(alone_out.table().data, reference::row_of(found, 3).data);
  }
}

TEST(CudaRmsNorm, RoundsWhatItWritesToAProductsInput) {
  const DeviceAct x(reference::random_table(5, 200, 3, 2.0)), floats(5, 200);
  const DeviceBf16 halves(5, 200);
  const auto weight = copy_to_device(std::vector<float>(200, 0.75f));
  rms_norm(x.act, weight.data(), 1e-6f, floats.act, nullptr);
  rms_norm(x.act, weight.data(), 1e-6f, halves.act, nullptr);
  EXPECT_EQ(halves.bits(), DeviceBf16::rounded(floats.values()));
}

// What a product normalises on its way in is what rms_norm writes, to the bit: a one-hot weight reads it back.
TEST(CudaRmsNorm, EqualsTheNormInsideAProduct) {
  const int64_t dim = 200;
  const Weights table = reference::random_weights(DType::kF32, 9, dim, 5);
  const DeviceWeights on_device(table);
  const auto token = copy_to_device(std::vector<int32_t>{4, 8});
  RowsView rows;
  rows.n_rows = 2;
  rows.token = token.data();
  const DeviceAct x(2, dim), normed(2, dim), product(2, dim);
  embed(on_device.view, rows, x.act, nullptr);
  const auto norm_weight = copy_to_device(std::vector<float>(static_cast<size_t>(dim), 0.75f));
  rms_norm(x.act, norm_weight.data(), 1e-6f, normed.act, nullptr);

  Table one_hot(dim, dim);
  for (int64_t i = 0; i < dim; ++i) one_hot.at(i, i) = 1.0;
  const DeviceWeights identity(reference::store(DType::kBf16, one_hot));
  const auto workspace = make_workspace(matmul_workspace_bytes(2, dim, dim), kMaxCounters * sizeof(int32_t));
  MatmulArgs args;
  args.x = x.act;
  args.norm_weight = norm_weight.data();
  args.eps = 1e-6f;
  args.w = identity.view;
  args.out = product.act;
  args.workspace = workspace.data();
  args.precision = Precision::kF32;
  matmul(args, nullptr);
  EXPECT_EQ(product.values(), normed.values());
  args.precision = Precision::kBf16;
  matmul(args, nullptr);
  EXPECT_EQ(product.table().data, rounded_to_bf16(normed.table()).data);
}

TEST(CudaGatherRows, PutsRowsBesideWhatIsThere) {
  const Table x = reference::random_table(6, 300, 6);
  const DeviceAct in(x);
  const std::vector<int32_t> picked = {5, 0, 5};
  const auto rows = copy_to_device(picked);
  const DeviceAct out(4, 700);
  gather_rows(in.act, rows.data(), 3, out.act, 301, nullptr);
  gather_rows(in.act, nullptr, 4, out.act, 1, nullptr);
  const Table found = out.table();
  for (int64_t r = 0; r < 4; ++r) {
    for (int64_t c = 0; c < 700; ++c) {
      if (c >= 301 && c < 601 && r < 3)
        ASSERT_EQ(found.at(r, c), x.at(picked[static_cast<size_t>(r)], c - 301));
      else if (c >= 1 && c < 301)
        ASSERT_EQ(found.at(r, c), x.at(r, c - 1));
      else
        ASSERT_TRUE(std::isnan(found.at(r, c))) << r << ' ' << c;
    }
  }
}

TEST(CudaGatherRows, RoundsAndWidensBetweenFloatsAndProductInputs) {
  const Table x = reference::random_table(3, 40, 7), rounded = rounded_to_bf16(x);
  const DeviceAct floats(x), widened(3, 40);
  const DeviceBf16 halves(x), of_floats(3, 40), of_halves(3, 40);
  gather_rows(floats.act, nullptr, 3, of_floats.act, 0, nullptr);
  gather_rows(halves.act, nullptr, 3, of_halves.act, 0, nullptr);
  gather_rows(halves.act, nullptr, 3, widened.act, 0, nullptr);
  EXPECT_EQ(of_floats.bits(), halves.bits());
  EXPECT_EQ(of_halves.bits(), halves.bits());
  EXPECT_EQ(widened.table().data, rounded.data);
}

}  // namespace
}  // namespace draftscope::cuda
