// Products on the device against sums in double, and their bits against themselves.
#include <gtest/gtest.h>

#include "kernels/cuda/matmul.h"
#include "tests/cuda/device_act.h"
#include "tests/cuda/device_control.h"

namespace draftscope::cuda {
namespace {

using reference::Table;
using reference::Weights;

constexpr size_t kCounterBytes = kMaxCounters * sizeof(int32_t);

struct Setting {
  DType weights;
  Precision precision;
  const char* name;
};
void PrintTo(const Setting& setting, std::ostream* out) { *out << setting.name; }
class CudaMatmulTest : public testing::TestWithParam<Setting> {
 protected:
  Weights weights(int64_t n_out, int64_t n_in, uint32_t seed) const {
    return reference::random_weights(GetParam().weights, n_out, n_in, seed);
  }
  Table as_multiplied(const Table& x) const {
    return GetParam().precision == Precision::kBf16 ? rounded_to_bf16(x) : x;
  }
  MatmulArgs args(const DeviceAct& x, const DeviceWeights& w, const DeviceAct& out, Epilogue epilogue) const {
    MatmulArgs args;
    args.x = x.act;
    args.w = w.view;
    args.out = out.act;
    args.epilogue = epilogue;
    args.precision = GetParam().precision;
    return args;
  }
  /// With a workspace of exactly the size asked for.
  static void run(MatmulArgs args) {
    const auto workspace =
        make_workspace(matmul_workspace_bytes(args.x.rows, args.w.n_out, args.w.n_in), kCounterBytes);
    args.workspace = workspace.data();
    matmul(args, nullptr);
    const auto counters = copy_to_host(reinterpret_cast<const int32_t*>(workspace.data()), kMaxCounters);
    EXPECT_EQ(std::ranges::count(counters, 0u), kMaxCounters);
  }
  Table product(const Table& x, const Weights& w) const {
    const DeviceAct in(x), out(x.rows, w.values.rows);
    const DeviceWeights on_device(w);
    run(args(in, on_device, out, Epilogue::kSet));
    return out.table();
  }
};

// Float32 sums of n terms are off by at most about n ulp of the sum of absolute values.
void expect_close(const Table& found, const Table& expected, const Table& magnitude, int64_t n_in) {
  ASSERT_EQ(found.data.size(), expected.data.size());
  for (size_t i = 0; i < found.data.size(); ++i) {
    const double bound = static_cast<double>(n_in + 4) * 0x1p-24 * magnitude.data[i] + 1e-30;
    ASSERT_NEAR(found.data[i], expected.data[i], bound) << "element " << i;
  }
}

TEST_P(CudaMatmulTest, OddShapesEqualTheSumInDouble) {
  const int64_t shapes[][3] = {{1, 1, 8},    {1, 17, 40},    {2, 16, 32},   {3, 129, 264},
                               {7, 31, 16},  {9, 64, 304},   {16, 100, 72}, {17, 130, 96},
                               {32, 5, 520}, {33, 257, 128}, {64, 48, 24},  {130, 145, 520}};
  uint32_t seed = 1;
  for (const auto& [rows, n_out, n_in] : shapes) {
    SCOPED_TRACE(fmt::format("{} rows, {} x {}", rows, n_out, n_in));
    const Weights w = weights(n_out, n_in, ++seed);
    const Table x = reference::random_table(rows, n_in, ++seed);
    Table magnitude;
    const Table expected = reference::matmul(as_multiplied(x), w.values, &magnitude);
    expect_close(product(x, w), expected, magnitude, n_in);
  }
}

TEST_P(CudaMatmulTest, ASplitThatIsPartlyPaddedEqualsTheSumInDouble) {
  for (const int32_t n_splits : {4, 18}) {  // few and many more than are on their way together to the block that adds them
    const int32_t n_in = (n_splits - 1) * kUnitIn + 8;
    ASSERT_EQ(plan_splits(70, n_in).n_splits, n_splits);
    const Weights w = weights(70, n_in, 3);
    for (const int64_t rows : {1, 5, 20, 70}) {
      const Table x = reference::random_table(rows, n_in, static_cast<uint32_t>(rows));
      Table magnitude;
      const Table expected = reference::matmul(as_multiplied(x), w.values, &magnitude);
      expect_close(product(x, w), expected, magnitude, n_in);
    }
  }
}

TEST_P(CudaMatmulTest, AddAddsToWhatWasThereAndKeepsItsSquares) {
  for (const auto& [n_out, n_in] : {std::pair{150, 600}, {64, 40}, {200, 16}}) {
    const Weights w = weights(n_out, n_in, 4);
    const Table x = reference::random_table(9, n_in, 5), before = reference::random_table(9, n_out, 6);
    const Table alone = product(x, w);
    const DeviceAct in(x), out(before);
    const DeviceWeights on_device(w);
    run(args(in, on_device, out, Epilogue::kAdd));
    const Table sum = out.table();
    const std::vector<float> squares = out.squares();
    const int32_t n_pieces = n_square_pieces(n_out);
    for (int64_t r = 0; r < 9; ++r) {
      std::vector<double> expected(static_cast<size_t>(n_pieces));
      for (int64_t c = 0; c < n_out; ++c) {
        ASSERT_EQ(sum.at(r, c), static_cast<float>(before.at(r, c)) + static_cast<float>(alone.at(r, c)));
        expected[static_cast<size_t>(c / kSquarePiece)] += sum.at(r, c) * sum.at(r, c);
      }
      for (int32_t piece = 0; piece < n_pieces; ++piece)  // 64 additions of float32
        ASSERT_NEAR(squares[static_cast<size_t>(r * n_pieces + piece)], expected[piece],
                    64 * 0x1p-24 * expected[piece]);
    }
  }
}

TEST_P(CudaMatmulTest, AddWithoutSquaresTouchesNone) {
  const Weights w = weights(70, 40, 4);
  const DeviceAct in(reference::random_table(3, 40, 5)), out(reference::random_table(3, 70, 6));
  const DeviceWeights on_device(w);
  MatmulArgs add = args(in, on_device, out, Epilogue::kAdd);
  add.out.squares = nullptr;
  run(add);
  for (const float square : out.squares()) EXPECT_TRUE(std::isnan(square));
}

/// Gate and up rows, eight by eight.
Weights interleaved(const Weights& gate, const Weights& up) {
  Table both(2 * gate.values.rows, gate.values.cols);
  for (int64_t row = 0; row < gate.values.rows; ++row) {
    for (int64_t c = 0; c < both.cols; ++c) {
      both.at(row / 8 * 16 + row % 8, c) = gate.values.at(row, c);
      both.at(row / 8 * 16 + row % 8 + 8, c) = up.values.at(row, c);
    }
  }
  return reference::store(gate.dtype, both);
}

TEST_P(CudaMatmulTest, SwigluIsSiluOfTheGatesTimesTheUps) {
  for (const auto& [dim, n_in] : {std::pair{8, 24}, {72, 600}, {136, 264}}) {
    const Weights gate = weights(dim, n_in, 7), up = weights(dim, n_in, 8);
    const Table x = reference::random_table(11, n_in, 9, 0.3);
    const DeviceAct in(x), out(11, dim);
    const DeviceWeights on_device(interleaved(gate, up));
    MatmulArgs swiglu = args(in, on_device, out, Epilogue::kSwiGlu);
    swiglu.w.gate_up = true;
    run(swiglu);
    const Table both = product(x, interleaved(gate, up)), found = out.table();
    for (int64_t r = 0; r < 11; ++r) {
      for (int64_t c = 0; c < dim; ++c) {
        const int64_t column = c / 8 * 16 + c % 8;
        const auto g = static_cast<float>(both.at(r, column)), u = static_cast<float>(both.at(r, column + 8));
        const double expected = g / (1.0 + std::exp(-static_cast<double>(g))) * u;  // a device's expf is not the host's
        ASSERT_NEAR(found.at(r, c), expected, 1e-6 * std::fabs(expected)) << r << ' ' << c;
      }
    }
  }
}

/// Sums of squares of 64 columns each, as float32.
std::vector<float> squares_of(const Table& x) {
  const int32_t n_pieces = n_square_pieces(static_cast<int32_t>(x.cols));
  std::vector<double> sums(static_cast<size_t>(x.rows * n_pieces));
  for (int64_t r = 0; r < x.rows; ++r) {
    for (int64_t c = 0; c < x.cols; ++c)
      sums[static_cast<size_t>(r * n_pieces + c / kSquarePiece)] += x.at(r, c) * x.at(r, c);
  }
  return {sums.begin(), sums.end()};
}
void put_squares(const DeviceAct& x, const Table& values) {
  const std::vector<float> squares = squares_of(values);
  CUDA_CHECK(cudaMemcpy(x.act.squares, squares.data(), squares.size() * sizeof(float), cudaMemcpyHostToDevice));
}

TEST_P(CudaMatmulTest, NormComesBeforeTheProduct) {
  for (const auto& [rows, n_out, n_in] : {std::tuple{1, 40, 8}, {5, 140, 264}, {40, 33, 2176}}) {
    const Weights w = weights(n_out, n_in, 10);
    const Table x = reference::random_table(rows, n_in, 11, 3.0);
    const Table norm = reference::random_table(1, n_in, 12);
    const std::vector<float> norm_weight(norm.data.begin(), norm.data.end());
    const DeviceAct in(x), out(rows, n_out);
    put_squares(in, x);
    const DeviceWeights on_device(w);
    const auto norm_on_device = copy_to_device(norm_weight);
    MatmulArgs normed = args(in, on_device, out, Epilogue::kSet);
    normed.norm_weight = norm_on_device.data();
    normed.eps = 1e-6f;
    run(normed);
    const Table expected = reference::matmul(as_multiplied(reference::rms_norm(x, norm_weight, 1e-6)), w.values);
    // The norm in float32 rounds one element in some thousands to the other bf16 neighbour, 2^-8 away: 2e-9 of the
    // squares. Leaving the rounding out, or doing it before the norm, would cost 1e-6.
    EXPECT_LT(normalised_error(out.table(), expected), 1e-7) << rows << " rows";
  }
}

TEST_P(CudaMatmulTest, ARowHasTheSameBitsInAnyBatch) {
  const int64_t n_in = 776, n_out = 176;
  const Weights w = weights(n_out, n_in, 13);
  const DeviceWeights on_device(w);
  const Table norm = reference::random_table(1, n_in, 14);
  const auto norm_weight = copy_to_device(std::vector<float>(norm.data.begin(), norm.data.end()));
  const Table all = reference::random_table(130, n_in, 15), before = reference::random_table(130, n_out, 16);
  const auto part = [](const Table& table, int64_t first, int64_t n) {
    Table rows(n, table.cols);
    std::copy_n(table.data.begin() + first * table.cols, rows.data.size(), rows.data.begin());
    return rows;
  };
  struct Bits {
    std::vector<float> values, squares;
  };
  const auto bits = [&](Epilogue epilogue, int64_t first, int64_t n) {
    const DeviceAct in(part(all, first, n));
    put_squares(in, part(all, first, n));
    const DeviceAct out = epilogue == Epilogue::kAdd ? DeviceAct(part(before, first, n))
                                                     : DeviceAct(n, epilogue == Epilogue::kSwiGlu ? n_out / 2 : n_out);
    MatmulArgs each = args(in, on_device, out, epilogue);
    each.norm_weight = epilogue == Epilogue::kSet ? nullptr : norm_weight.data();
    each.eps = 1e-5f;
    run(each);
    return Bits{out.values(), epilogue == Epilogue::kAdd ? out.squares() : std::vector<float>{}};
  };
  for (const Epilogue epilogue : {Epilogue::kSet, Epilogue::kAdd, Epilogue::kSwiGlu}) {
    const Bits whole = bits(epilogue, 0, 130);
    const auto expect_part = [&](int64_t first, int64_t n) {
      const Bits found = bits(epilogue, first, n);
      const auto cols = static_cast<int64_t>(whole.values.size()) / 130;
      const auto pieces = static_cast<int64_t>(whole.squares.size()) / 130;
      EXPECT_TRUE(std::ranges::equal(found.values, std::span(whole.values).subspan(first * cols, n * cols))) << n;
      EXPECT_TRUE(std::ranges::equal(found.squares, std::span(whole.squares).subspan(first * pieces, n * pieces))) << n;
    };
    for (const int64_t row : {0, 7, 63, 64, 129}) expect_part(row, 1);
    for (const int64_t n : {2, 15, 16, 17, 31, 33, 64, 65, 128}) expect_part(130 - n, n);
  }
}

// Many rows of a matrix with so many tiles that its inputs are not split: blocks are two tiles wide, the last one half used.
class CudaTensorMatmulTest : public CudaMatmulTest {};
TEST_P(CudaTensorMatmulTest, WideBlocksGiveTheBitsOfNarrowOnes) {
  constexpr int64_t n_in = kUnitIn + 40, n_out = 132 * kTileOut + 70;
  const SplitPlan plan = plan_splits(n_out, n_in);
  ASSERT_TRUE(plan.n_tiles % 2 == 1 && ceil_div(plan.n_tiles, 2) >= 64 && plan.n_splits == 1);
  const Weights w = weights(n_out, n_in, 27);
  const DeviceWeights on_device(w);
  const Table x = reference::random_table(35, n_in, 28), before = reference::random_table(35, n_out, 29);
  const auto norm_weight = copy_to_device(std::vector<float>(n_in, 1.5f));
  const auto add = [&](const Table& rows, const Table& to) {
    const DeviceAct in(rows), out(to);
    put_squares(in, rows);
    MatmulArgs each = args(in, on_device, out, Epilogue::kAdd);
    each.norm_weight = norm_weight.data();
    each.eps = 1e-5f;
    run(each);
    return std::pair(out.values(), out.squares());
  };
  const auto [values, squares] = add(x, before);
  const size_t n_pieces = static_cast<size_t>(n_square_pieces(n_out));
  for (const size_t row : {0, 17, 34}) {
    const auto [own, own_squares] = add(reference::row_of(x, row), reference::row_of(before, row));
    EXPECT_TRUE(std::ranges::equal(own, std::span(values).subspan(row * n_out, n_out))) << row;
    EXPECT_TRUE(std::ranges::equal(own_squares, std::span(squares).subspan(row * n_pieces, n_pieces))) << row;
  }
}

TEST_P(CudaMatmulTest, TheOrderInWhichBlocksRunChangesNoBit) {
  const Weights w = weights(200, 1032, 17);
  const Table x = reference::random_table(20, 1032, 18);
  const Table forwards = product(x, w);
  run_backwards(true);
  const Table backwards = product(x, w);
  run_backwards(false);
  EXPECT_EQ(forwards.data, backwards.data);
}

TEST_P(CudaMatmulTest, OneWorkspaceServesManyShapesInARow) {
  const std::tuple<int64_t, int64_t, int64_t> shapes[] = {{1, 300, 1032}, {70, 40, 2056}, {20, 130, 520}, {3, 40, 264}};
  int64_t n_bytes = 0;
  for (const auto& [rows, n_out, n_in] : shapes)
    n_bytes = std::max(n_bytes, matmul_workspace_bytes(static_cast<int32_t>(rows), static_cast<int32_t>(n_out),
                                                       static_cast<int32_t>(n_in)));
  const auto workspace = make_workspace(n_bytes, kCounterBytes);
  for (int repeat = 0; repeat < 2; ++repeat) {
    for (const auto& [rows, n_out, n_in] : shapes) {
      const Weights w = weights(n_out, n_in, static_cast<uint32_t>(19 + repeat));
      const Table x = reference::random_table(rows, n_in, static_cast<uint32_t>(21 + repeat));
      const DeviceAct in(x), out(rows, n_out);
      const DeviceWeights on_device(w);
      MatmulArgs shared = args(in, on_device, out, Epilogue::kSet);
      shared.workspace = workspace.data();
      matmul(shared, nullptr);
      EXPECT_EQ(out.table().data, product(x, w).data);
    }
  }
}

TEST_P(CudaMatmulTest, MoreRowsThanALaunchTakesAreCut) {
  const int64_t rows = kSlabRows + 3;
  const Weights w = weights(24, 520, 23);
  const Table x = reference::random_table(rows, 520, 24);
  const Table all = product(x, w);
  for (const int64_t row : {int64_t{0}, int64_t{kSlabRows - 1}, int64_t{kSlabRows}, rows - 1})
    EXPECT_EQ(product(reference::row_of(x, row), w).data, reference::row_of(all, row).data) << row;
}

TEST_P(CudaMatmulTest, NanAndInfinityStayInTheirRow) {
  const Weights w = weights(40, 32, 25);
  Table x = reference::random_table(20, 32, 26);
  const Table clean = product(x, w);
  x.at(2, 5) = NAN;
  x.at(17, 1) = INFINITY;
  const Table out = product(x, w);
  for (int64_t r = 0; r < 20; ++r) {
    for (int64_t c = 0; c < 40; ++c) {
      if (r == 2)
        ASSERT_TRUE(std::isnan(out.at(r, c)));
      else if (r == 17)
        ASSERT_FALSE(std::isfinite(out.at(r, c)));
      else
        ASSERT_EQ(out.at(r, c), clean.at(r, c));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, CudaTensorMatmulTest,
                         testing::Values(Setting{DType::kBf16, Precision::kBf16, "TensorCores"}),
                         [](const auto& setting) { return setting.param.name; });
INSTANTIATE_TEST_SUITE_P(Kernels, CudaMatmulTest,
                         testing::Values(Setting{DType::kBf16, Precision::kBf16, "TensorCores"},
                                         Setting{DType::kBf16, Precision::kF32, "Bf16WeightsF32"},
                                         Setting{DType::kF32, Precision::kBf16, "F32WeightsBf16"},
                                         Setting{DType::kF32, Precision::kF32, "F32WeightsF32"}),
                         [](const auto& setting) { return setting.param.name; });

TEST(CudaSplitPlan, CoversEveryInputOnceAndNeedsFewCounters) {
  for (const int32_t n_out : {1, 64, 128, 129, 1024, 2560, 4096, 6144, 19456, 24576, 151936}) {
    for (const int32_t n_in : {8, 256, 264, 1024, 2560, 3072, 4096, 9728, 12288}) {
      const SplitPlan plan = plan_splits(n_out, n_in);
      const int32_t n_units = ceil_div(n_in, kUnitIn);
      EXPECT_GE(plan.n_tiles * kTileOut, n_out);
      EXPECT_GE(plan.n_splits * plan.units_per_split, n_units);
      EXPECT_LT((plan.n_splits - 1) * plan.units_per_split, n_units);  // no split is empty
      if (plan.n_splits > 1) {
        EXPECT_LE(plan.n_tiles * plan.n_splits, 132);
        EXPECT_LE(plan.n_tiles * (kSlabRows / kTileRows), kMaxCounters);
      }
    }
  }
}

}  // namespace
}  // namespace draftscope::cuda
