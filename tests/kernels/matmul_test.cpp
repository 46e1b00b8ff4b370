#include <cmath>

#include "tests/kernels/kernel_test.h"

namespace draftscope {
namespace {

using reference::Table;

class MatmulTest : public KernelTest {
 protected:
  Table run(Backend& backend, const Table& x, const Matrix& w) const {
    const auto in = reference::to_act(backend, x);
    const auto out = backend.make_act(static_cast<int32_t>(x.rows), static_cast<int32_t>(w.n_out));
    backend.matmul(in->act, w, out->act);
    return reference::to_table(out->act);
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

TEST_P(MatmulTest, OddShapesEqualTheSumInDouble) {
  const int64_t shapes[][3] = {{1, 1, 1},    {1, 17, 33},  {2, 16, 32},  {3, 100, 63},
                               {4, 5, 129},  {5, 48, 7},   {6, 130, 96}, {7, 31, 2},
                               {8, 257, 65}, {9, 64, 300}, {13, 33, 34}, {70, 145, 71}};
  uint32_t seed = 1;
  for (const DType dtype : {DType::kBf16, DType::kF16, DType::kF32}) {
    for (const auto& [rows, n_out, n_in] : shapes) {
      SCOPED_TRACE(fmt::format("{} rows, {} x {} {}", rows, n_out, n_in, name(dtype)));
      const auto weights = reference::random_weights(dtype, n_out, n_in, ++seed);
      const Table x = reference::random_table(rows, n_in, ++seed);
      const Tensor tensor = weights.tensor();
      const auto packed = backend_->pack({&tensor, 1});
      Table magnitude;
      const Table expected = reference::matmul(as_multiplied(x), weights.values, &magnitude);
      expect_close(run(*backend_, x, *packed), expected, magnitude, n_in);
    }
  }
}

TEST_P(MatmulTest, EveryRowCountTo70EqualsTheSumInDouble) {
  const int64_t n_out = 52, n_in = 38;
  const auto weights = reference::random_weights(DType::kBf16, n_out, n_in, 3);
  const Tensor tensor = weights.tensor();
  const auto packed = backend_->pack({&tensor, 1});
  for (int64_t rows = 1; rows <= 70; ++rows) {
    const Table x = reference::random_table(rows, n_in, static_cast<uint32_t>(rows));
    Table magnitude;
    const Table expected = reference::matmul(as_multiplied(x), weights.values, &magnitude);
    expect_close(run(*backend_, x, *packed), expected, magnitude, n_in);
  }
}

TEST_P(MatmulTest, AddAddsToWhatWasThere) {
  const auto weights = reference::random_weights(DType::kBf16, 37, 50, 4);
  const Tensor tensor = weights.tensor();
  const auto packed = backend_->pack({&tensor, 1});
  const Table x = reference::random_table(9, 50, 5), before = reference::random_table(9, 37, 6);
  const Table product = run(*backend_, x, *packed);
  const auto in = reference::to_act(*backend_, x), out = reference::to_act(*backend_, before);
  backend_->matmul(in->act, *packed, out->act, Backend::Write::kAdd);
  for (int32_t r = 0; r < 9; ++r) {
    for (int32_t c = 0; c < 37; ++c) {
      ASSERT_EQ(out->act.row(r)[c],
                static_cast<float>(before.at(r, c)) + static_cast<float>(product.at(r, c)));
    }
  }
}

TEST_P(MatmulTest, StackedPartsEqualSeparateProducts) {
  const auto q = reference::random_weights(DType::kBf16, 24, 40, 7),
             k = reference::random_weights(DType::kBf16, 9, 40, 8);
  const Tensor parts[] = {q.tensor(), k.tensor()};
  const auto stacked = backend_->pack(parts);
  ASSERT_EQ(stacked->n_out, 33);
  const Table x = reference::random_table(5, 40, 9), both = run(*backend_, x, *stacked);
  const Table first = run(*backend_, x, *backend_->pack({&parts[0], 1}));
  const Table second = run(*backend_, x, *backend_->pack({&parts[1], 1}));
  for (int64_t r = 0; r < 5; ++r) {
    for (int64_t c = 0; c < 24; ++c) ASSERT_EQ(both.at(r, c), first.at(r, c));
    for (int64_t c = 0; c < 9; ++c) ASSERT_EQ(both.at(r, 24 + c), second.at(r, c));
  }
}

TEST_P(MatmulTest, MixedPartsKeepFloat32Exactly) {
  const auto wide = reference::random_weights(DType::kF32, 8, 16, 10);
  const auto narrow = reference::random_weights(DType::kBf16, 8, 16, 11);
  const Tensor parts[] = {wide.tensor(), narrow.tensor()};
  const auto packed = backend_->pack(parts);
  // One-hot rows read the weights back: nothing was rounded.
  for (int64_t in = 0; in < 16; ++in) {
    Table x(1, 16);
    x.at(0, in) = 1.0;
    const Table out = run(*backend_, x, *packed);
    for (int64_t o = 0; o < 8; ++o) {
      ASSERT_EQ(out.at(0, o), wide.values.at(o, in));
      ASSERT_EQ(out.at(0, 8 + o), narrow.values.at(o, in));
    }
  }
}

TEST_P(MatmulTest, ARowHasTheSameBitsInAnyBatch) {
  for (const DType dtype : {DType::kBf16, DType::kF32}) {
    const int64_t n_in = 203;
    const auto weights = reference::random_weights(dtype, 300, n_in, 12);
    const Tensor tensor = weights.tensor();
    const auto packed = backend_->pack({&tensor, 1});
    const Table all = reference::random_table(70, n_in, 13);
    std::vector<Table> alone;
    for (int64_t r = 0; r < all.rows; ++r)
      alone.push_back(run(*backend_, reference::row_of(all, r), *packed));
    for (int64_t n = 2; n <= 70; ++n) {
      Table batch(n, n_in);
      const int64_t first = (n * 7) % (71 - n);
      std::copy_n(all.data.begin() + first * n_in, batch.data.size(), batch.data.begin());
      const Table out = run(*backend_, batch, *packed);
      for (int64_t r = 0; r < n; ++r)
        ASSERT_EQ(reference::row_of(out, r).data, alone[first + r].data) << n << " rows, row " << r;
    }
  }
}

TEST_P(MatmulTest, ThreadCountChangesNoBit) {
  const auto weights = reference::random_weights(DType::kBf16, 1000, 131, 14);
  const Tensor tensor = weights.tensor();
  const auto packed = backend_->pack({&tensor, 1});
  for (const int64_t rows : {1, 5, 40}) {
    const Table x = reference::random_table(rows, 131, 15);
    const Table one = run(*backend_, x, *packed);
    for (const int32_t n_threads : {2, 3}) {
      const auto other = make(n_threads);
      for (int repeat = 0; repeat < 5; ++repeat)
        ASSERT_EQ(run(*other, x, *packed).data, one.data) << n_threads;
    }
  }
}

TEST_P(MatmulTest, NanAndInfinityStayInTheirRow) {
  const auto weights = reference::random_weights(DType::kBf16, 40, 30, 16);
  const Tensor tensor = weights.tensor();
  const auto packed = backend_->pack({&tensor, 1});
  Table x = reference::random_table(8, 30, 17);
  const Table clean = run(*backend_, x, *packed);
  x.at(2, 5) = NAN;
  x.at(6, 1) = INFINITY;
  const Table out = run(*backend_, x, *packed);
  for (int64_t r = 0; r < 8; ++r) {
    for (int64_t c = 0; c < 40; ++c) {
      if (r == 2)
        ASSERT_TRUE(std::isnan(out.at(r, c)));
      else if (r == 6)
        ASSERT_FALSE(std::isfinite(out.at(r, c)));
      else
        ASSERT_EQ(out.at(r, c), clean.at(r, c));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Paths, MatmulTest, all_settings(), setting_name);

}  // namespace
}  // namespace draftscope
