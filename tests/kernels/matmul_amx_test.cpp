// The tile kernel on a model of the tiles: the same code as on a processor with AMX, tested on any.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <tuple>
#include <vector>

#include "kernels/cpu/bf16.h"
#include "kernels/cpu/packed_matrix.h"
#include "tests/kernels/model_tiles.h"
#include "tests/kernels/reference.h"

namespace draftscope {
namespace {

using reference::Table;

/// bf16 weights, packed, and activations rounded to bf16.
struct Product {
  std::unique_ptr<PackedMatrix> w;
  reference::Weights weights;
  Table x;                   // as multiplied
  std::vector<uint16_t> in;  // (rows, n_pairs * 2)
};

Product make_product(int64_t rows, int64_t n_out, int64_t n_in, uint32_t seed, double scale = 1.0) {
  Product p;
  p.weights = reference::random_weights(DType::kBf16, n_out, n_in, seed, scale);
  const Tensor tensor = p.weights.tensor();
  p.w = pack_matrix({&tensor, 1});
  p.x = reference::random_table(rows, n_in, seed + 1000);
  p.in.assign(static_cast<size_t>(rows * p.w->n_pairs * 2), 0);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < n_in; ++i) {
      const uint16_t bits = bf16_of_float(static_cast<float>(p.x.at(r, i)));
      p.in[static_cast<size_t>(r * p.w->n_pairs * 2 + i)] = bits;
      p.x.at(r, i) = float_of_bf16(bits);
    }
  }
  return p;
}

constexpr float kUntouched = -12345.0f;

/// Blocks [first, last) of rows [row, row + rows); whatever lies beside them must stay as it was.
std::vector<float> run(const Product& p, int64_t row, int64_t rows, int64_t first, int64_t last) {
  const int64_t cols = (last - first) * kBlockCols, stride = cols + 5;
  std::vector<float> memory(static_cast<size_t>((rows + 1) * stride), kUntouched);
  const MatmulInput input{.bf16 = p.in.data() + row * p.w->n_pairs * 2, .rows = rows};
  matmul_tiles<ModelTiles>(input, *p.w, first, last, memory.data(), stride);
  EXPECT_FALSE(ModelTiles::is_configured()) << "tiles not released";
  std::vector<float> out;
  for (int64_t i = 0; i < (rows + 1) * stride; ++i) {
    if (i / stride < rows && i % stride < cols)
      out.push_back(memory[static_cast<size_t>(i)]);
    else
      EXPECT_EQ(memory[static_cast<size_t>(i)], kUntouched) << "written beside the product";
  }
  return out;
}
std::vector<float> run(const Product& p) { return run(p, 0, p.x.rows, 0, p.w->n_blocks); }

void expect_close(const Product& p) {
  Table magnitude;
  const Table expected = reference::matmul(p.x, p.weights.values, &magnitude);
  const std::vector<float> out = run(p);
  for (int64_t r = 0; r < expected.rows; ++r) {
    for (int64_t c = 0; c < p.w->n_blocks * kBlockCols; ++c) {
      const float found = out[static_cast<size_t>(r * p.w->n_blocks * kBlockCols + c)];
      if (c >= expected.cols) {
        ASSERT_EQ(found, 0.0f) << "padding";
        continue;
      }
      const double bound = static_cast<double>(p.x.cols + 4) * 0x1p-24 * magnitude.at(r, c) + 1e-30;
      ASSERT_NEAR(found, expected.at(r, c), bound) << "row " << r << ", column " << c;
    }
  }
}

TEST(TileMatmul, OddShapesEqualTheSumInDouble) {
  const int64_t shapes[][3] = {{1, 1, 1},    {1, 17, 33},   {2, 16, 32},  {3, 100, 63},  {4, 5, 129},
                               {5, 48, 7},   {15, 130, 96}, {16, 65, 64}, {17, 31, 2},   {31, 257, 65},
                               {32, 64, 31}, {33, 33, 34},  {48, 80, 95}, {70, 145, 71}, {9, 64, 300}};
  uint32_t seed = 1;
  for (const auto& [rows, n_out, n_in] : shapes) {
    SCOPED_TRACE(fmt::format("{} rows, {} x {}", rows, n_out, n_in));
    expect_close(make_product(rows, n_out, n_in, ++seed));
  }
}

TEST(TileMatmul, EveryRowCountTo70EqualsTheSumInDouble) {
  for (int64_t rows = 1; rows <= 70; ++rows) expect_close(make_product(rows, 52, 38, 3));
}

