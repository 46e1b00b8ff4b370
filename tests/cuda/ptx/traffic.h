// What a kernel asks of the memory system, counted while it runs: what a profiler would count on a GPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace emulated::ptx {

/// Sums over all warps. "least": what the same bytes would take side by side.
struct Traffic {
  int64_t launches = 0;
  int64_t instructions = 0, products = 0;  // of warps; mma
  int64_t sectors = 0, least_sectors = 0;  // of 32 bytes of device memory, per instruction
  int64_t waves = 0, least_waves = 0;      // shared memory: turns of its 32 banks of 4 bytes, per instruction
};

/// From now on launches are counted, from zero.
void count_traffic();
/// Counted so far, by the kernel's name.
const std::map<std::string, Traffic>& traffic();
/// Where a launch of the kernel, which this counts, is to be counted; null: none is.
Traffic* begin_traffic(const std::string& kernel);

/// Adds one access of a warp: `bytes` at addresses[lane] of each lane in the mask.
void add_sectors(Traffic& traffic, uint32_t lanes, const uint64_t (&addresses)[32], size_t bytes);
void add_waves(Traffic& traffic, uint32_t lanes, const uint64_t (&addresses)[32], size_t bytes);

}  // namespace emulated::ptx
