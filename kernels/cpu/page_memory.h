// Memory for what every pass streams, weights and caches: in whole cache lines, and in huge pages where the
// system gives them, so that looking up addresses does not slow the stream.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <vector>

namespace draftscope {

/// At least `n_bytes`, aligned to a cache line, from 2 MiB on to a huge page; free() gives it back. Throws
/// std::bad_alloc when there is no memory.
void* allocate_pages(size_t n_bytes);

template <class T>
struct PageAllocator {
  using value_type = T;

  PageAllocator() = default;
  template <class U>
  PageAllocator(const PageAllocator<U>&) {}
  T* allocate(size_t n) { return static_cast<T*>(allocate_pages(n * sizeof(T))); }
  void deallocate(T* memory, size_t) { std::free(memory); }
  bool operator==(const PageAllocator&) const { return true; }
};

template <class T>
using PageVector = std::vector<T, PageAllocator<T>>;

}  // namespace draftscope
