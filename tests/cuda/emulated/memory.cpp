#include "memory.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "block.h"
#include "control.h"
#include "races.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

namespace emulated {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kGuardBytes = 256;  // on both sides, compared after every launch
constexpr unsigned char kPoison = 0xff, kGuard = 0xa7;

/// Pages [mapped, mapped + n_mapped): one of guard bytes, the data, guard bytes to the end of a page, one
/// that cannot be touched. Registered host memory has no pages of its own.
struct Allocation {
  unsigned char* mapped = nullptr;
  size_t n_mapped = 0;
  size_t n = 0;
  Reach reach = Reach::kDevice;

  const unsigned char* data() const { return mapped + kPage; }
  const unsigned char* end() const { return mapped + n_mapped - kPage; }  // of what can be touched
};

struct Memory {
  std::map<const unsigned char*, Allocation> allocations;  // by the address of the data
  size_t total = size_t{8} << 30, device = 0, live = 0;
  bool hidden = false;
  int touching = 0;
};
Memory& memory() {
  static Memory* const memory = new Memory;  // outlives every static object that frees memory at exit
  return *memory;
}

const std::pair<const unsigned char* const, Allocation>* find(const void* p) {
  const auto& all = memory().allocations;
  const auto* at = static_cast<const unsigned char*>(p);
  auto next = all.upper_bound(at);
  if (next == all.begin()) return nullptr;
  const auto& entry = *--next;
  return at < entry.first + std::max(entry.second.n, size_t{1}) ? &entry : nullptr;
}

void protect(const Allocation& a) {
  if (a.reach != Reach::kDevice) return;
  const bool shut = memory().hidden && memory().touching == 0;
  if (mprotect(a.mapped, a.n_mapped - kPage, shut ? PROT_NONE : PROT_READ | PROT_WRITE) != 0)
    fail("mprotect failed");
}
void protect_all() {
  for (const auto& [data, a] : memory().allocations) protect(a);
}

/// The sanitizer reports the access itself; the comparison below is for other builds.
void shut_guards([[maybe_unused]] const Allocation& a) {
#ifdef __SANITIZE_ADDRESS__
  ASAN_POISON_MEMORY_REGION(a.mapped, kPage);
  ASAN_POISON_MEMORY_REGION(a.data() + a.n, static_cast<size_t>(a.end() - a.data()) - a.n);
#endif
}
void open_guards([[maybe_unused]] const Allocation& a) {
#ifdef __SANITIZE_ADDRESS__
  ASAN_UNPOISON_MEMORY_REGION(a.mapped, a.n_mapped);
#endif
}

#ifndef __SANITIZE_ADDRESS__
bool intact(const unsigned char* from, size_t n) {
  return std::all_of(from, from + n, [](unsigned char byte) { return byte == kGuard; });
}

void check_allocation(const Allocation& a, const std::function<std::string()>& when) {
  if (a.reach == Reach::kHostOnly) return;
  if (!intact(a.data() - kGuardBytes, kGuardBytes)) {
    fail(fmt::format("guard bytes before a buffer of {} bytes were overwritten, found {}", a.n, when()));
  }
  if (!intact(a.data() + a.n, kGuardBytes)) {
    fail(fmt::format("guard bytes after a buffer of {} bytes were overwritten, found {}", a.n, when()));
  }
}
#endif

}  // namespace

Reach reach(const void* p) {
  const auto* entry = find(p);
  if (entry == nullptr) return Reach::kHostOnly;
  return entry->second.reach == Reach::kDevice ? Reach::kDevice : Reach::kBoth;
}

bool is_inside(const void* p, size_t n) {
  const auto* entry = find(p);
  return entry != nullptr && static_cast<const unsigned char*>(p) + n <= entry->first + entry->second.n;
}

std::pair<const void*, size_t> allocation_of(const void* p) {
  const auto* entry = find(p);
  return entry != nullptr ? std::pair<const void*, size_t>(entry->first, entry->second.n) : std::pair<const void*, size_t>();
}

void* allocate(size_t n, Reach reach) {
  Memory& m = memory();
  if (reach == Reach::kDevice && n > m.total - m.device) return nullptr;
  Allocation a = {nullptr, (n + kGuardBytes + kPage - 1) / kPage * kPage + 2 * kPage, n, reach};
  void* mapped = mmap(nullptr, a.n_mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  a.mapped = static_cast<unsigned char*>(mapped);
  if (mprotect(a.mapped + a.n_mapped - kPage, kPage, PROT_NONE) != 0) fail("mprotect failed");
  unsigned char* data = a.mapped + kPage;
  std::memset(a.mapped, kGuard, kPage);
  std::memset(data, kPoison, n);
  std::memset(data + n, kGuard, static_cast<size_t>(a.end() - data) - n);
  shut_guards(a);
  protect(a);
  m.allocations[data] = a;
  races::watch(data, n);
  m.live += n;
  if (reach == Reach::kDevice) m.device += n;
  return data;
}

bool release(void* p, Reach reach) {
  Memory& m = memory();
  const auto found = m.allocations.find(static_cast<unsigned char*>(p));
  if (found == m.allocations.end() || found->second.reach != reach) return false;
  const Allocation a = found->second;
#ifndef __SANITIZE_ADDRESS__
  const Touching touching;
  check_allocation(a, [] { return std::string("when it was freed"); });
#endif
  m.allocations.erase(found);
  races::forget(p, a.n);
  m.live -= a.n;
  if (reach == Reach::kDevice) m.device -= a.n;
  open_guards(a);
  munmap(a.mapped, a.n_mapped);
  return true;
}

bool register_host(void* p, size_t n) {
  return memory()
      .allocations.try_emplace(static_cast<unsigned char*>(p), Allocation{nullptr, 0, n, Reach::kHostOnly})
      .second;
}

bool unregister_host(void* p) {
  const auto found = memory().allocations.find(static_cast<unsigned char*>(p));
  if (found == memory().allocations.end() || found->second.reach != Reach::kHostOnly) return false;
  memory().allocations.erase(found);
  return true;
}

size_t memory_bytes() { return memory().total; }
size_t device_bytes_in_use() { return memory().device; }
size_t live_bytes() { return memory().live; }
void set_memory_bytes(size_t n) { memory().total = std::max(n, memory().device); }

void check_guards([[maybe_unused]] const std::function<std::string()>& when) {
#ifndef __SANITIZE_ADDRESS__
  const Touching touching;
  for (const auto& [data, a] : memory().allocations) check_allocation(a, when);
#endif
}

void hide_device_memory(bool on) {
  memory().hidden = on;
  protect_all();
}

Touching::Touching() {
  if (memory().touching++ == 0 && memory().hidden) protect_all();
}
Touching::~Touching() {
  if (--memory().touching == 0 && memory().hidden) protect_all();
}

}  // namespace emulated
