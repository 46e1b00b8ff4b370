// Products by the system's own cuBLASLt, on a real GPU: against our kernels, whose definition is tested elsewhere.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/cuda/cuda_backend.h"
#include "tests/kernels/reference.h"

namespace draftscope {
namespace {

constexpr int32_t kDim = 1024;

/// A residual stream that takes a product in and is normalised into the next, (rows, kDim).
std::vector<float> two_products(Backend& backend, int32_t rows) {
  const reference::Weights first = reference::random_weights(DType::kBf16, kDim, kDim, 1, 0.03);
  const reference::Weights second = reference::random_weights(DType::kBf16, kDim, kDim, 2, 0.03);
  const Tensor tensors[] = {first.tensor(), second.tensor()};
  const auto w1 = backend.pack({&tensors[0], 1}), w2 = backend.pack({&tensors[1], 1});
  const auto norm = place_vector(backend, Vector(kDim, 1.0f));
  const reference::Table x = reference::random_table(rows, kDim, 3);
  const auto in = backend.make_act(rows, kDim), stream = backend.make_act(rows, kDim);
  const auto out = backend.make_act(rows, kDim);
  backend.write(std::vector<float>(x.data.begin(), x.data.end()), in->act);
  backend.write(std::vector<float>(x.data.begin(), x.data.end()), stream->act);
  backend.matmul(in->act, *w1, stream->act, Backend::Write::kAdd);
  backend.norm_matmul(stream->act, norm->act, 1e-6f, *w2, out->act);
  std::vector<float> values(static_cast<size_t>(rows) * kDim);
  backend.read(out->act, values);
  return values;
}

TEST(FastestNumerics, AreThoseOfOurKernelsButForTheOrderOfSums) {
  const Result<std::string> device = cuda_device();
  if (!device) GTEST_SKIP() << device.error();
  const auto fastest = *make_cuda_backend({.numerics = Numerics::kFastest});
  if (!fastest->note().empty()) GTEST_SKIP() << fastest->note();
  const auto invariant = *make_cuda_backend({});
  for (const int32_t rows : {65, 128, 200, 512, 700}) {
    const std::vector<float> found = two_products(*fastest, rows), expected = two_products(*invariant, rows);
    double error = 0, size = 0;
    for (size_t i = 0; i < found.size(); ++i) {
      error += std::pow(static_cast<double>(found[i]) - expected[i], 2);
      size += std::pow(static_cast<double>(expected[i]), 2);
    }
    // A sum in another order moves an element to the other bf16 neighbour, 2^-8 away, once in some thousands.
    EXPECT_LT(error / size, 1e-7) << rows << " rows on " << fastest->describe();
  }
}

}  // namespace
}  // namespace draftscope
