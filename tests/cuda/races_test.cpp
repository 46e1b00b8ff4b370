// Of kernels with and without what orders their threads, only the latter stop the program.
#include <gtest/gtest.h>

#include "kernels/cuda/device.h"
#include "kernels/cuda/launch.h"
#include "tests/cuda/racing_kernels.h"

namespace draftscope::cuda {
namespace {

TEST(Races, ABarrierOrdersWhatABlockSharesBothWays) {
  const DeviceBuffer<int> out(64);
  launch(neighbours, 1, 64, 0, nullptr, out.data(), Without::kNothing);
}
TEST(Races, AReadWithoutABarrierAfterTheWriteIsFound) {
  const DeviceBuffer<int> out(64);
  EXPECT_DEATH(launch(neighbours, 1, 64, 0, nullptr, out.data(), Without::kFirst),
               "neighbours.*a race: nothing orders this (write|read) .*after the (write|read) .*of the same shared memory");
}
TEST(Races, AWriteWithoutABarrierAfterTheReadIsFound) {
  const DeviceBuffer<int> out(64);
  EXPECT_DEATH(launch(neighbours, 1, 64, 0, nullptr, out.data(), Without::kSecond), "a race: nothing orders this");
}

TEST(Races, TwoBlocksThatWriteTheSamePlaceAreFound) {
  const DeviceBuffer<int> out(64);
  launch(same_place, 1, 64, 0, nullptr, out.data());
  launch(same_place, 1, 64, 0, nullptr, out.data());  // launches follow each other
  EXPECT_DEATH(launch(same_place, 2, 64, 0, nullptr, out.data()),
               "this write .*after the write .*of the same global memory at .* by thread [0-9]+ of block 0");
}

TEST(Races, AWarpsBarrierOrdersItsLanes) {
  const DeviceBuffer<int> out(64);
  launch(lanes, 1, 64, 0, nullptr, out.data(), Without::kNothing);
}
TEST(Races, AShuffleOrdersNoMemory) {
  const DeviceBuffer<int> out(64);
  EXPECT_DEATH(launch(lanes, 1, 64, 0, nullptr, out.data(), Without::kFirst), "of the same shared memory");
}
TEST(Races, AWarpsBarrierDoesNotOrderOtherWarps) {
  const DeviceBuffer<int> out(64);
  EXPECT_DEATH(launch(lanes, 1, 64, 0, nullptr, out.data(), Without::kSecond), "of the same shared memory");
}

TEST(Races, ABarrierOfHalfAWarpOrdersThatHalf) {
  const DeviceBuffer<int> value(128);
  launch(halves, 1, 32, 0, nullptr, value.data(), false);
  EXPECT_DEATH(launch(halves, 1, 32, 0, nullptr, value.data(), true), "of the same global memory");
}

TEST(Races, ACountWithFencesOrdersBlocks) {
  const DeviceBuffer<int> values(5 * 64), sum(1);
  const DeviceBuffer<int32_t> arrived(1);
  CUDA_CHECK(cudaMemset(arrived.data(), 0, sizeof(int32_t)));
  launch(add_up, 5, 64, 0, nullptr, values.data(), arrived.data(), sum.data());
  EXPECT_EQ(*sum.data(), 5 * 64);
}
TEST(Races, ACountWithAFenceMissingIsFound) {
  const DeviceBuffer<int> values(5 * 64), sum(1);
  const DeviceBuffer<int32_t> arrived(1);
  CUDA_CHECK(cudaMemset(arrived.data(), 0, sizeof(int32_t)));
  for (const Without without : {Without::kFirst, Without::kSecond}) {
    EXPECT_DEATH(launch(add_up_wrongly, 5, 64, 0, nullptr, values.data(), arrived.data(), sum.data(), without),
                 "add_up_wrongly.*a race: nothing orders this read .*after the write .*of the same global memory");
  }
}

TEST(Races, AtomicOperationsDoNotRaceWithEachOther) {
  const DeviceBuffer<int> total(1);
  launch(count, 1, 64, 0, nullptr, total.data(), false);
  EXPECT_EQ(*total.data(), 64);
}
TEST(Races, AReadBesideAtomicOperationsIsFound) {
  const DeviceBuffer<int> total(1);
  EXPECT_DEATH(launch(count, 1, 64, 0, nullptr, total.data(), true), "this read .*after the atomic operation");
}

TEST(Races, OfOverlappingLaunchesOnlyTheOneAheadIsWaitedFor) {
  const LaunchStream overlapping(nullptr, true), in_order;
  const DeviceBuffer<int> x(3);
  CUDA_CHECK(cudaMemset(x.data(), 0, x.n_bytes()));
  launch(copy_word, 1, 1, 0, overlapping, x.data(), x.data() + 1, false);  // no launch has written x[0]
  launch(copy_word, 1, 1, 0, overlapping, x.data() + 1, x.data() + 2, true);
  launch(copy_word, 1, 1, 0, in_order, x.data() + 1, x.data() + 2, false);
  EXPECT_DEATH(launch(copy_word, 1, 1, 0, overlapping, x.data() + 1, x.data() + 2, false),
               "this read .*copy_word.* does not wait for the launches ahead, one of which wrote there");
}

}  // namespace
}  // namespace draftscope::cuda