TEST(TileMatmul, ARowHasTheSameBitsInAnyBatchAndAnyBlockRange) {
  const Product p = make_product(70, 16 * 9, 203, 5);
  const int64_t cols = p.w->n_blocks * kBlockCols;
  std::vector<float> alone;  // (70, cols)
  for (int64_t row = 0; row < 70; ++row) {
    for (const float value : run(p, row, 1, 0, p.w->n_blocks)) alone.push_back(value);
  }
  for (int64_t n = 2; n <= 70; ++n) {
    const int64_t row = (n * 7) % (71 - n), first = n % 9, last = first + 1 + (n * 5) % (9 - first);
    const std::vector<float> out = run(p, row, n, first, last);
    const int64_t n_cols = (last - first) * kBlockCols;
    for (int64_t i = 0; i < n * n_cols; ++i) {
      const int64_t at = (row + i / n_cols) * cols + first * kBlockCols + i % n_cols;
      ASSERT_EQ(std::bit_cast<uint32_t>(out[static_cast<size_t>(i)]),
                std::bit_cast<uint32_t>(alone[static_cast<size_t>(at)]))
          << n << " rows from " << row << ", blocks " << first << " to " << last;
    }
  }
}

TEST(TileMatmul, TheOrderOfSumsIsTheDocumentedOne) {
  const int64_t n_in = 75;  // two whole steps of 32 inputs, and a rest
  const Product p = make_product(3, 20, n_in, 6);
  const std::vector<float> out = run(p);
  for (int64_t r = 0; r < 3; ++r) {
    for (int64_t c = 0; c < 20; ++c) {
      float sum = 0;
      for (int64_t step = 0; step < n_in; step += 32) {
        float even_odd[2] = {0, 0};
        for (int64_t i = step; i < std::min(step + 32, n_in); ++i)
          even_odd[i % 2] = std::fma(static_cast<float>(p.x.at(r, i)),
                                     static_cast<float>(p.weights.values.at(c, i)), even_odd[i % 2]);
        sum += even_odd[0] + even_odd[1];
      }
      ASSERT_EQ(out[static_cast<size_t>(r * p.w->n_blocks * kBlockCols + c)], sum);
    }
  }
}

TEST(TileMatmul, NanAndInfinityStayInTheirRow) {
  Product p = make_product(20, 40, 30, 7);
  const std::vector<float> clean = run(p);
  const int64_t row_inputs = p.w->n_pairs * 2, cols = p.w->n_blocks * kBlockCols;
  p.in[static_cast<size_t>(2 * row_inputs + 5)] = 0x7fc0;   // NaN
  p.in[static_cast<size_t>(18 * row_inputs + 1)] = 0x7f80;  // infinity
  const std::vector<float> out = run(p);
  for (int64_t i = 0; i < 20 * cols; ++i) {
    if (i % cols >= 40) continue;  // padding: 0 times infinity
    const float found = out[static_cast<size_t>(i)];
    if (i / cols == 2)
      ASSERT_TRUE(std::isnan(found));
    else if (i / cols == 18)
      ASSERT_FALSE(std::isfinite(found));
    else
      ASSERT_EQ(found, clean[static_cast<size_t>(i)]);
  }
}

TEST(TileMatmul, DenormalsCountAsZeros) {
  Product p = make_product(1, 16, 32, 8);
  std::fill(p.in.begin(), p.in.end(), uint16_t{0});
  p.in[3] = 0x0001;  // the smallest bf16
  for (const float value : run(p)) ASSERT_EQ(value, 0.0f);
  // Products below the smallest normal float vanish one by one, however many there are.
  const Product small = make_product(1, 16, 32, 9, 0x1p-100);
  Product tiny = make_product(1, 16, 32, 9, 0x1p-100);
  for (uint16_t& bits : tiny.in) bits = bf16_of_float(0x1p-60f);
  for (const float value : run(tiny)) ASSERT_EQ(value, 0.0f);
  for (const float value : run(small)) ASSERT_NE(value, 0.0f);
}

TEST(TileMatmul, NoRowsTouchNothing) {
  const Product p = make_product(1, 16, 32, 10);
  const int64_t before = ModelTiles::n_configured();
  EXPECT_TRUE(run(p, 0, 0, 0, 1).empty());
  EXPECT_EQ(ModelTiles::n_configured(), before);
}

TEST(TileMatmul, TilesAreConfiguredOnceWhileTheRowsStayTheSame) {
  const Product p = make_product(70, 16 * 8, 64, 11);
  const auto n_configured = [&](int64_t rows) {
    const int64_t before = ModelTiles::n_configured();
    run(p, 0, rows, 0, p.w->n_blocks);
    return ModelTiles::n_configured() - before;
  };
  for (const int64_t rows : {1, 15, 16, 17, 32, 64}) EXPECT_EQ(n_configured(rows), 1) << rows;
  EXPECT_EQ(n_configured(70), 8) << "two shapes in turns, four pairs of blocks";
}

}  // namespace
}  // namespace draftscope
