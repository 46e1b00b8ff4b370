#include "kernels/cpu/page_memory.h"

#include <sys/mman.h>

#include <new>

namespace draftscope {

void* allocate_pages(size_t n_bytes) {
  constexpr size_t kLine = 64, kHugePage = size_t{2} << 20;
  const size_t alignment = n_bytes >= kHugePage ? kHugePage : kLine;
  void* memory = std::aligned_alloc(alignment, (n_bytes + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  // Whole pages only: a rest of a few bytes must not take 2 MiB. A system without huge pages says no.
  if (n_bytes >= kHugePage) (void)::madvise(memory, n_bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
  return memory;
}

}  // namespace draftscope
