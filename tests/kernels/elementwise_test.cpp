#include <cmath>
#include <numeric>

#include "kernels/cpu/row_ops.h"
#include "tests/kernels/kernel_test.h"

namespace draftscope {
namespace {

using reference::Table;

class ElementwiseTest : public KernelTest {
 protected:
  const RowOps& ops() const { return GetParam().path == CpuPath::kPlain ? row_ops_plain() : row_ops_avx2(); }
};

PassRows rows_of(const std::vector<int32_t>& tokens) {
  PassRows rows;
  rows.n = static_cast<int32_t>(tokens.size());
  rows.token = tokens;
  return rows;
}

Vector ones_and_more(int64_t n, uint32_t seed) {
  Vector weight(static_cast<size_t>(n));
  const Table random = reference::random_table(1, n, seed, 0.3);
  for (int64_t i = 0; i < n; ++i) weight[i] = static_cast<float>(1.0 + random.at(0, i));
  return weight;
}

void expect_near(const Table& found, const Table& expected, double relative, double absolute) {
  ASSERT_EQ(found.data.size(), expected.data.size());
  for (size_t i = 0; i < found.data.size(); ++i) {
    ASSERT_NEAR(found.data[i], expected.data[i], std::fabs(expected.data[i]) * relative + absolute)
        << "element " << i;
  }
}

TEST_P(ElementwiseTest, EmbedReadsRowsOfEveryDtype) {
  for (const DType dtype : {DType::kBf16, DType::kF16, DType::kF32}) {
    const auto table = reference::random_weights(dtype, 11, 19, 1, 0.1);
    const std::vector<int32_t> tokens{10, 0, 3, 3};
    const auto out = backend_->make_act(4, 19);
    const Tensor tensor = table.tensor();
    const std::unique_ptr<Matrix> head = backend_->pack({&tensor, 1});
    for (const Matrix* tied : std::initializer_list<const Matrix*>{nullptr, head.get()}) {
      backend_->embed(*backend_->make_table(tensor, tied), rows_of(tokens), out->act);
      for (int32_t r = 0; r < 4; ++r) {
        for (int32_t c = 0; c < 19; ++c) ASSERT_EQ(out->act.row(r)[c], table.values.at(tokens[r], c)) << name(dtype);
      }
      backend_->write(std::vector<float>(4 * 19), out->act);
    }
  }
}

TEST_P(ElementwiseTest, EmbedReadsSubnormalsAndUnalignedBytes) {
  Table values(1, 4);
  values.data = {0x1p-24, -0x1p-15, 65504.0, -0.0};
  auto table = reference::store(DType::kF16, values);
  table.bytes.insert(table.bytes.begin(), std::byte{0});  // odd address
  Tensor tensor = table.tensor();
  tensor.bytes = tensor.bytes.subspan(1);
  const auto out = backend_->make_act(1, 4);
  backend_->embed(*backend_->make_table(tensor, nullptr), rows_of({0}), out->act);
  EXPECT_EQ(reference::to_table(out->act).data, values.data);
  EXPECT_TRUE(std::signbit(out->act.data[3]));
}

TEST_P(ElementwiseTest, RmsNormEqualsTheFormulaAlsoInPlace) {
  for (const int64_t cols : {1, 7, 8, 100, 1024}) {
    const Table x = reference::random_table(5, cols, static_cast<uint32_t>(cols), 3.0);
    const Vector weight = ones_and_more(cols, 2);
    const auto in = reference::to_act(*backend_, x);
    const auto out = backend_->make_act(5, static_cast<int32_t>(cols));
    backend_->rms_norm(in->act, weight, 1e-6f, out->act);
    expect_near(reference::to_table(out->act), reference::rms_norm(x, weight, 1e-6), 2e-6, 1e-12);
    backend_->rms_norm(in->act, weight, 1e-6f, in->act);
    EXPECT_EQ(reference::to_table(in->act).data, reference::to_table(out->act).data);
  }
}

TEST_P(ElementwiseTest, RmsNormOfZerosIsZero) {
  const auto out = reference::to_act(*backend_, Table(2, 16));
  backend_->rms_norm(out->act, Vector(16, 1.0f), 1e-6f, out->act);
  for (const double value : reference::to_table(out->act).data) EXPECT_EQ(value, 0.0);
}

TEST_P(ElementwiseTest, SiluMulEqualsTheFormula) {
  for (const int64_t dim : {1, 8, 13, 3072}) {
    const Table gate_up = reference::random_table(3, 2 * dim, static_cast<uint32_t>(dim), 4.0);
    const auto in = reference::to_act(*backend_, gate_up);
    const auto out = backend_->make_act(3, static_cast<int32_t>(dim));
    for (int32_t r = 0; r < 3; ++r) ops().silu_mul(in->act.row(r), static_cast<int32_t>(dim), out->act.row(r));
    expect_near(reference::to_table(out->act), reference::silu_mul(gate_up), 2e-6, 1e-30);
  }
}

TEST_P(ElementwiseTest, SiluMulOfExtremeGatesStaysSane) {
  const std::vector<double> gates{-3e38, -1e30, -200, -88.5, -88,  -80.5,    -1e-30,
                                  0,     1e-30, 80,   100,   1e30, INFINITY, NAN};
  const int64_t dim = static_cast<int64_t>(gates.size());
  Table gate_up(1, 2 * dim);
  for (int64_t i = 0; i < dim; ++i) gate_up.at(0, i) = gates[i], gate_up.at(0, dim + i) = 1.0;
  const auto in = reference::to_act(*backend_, gate_up);
  const auto out = backend_->make_act(1, static_cast<int32_t>(dim));
  ops().silu_mul(in->act.data, static_cast<int32_t>(dim), out->act.data);
  for (int64_t i = 0; i < dim; ++i) {
    const double found = out->act.data[i], gate = gates[i];
    if (std::isnan(gate))
      EXPECT_TRUE(std::isnan(found));
    else if (std::isinf(gate))
      EXPECT_EQ(found, gate);
    else if (gate <= -80)
      EXPECT_NEAR(found, 0.0, 1e-30) << gate;
    else
      EXPECT_NEAR(found, gate / (1 + std::exp(-gate)), std::fabs(gate) * 1e-6) << gate;
  }
}

TEST_P(ElementwiseTest, RowsHaveTheSameBitsInAnyBatchAndThreadCount) {
  const Table x = reference::random_table(70, 264, 5);
  const Vector weight = ones_and_more(264, 6);
  const auto in = reference::to_act(*backend_, x);
  const auto gate = reference::random_weights(DType::kBf16, 132, 264, 8), up = reference::random_weights(DType::kBf16, 132, 264, 9);
  const auto norm = backend_->make_act(70, 264), gated = backend_->make_act(70, 132);
  backend_->rms_norm(in->act, weight, 1e-6f, norm->act);
  backend_->norm_gate_up(in->act, weight, 1e-6f, *backend_->pack_gate_up(gate.tensor(), up.tensor()), gated->act);
  for (const int32_t n_threads : {1, 2, 3}) {
    const auto other = make(n_threads);
    const auto both = other->pack_gate_up(gate.tensor(), up.tensor());
    for (int32_t r = 0; r < 70; ++r) {
      const auto row = reference::to_act(*other, reference::row_of(x, r));
      const auto norm_row = other->make_act(1, 264), gated_row = other->make_act(1, 132);
      other->rms_norm(row->act, weight, 1e-6f, norm_row->act);
      other->norm_gate_up(row->act, weight, 1e-6f, *both, gated_row->act);
      for (int32_t c = 0; c < 264; ++c) ASSERT_EQ(norm_row->act.data[c], norm->act.row(r)[c]);
      for (int32_t c = 0; c < 132; ++c) ASSERT_EQ(gated_row->act.data[c], gated->act.row(r)[c]);
    }
    const auto norm_all = other->make_act(70, 264);
    other->rms_norm(in->act, weight, 1e-6f, norm_all->act);
    ASSERT_EQ(reference::to_table(norm_all->act).data, reference::to_table(norm->act).data);
  }
}

TEST_P(ElementwiseTest, GatedMlpEqualsTheFormula) {
  const Table x = reference::random_table(5, 24, 10);
  const Vector weight = ones_and_more(24, 11);
  const auto gate = reference::random_weights(DType::kBf16, 40, 24, 12), up = reference::random_weights(DType::kBf16, 40, 24, 13);
  const auto in = reference::to_act(*backend_, x);
  const auto out = backend_->make_act(5, 40);
  backend_->norm_gate_up(in->act, weight, 1e-6f, *backend_->pack_gate_up(gate.tensor(), up.tensor()), out->act);
  const Table normed = reference::rms_norm(x, weight, 1e-6);
  const Table left = reference::matmul(normed, gate.values), right = reference::matmul(normed, up.values);
  Table both(5, 80);
  for (int64_t r = 0; r < 5; ++r) {
    for (int64_t c = 0; c < 40; ++c) both.at(r, c) = left.at(r, c), both.at(r, 40 + c) = right.at(r, c);
  }
  const double unit = is_bf16() ? 0x1p-8 : 0x1p-20;  // activations round to bf16 on their way into the product
  expect_near(reference::to_table(out->act), reference::silu_mul(both), 16 * unit, 64 * unit);
}

TEST_P(ElementwiseTest, PutColumnsKeepsTheOrderOfRows) {
  const auto in = reference::to_act(*backend_, reference::random_table(3, 4, 7));
  Table before(3, 10);
  std::iota(before.data.begin(), before.data.end(), 0.0);
  const auto out = reference::to_act(*backend_, before);
  backend_->put_columns(in->act, out->act, 6);
  for (int32_t r = 0; r < 3; ++r) {
    for (int32_t c = 0; c < 10; ++c) {
      EXPECT_EQ(out->act.row(r)[c], c >= 6 ? in->act.row(r)[c - 6] : before.at(r, c)) << r << ", " << c;
    }
  }
}

TEST_P(ElementwiseTest, GatherRowsPlacesColumns) {
  const Table x = reference::random_table(6, 4, 7);
  const auto in = reference::to_act(*backend_, x);
  Table before(3, 10);
  std::iota(before.data.begin(), before.data.end(), 0.0);
  const auto out = reference::to_act(*backend_, before);
  const std::vector<int32_t> rows{5, 0, 5};
  backend_->gather_rows(in->act, rows, out->act, 3);
  for (int32_t r = 0; r < 3; ++r) {
    for (int32_t c = 0; c < 10; ++c) {
      const double expected = c >= 3 && c < 7 ? x.at(rows[r], c - 3) : before.at(r, c);
      EXPECT_EQ(out->act.row(r)[c], expected) << r << ", " << c;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Paths, ElementwiseTest, all_settings(), setting_name);

TEST(RopeTest, AnglesEqualTheFormula) {
  const Rope rope = make_rope(64, 1e6, 300);
  ASSERT_EQ(rope.cos.size(), 300u * 32u);
  for (const int32_t position : {0, 1, 17, 299}) {
    for (int32_t i = 0; i < 32; ++i) {
      const double angle = position * std::pow(1e6, -2.0 * i / 64);
      // Angles are rounded to float32, so the error grows with the angle.
      EXPECT_NEAR(rope.cos[position * 32 + i], std::cos(angle), 1e-7 + angle * 1.2e-7);
      EXPECT_NEAR(rope.sin[position * 32 + i], std::sin(angle), 1e-7 + angle * 1.2e-7);
    }
  }
}

TEST(CpuBackendTest, RefusesBadOptionsInOneSentence) {
  const auto too_many = make_cpu_backend({Precision::kBf16, 257, CpuPath::kPlain});
  ASSERT_FALSE(too_many.ok());
  EXPECT_EQ(too_many.error(), "threads: expected 0 to 256, found 257");
  const auto fine = make_cpu_backend({Precision::kF32, 2, CpuPath::kPlain});
  ASSERT_TRUE(fine.ok());
  EXPECT_EQ((*fine)->describe(), "cpu plain, 2 threads");
  EXPECT_EQ((*fine)->precision(), Precision::kF32);
}

}  // namespace
}  // namespace draftscope
