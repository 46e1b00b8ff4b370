// A backend whose numerics are a choice: what it does with products, and what it says. The library is a fake.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/cuda/lt_matmul.h"
#include "tests/cuda/fake_cublaslt.h"
#include "tests/cuda/scripted_clock.h"
#include "tests/kernels/reference.h"

namespace draftscope::cuda {
namespace {

using reference::Table;
using reference::Weights;

constexpr int32_t kIn = 72, kOut = 136;

class FastBackend : public testing::Test {
 protected:
  void SetUp() override { fake_lt() = {}; }
  std::unique_ptr<Backend> backend(const CudaOptions& options, bool has_library = true) {
    const OpenFastMatmul open = [&](const std::string& folder) -> Result<FastMatmul> {
      ++n_opened;
      if (!has_library) return fail("cuBLASLt: expected a library, found none");
      return make_fast_matmul(fake_table(), folder, clock.timer());
    };
    Result<std::unique_ptr<Backend>> made = make_cuda_backend(options, open);
    DS_CHECK(made.ok(), "{}", made.ok() ? "" : made.error());
    return *std::move(made);
  }
  static std::vector<float> product(Backend& backend, int32_t rows) {
    const Weights w = reference::random_weights(DType::kBf16, kOut, kIn, 5);
    const Tensor tensor = w.tensor();
    const std::unique_ptr<Matrix> matrix = backend.pack({&tensor, 1});
    const Table x = reference::random_table(rows, kIn, 6);
    const auto in = backend.make_act(rows, kIn), out = backend.make_act(rows, kOut);
    backend.write(std::vector<float>(x.data.begin(), x.data.end()), in->act);
    backend.matmul(in->act, *matrix, out->act);
    std::vector<float> values(static_cast<size_t>(rows * kOut));
    backend.read(out->act, values);
    return values;
  }
  ScriptedClock clock;
  int n_opened = 0;
};

TEST_F(FastBackend, InvariantNeverLooksForTheLibrary) {
  const auto invariant = backend({});
  (void)product(*invariant, 100);
  EXPECT_EQ(n_opened, 0);
  EXPECT_EQ(fake_lt().n_calls, 0);
  EXPECT_EQ(invariant->describe().find("numerics"), std::string::npos);
  EXPECT_EQ(invariant->note(), "");
}

TEST_F(FastBackend, FastestUsesItForManyRowsAndSaysSo) {
  const auto fastest = backend({.numerics = Numerics::kFastest});
  EXPECT_NE(fastest->describe().find(", numerics fastest (cuBLASLt 13.0.2)"), std::string::npos) << fastest->describe();
  EXPECT_EQ(fastest->note(), "");
  const auto invariant = backend({});
  EXPECT_EQ(product(*fastest, 64), product(*invariant, 64));
  EXPECT_EQ(fake_lt().n_products, 0);
  const std::vector<float> found = product(*fastest, 100), expected = product(*invariant, 100);
  EXPECT_EQ(fake_lt().n_products, 4);  // three were timed, one was asked for
  double error = 0, size = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    error += std::pow(found[i] - expected[i], 2);
    size += std::pow(expected[i], 2);
  }
  EXPECT_LT(error / size, 1e-12);  // two orders of a float32 sum
}

TEST_F(FastBackend, ARecordedPassReplaysWhatItsFirstRunChose) {
  const auto fastest = backend({.numerics = Numerics::kFastest});
  const Weights w = reference::random_weights(DType::kBf16, kOut, kIn, 5);
  const Tensor tensor = w.tensor();
  const std::unique_ptr<Matrix> matrix = fastest->pack({&tensor, 1});
  const auto in = fastest->make_act(100, kIn), out = fastest->make_act(100, kOut);
  fastest->write(std::vector<float>(static_cast<size_t>(100 * kIn), 1.0f), in->act);
  EXPECT_EQ(fastest->time_runs(2, [&] { fastest->matmul(in->act, *matrix, out->act); }).size(), 2u);
  EXPECT_EQ(clock.n_asked, 4);
  EXPECT_EQ(fake_lt().n_products, 5);  // three were timed, one ran, one was recorded
}

TEST_F(FastBackend, AMissingLibraryIsSaidAndProductsStayOurs) {
  const auto without = backend({.numerics = Numerics::kFastest}, false), invariant = backend({});
  EXPECT_EQ(without->note(), "numerics fastest: cuBLASLt: expected a library, found none; numerics stay invariant");
  EXPECT_EQ(without->describe(), invariant->describe());
  EXPECT_EQ(product(*without, 100), product(*invariant, 100));
}

TEST_F(FastBackend, Float32ActivationsStayInvariantAndThatIsSaid) {
  const auto exact = backend({.precision = Precision::kF32, .numerics = Numerics::kFastest});
  EXPECT_EQ(n_opened, 0);
  EXPECT_EQ(exact->note(), "numerics fastest: expected bf16 activations, found float32; numerics stay invariant");
  EXPECT_EQ(exact->describe().find("numerics"), std::string::npos);
}

}  // namespace
}  // namespace draftscope::cuda
