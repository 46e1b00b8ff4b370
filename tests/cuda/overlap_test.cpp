// Launches that overlap, recorded and replayed: the numbers are those of launches in order, bit for bit.
#include <gtest/gtest.h>

#include "kernels/cuda/cuda_backend.h"
#include "tests/kernels/reference.h"

namespace draftscope {
namespace {

constexpr int32_t kDim = 512, kLayers = 4;

/// A residual stream, (rows, kDim), through layers of two products each, several times over: every launch reads what the
/// one before it wrote, and writes where the one before that read.
std::vector<float> replayed_products(Backend& backend, int32_t rows) {
  const auto random = [&](uint32_t seed) {
    const reference::Weights weights = reference::random_weights(DType::kBf16, kDim, kDim, seed, 0.05);
    const Tensor tensor = weights.tensor();
    return backend.pack({&tensor, 1});
  };
  std::vector<std::unique_ptr<Matrix>> up, down;
  for (uint32_t layer = 0; layer < kLayers; ++layer) up.push_back(random(2 * layer)), down.push_back(random(2 * layer + 1));
  const auto norm = place_vector(backend, Vector(kDim, 1.0f));
  const reference::Table x = reference::random_table(rows, kDim, 99);
  const std::vector<float> values(x.data.begin(), x.data.end());
  const auto inside = backend.make_act(rows, kDim), stream = backend.make_act(rows, kDim);
  backend.write(values, inside->act);
  backend.write(values, stream->act);
  backend.matmul(inside->act, *down[0], stream->act, Backend::Write::kAdd);  // the norm's squares begin here
  (void)backend.time_runs(3, [&] {
    for (size_t layer = 0; layer < kLayers; ++layer) {
      backend.norm_matmul(stream->act, norm->act, 1e-6f, *up[layer], inside->act);
      backend.matmul(inside->act, *down[layer], stream->act, Backend::Write::kAdd);
    }
  });
  std::vector<float> found(values.size());
  backend.read(stream->act, found);
  return found;
}

TEST(OverlappingLaunches, ChangeNoBit) {
  const Result<std::string> device = cuda_device();
  if (!device) GTEST_SKIP() << device.error();
  const auto overlapping = *make_cuda_backend({}), in_order = *make_cuda_backend({.launches_overlap = false});
  EXPECT_EQ(overlapping->describe().find("launches"), std::string::npos);
  EXPECT_NE(in_order->describe().find("launches in order"), std::string::npos);
  for (const int32_t rows : {1, 20, 40}) {
    EXPECT_EQ(replayed_products(*overlapping, rows), replayed_products(*in_order, rows)) << rows << " rows";
  }
}

}  // namespace
}  // namespace draftscope
