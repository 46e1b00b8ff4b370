// What products ask of memory, counted on device code: derived numbers, the same on every machine.
#include "tests/cuda/ptx/traffic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "kernels/cuda/cuda_backend.h"
#include "tests/cuda/ptx/device_code.h"
#include "tests/kernels/reference.h"

namespace draftscope {
namespace {

using emulated::ptx::Traffic;

TEST(Traffic, CountsSectorsAndTurnsOfBanks) {
  constexpr uint32_t kAll = ~uint32_t{0};
  uint64_t side_by_side[32], apart[32], one_bank[32];
  for (uint64_t lane = 0; lane < 32; ++lane)
    side_by_side[lane] = 4 * lane, apart[lane] = 32 * lane, one_bank[lane] = 128 * lane;
  Traffic t;
  emulated::ptx::add_sectors(t, kAll, side_by_side, 4);
  EXPECT_EQ(t.sectors, 4);
  EXPECT_EQ(t.least_sectors, 4);
  emulated::ptx::add_sectors(t, kAll, apart, 16);  // half of each sector
  EXPECT_EQ(t.sectors, 4 + 32);
  EXPECT_EQ(t.least_sectors, 4 + 16);
  emulated::ptx::add_waves(t, kAll, side_by_side, 4);
  EXPECT_EQ(t.waves, 1);
  emulated::ptx::add_waves(t, kAll, one_bank, 4);
  EXPECT_EQ(t.waves, 1 + 32);
  emulated::ptx::add_waves(t, kAll, apart, 16);  // of eight lanes, two and two in the same banks
  EXPECT_EQ(t.waves, 1 + 32 + 4 * 2);
  EXPECT_EQ(t.least_waves, 1 + 1 + 4);
}

/// Traffic of the product's kernel in `work`.
Traffic of_product(const std::function<void()>& work) {
  emulated::ptx::count_traffic();
  work();
  Traffic found;
  for (const auto& [name, traffic] : emulated::ptx::traffic()) {
    if (name.find("matmul_kernel") != std::string::npos) found = traffic;
  }
  EXPECT_EQ(found.launches, 1);
  EXPECT_GT(found.products, 0);
  return found;
}

void expect_no_waste(const Traffic& t) {
  EXPECT_LE(static_cast<double>(t.waves), 1.01 * static_cast<double>(t.least_waves));  // the squares of few rows
  EXPECT_LE(static_cast<double>(t.sectors),
            1.1 * static_cast<double>(t.least_sectors));  // what epilogues write is small
}

TEST(ProductTraffic, IsOfWholeSectorsAndWithoutBankConflicts) {
  emulated::ptx::run_from(DS_PTX_LIST);
  constexpr int32_t kIn = 256, kOfWideBlocks = 64 * 256;
  for (const int32_t n_out : {512, kOfWideBlocks}) {
    const auto backend = *make_cuda_backend({});
    const reference::Weights gate = reference::random_weights(DType::kBf16, n_out / 2, kIn, 1, 0.05);
    const reference::Weights up = reference::random_weights(DType::kBf16, n_out / 2, kIn, 2, 0.05);
    const reference::Weights back = reference::random_weights(DType::kBf16, kIn, n_out / 2, 3, 0.05);
    const Tensor both[] = {gate.tensor(), up.tensor()}, one[] = {back.tensor()};
    const auto gate_up = backend->pack_gate_up(both[0], both[1]), plain = backend->pack(both),
               down = backend->pack(one);
    const auto norm = place_vector(*backend, Vector(kIn, 1.0f));
    for (const int32_t rows : {1, 16, 64}) {
      if (n_out == kOfWideBlocks && rows < 64) continue;  // narrow ones
      SCOPED_TRACE(fmt::format("{} outputs, {} rows", n_out, rows));
      const auto x = backend->make_act(rows, kIn);
      const auto mlp = backend->make_product_input(rows, n_out / 2), out = backend->make_act(rows, n_out);
      backend->write(std::vector<float>(static_cast<size_t>(rows) * kIn, 0.5f), x->act);
      expect_no_waste(of_product([&] { backend->norm_gate_up(x->act, norm->act, 1e-6f, *gate_up, mlp->act); }));
      expect_no_waste(of_product([&] { backend->norm_matmul(x->act, norm->act, 1e-6f, *plain, out->act); }));
      expect_no_waste(of_product([&] { backend->matmul(mlp->act, *down, x->act, Backend::Write::kAdd); }));
    }
  }
}

}  // namespace
}  // namespace draftscope
