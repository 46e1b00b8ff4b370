#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "tests/cuda/emulated/memory.h"
#include "warp.h"

namespace emulated::ptx {
namespace {

constexpr unsigned char kPoison = 0xff;

std::byte* shared_memory() {
  alignas(1024) static std::byte memory[kMaxSharedBytes + 48 * 1024];  // dynamic, and what kernels declare
  return memory;
}

}  // namespace

void BlockMemory::begin(const Launch& launch, const Program& program, std::span<const std::byte> parameters) {
  shared_ = shared_memory();
  shared_bytes_ = program.static_shared_bytes + launch.shared_bytes;
  parameters_.assign(parameters.begin(), parameters.end());
  ranges_.clear();
}

void BlockMemory::poison() { std::memset(shared_, kPoison, shared_bytes_); }

std::byte* BlockMemory::find(const Warp& warp, const Step& step, int lane, Space space, uint64_t address,
                             size_t bytes) {
  if (address % bytes != 0) warp.fail(step, lane, fmt::format("{:#x} is no multiple of {} bytes", address, bytes));
  if (space == Space::kParameter) {
    if (address + bytes > parameters_.size()) warp.fail(step, lane, "reads beyond the parameters");
    return parameters_.data() + address;
  }
  if (space == Space::kShared) {
    if (address < kFirstShared || address + bytes > kFirstShared + shared_bytes_)
      warp.fail(step, lane,
                fmt::format("{:#x} is not one of the {} bytes of shared memory from {:#x} on", address, shared_bytes_,
                            kFirstShared));
    return shared_ + (address - kFirstShared);
  }
  auto* const at = reinterpret_cast<std::byte*>(address);
  if (space == Space::kGeneric && at >= shared_ && at + bytes <= shared_ + shared_bytes_) return at;
  for (Range& range : ranges_) {
    if (at < range.begin || at + bytes > range.begin + range.n) continue;
    if (&range != ranges_.data()) std::swap(range, ranges_[0]);
    return at;
  }
  const auto [begin, n] = allocation_of(at);
  if (begin == nullptr || at + bytes > static_cast<const std::byte*>(begin) + n)
    warp.fail(step, lane, fmt::format("{} bytes at {:#x} are not in memory of the device", bytes, address));
  ranges_.push_back({static_cast<const std::byte*>(begin), n});
  return at;
}

}  // namespace emulated::ptx
