#include <gtest/gtest.h>

#include <cstdint>

#include "kernels/cpu/page_memory.h"

namespace draftscope {
namespace {

TEST(PageMemory, StartsAtALineOrAHugePage) {
  for (const size_t n : {size_t{1}, size_t{63}, size_t{4096}, (size_t{2} << 20) - 1}) {
    const PageVector<uint8_t> memory(n, uint8_t{7});
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory.data()) % 64, 0u) << n;
    EXPECT_EQ(memory.back(), 7);
  }
  for (const size_t n : {size_t{2} << 20, (size_t{5} << 20) + 3}) {
    const PageVector<uint8_t> memory(n, uint8_t{7});
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory.data()) % (size_t{2} << 20), 0u) << n;
    EXPECT_EQ(memory.back(), 7);
  }
}

}  // namespace
}  // namespace draftscope
