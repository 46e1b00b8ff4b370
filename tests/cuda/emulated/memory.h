// Device and pinned memory of the emulated device: guarded, counted, and full of NaN when fresh.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

namespace emulated {

enum class Reach { kHostOnly, kDevice, kBoth };
/// Who may use [p, p + n): kHostOnly is memory of no allocation here, kDevice cudaMalloc, kBoth pinned
/// memory.
Reach reach(const void* p);
/// [p, p + n) lies inside one allocation of the device or of pinned memory.
bool is_inside(const void* p, size_t n);

/// The allocation that p lies in: where it begins, and its bytes; nullptr, 0: none.
std::pair<const void*, size_t> allocation_of(const void* p);

/// n bytes, 256-byte aligned, each 0xff; null: beyond the device's memory. n > 0.
void* allocate(size_t n, Reach reach);
/// False: no allocation of that kind starts here.
bool release(void* memory, Reach reach);
/// Makes [memory, memory + n) of the host reachable, or not any more; false: it was already, or was not.
bool register_host(void* memory, size_t n);
bool unregister_host(void* memory);

size_t memory_bytes();
size_t device_bytes_in_use();

/// Stops the program if something wrote beyond an allocation; when() ends the sentence.
void check_guards(const std::function<std::string()>& when);

/// Device memory can be touched while one of these exists, if it is hidden at all.
class Touching {
 public:
  Touching();
  Touching(const Touching&) = delete;
  Touching& operator=(const Touching&) = delete;
  ~Touching();
};

}  // namespace emulated
