#include "races.h"

#include <fmt/format.h>
#include <link.h>

#include <memory>
#include <unordered_map>

#include "block.h"
#include "order.h"

namespace emulated::races {
namespace {

constexpr uintptr_t kPage = 4096, kCellBytes = 2;  // the smallest numbers that threads share

enum class Kind : uint8_t { kNone, kRead, kWrite, kAtomic };

const char* name_of(Kind kind) {
  return kind == Kind::kRead ? "read" : kind == Kind::kWrite ? "write" : "atomic operation";
}

struct Access {
  Moment when;
  const void* from = nullptr;  // the code
  Kind kind = Kind::kNone;
};

/// The last accesses to a cell in a launch: enough for any later access of another thread to meet one of them.
struct Cell {
  uint64_t launch = 0;
  bool was_written = false;  // by an earlier launch
  Access write, other_write, read, other_read;  // other_write: an atomic operation beside another
};

struct Page {
  bool is_shared = false;  // memory of one block after the other
  std::unique_ptr<Cell[]> cells;
};

/// The program's thread-local data, where emulated shared memory lies. A launch runs on one thread.
struct SharedMemory {
  const char* first = nullptr;
  size_t n_bytes = 0;
};
SharedMemory shared_memory() {
  SharedMemory shared;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* result) {
        auto& found = *static_cast<SharedMemory*>(result);
        found.first = static_cast<const char*>(info->dlpi_tls_data);
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          if (info->dlpi_phdr[i].p_type == PT_TLS) found.n_bytes = info->dlpi_phdr[i].p_memsz;
        }
        return 1;  // the first entry is the program
      },
      &shared);
  return shared;
}

class Watcher {
 public:
  void begin_launch();
  void watch(const void* p, size_t n_bytes, bool is_shared);
  void forget(const void* p, size_t n_bytes);
  void look(const void* p, size_t n_bytes, Kind kind, const void* from);
  bool is_shared(const void* p);

  Order order;

 private:
  Page* page_of(uintptr_t p);
  void look_at(Cell& cell, bool is_shared, const Access& now, uintptr_t p);
  bool is_after(const Access& before, bool is_shared);
  void look_ahead(const Cell& cell, const Access& now, uintptr_t p) const;
  [[noreturn]] void report(const Access& before, const Access& now, uintptr_t p, bool is_shared) const;

  uint64_t launch_ = 0;
  std::unordered_map<uintptr_t, Page> pages_;
  uintptr_t last_number_ = 0;
  Page* last_ = nullptr;
};

/// Lives to the end of the program; launches come one at a time.
Watcher& watcher() {
  static auto* const watcher = new Watcher;
  return *watcher;
}

void Watcher::begin_launch() {
  ++launch_;
  order.begin_launch();
  const SharedMemory shared = shared_memory();
  watch(shared.first, shared.n_bytes, true);
}

void Watcher::watch(const void* p, size_t n_bytes, bool is_shared) {
  const auto first = reinterpret_cast<uintptr_t>(p);
  for (uintptr_t page = first / kPage; page <= (first + n_bytes - 1) / kPage; ++page) pages_[page].is_shared = is_shared;
}

void Watcher::forget(const void* p, size_t n_bytes) {
  const auto first = reinterpret_cast<uintptr_t>(p);
  for (uintptr_t page = first / kPage; page <= (first + n_bytes - 1) / kPage; ++page) pages_.erase(page);
  last_ = nullptr;
}

Page* Watcher::page_of(uintptr_t p) {
  if (last_ != nullptr && last_number_ == p / kPage) return last_;
  const auto found = pages_.find(p / kPage);
  if (found == pages_.end()) return nullptr;
  if (found->second.cells == nullptr) found->second.cells = std::make_unique<Cell[]>(kPage / kCellBytes);
  last_number_ = p / kPage;
  last_ = &found->second;
  return last_;
}

void Watcher::look(const void* p, size_t n_bytes, Kind kind, const void* from) {
  if (!in_kernel()) return;
  const auto first = reinterpret_cast<uintptr_t>(p) / kCellBytes * kCellBytes;
  const Access now = {order.now(), from, kind};
  for (uintptr_t at = first; at < reinterpret_cast<uintptr_t>(p) + n_bytes; at += kCellBytes) {
    Page* page = page_of(at);
    if (page == nullptr) return;  // a stack, say
    look_at(page->cells[at % kPage / kCellBytes], page->is_shared, now, at);
  }
}

bool Watcher::is_shared(const void* p) {
  const Page* page = page_of(reinterpret_cast<uintptr_t>(p));
  return page != nullptr && page->is_shared;
}

bool Watcher::is_after(const Access& before, bool is_shared) {
  if (before.kind == Kind::kNone || (is_shared && before.when.block != order.now().block)) return true;
  return order.is_after(before.when);
}

void Watcher::look_at(Cell& cell, bool is_shared, const Access& now, uintptr_t p) {
  if (cell.launch != launch_) cell = {launch_, cell.was_written || cell.write.kind != Kind::kNone, {}, {}, {}, {}};
  if (!is_shared) look_ahead(cell, now, p);
  for (const Access& write : {cell.write, cell.other_write}) {
    const bool both_atomic = now.kind == Kind::kAtomic && write.kind == Kind::kAtomic;
    if (!both_atomic && !is_after(write, is_shared)) report(write, now, p, is_shared);
  }
  if (now.kind == Kind::kRead) {
    if (!is_after(cell.read, is_shared)) cell.other_read = cell.read;
    cell.read = now;
    return;
  }
  for (const Access& read : {cell.read, cell.other_read}) {
    if (!is_after(read, is_shared)) report(read, now, p, is_shared);
  }
  if (!is_after(cell.write, is_shared)) cell.other_write = cell.write;
  cell.write = now;
  cell.read = cell.other_read = {};
}

void Watcher::look_ahead(const Cell& cell, const Access& now, uintptr_t p) const {
  if (has_waited_for_launch_ahead() || (now.kind == Kind::kRead && !cell.was_written)) return;
  fail(fmt::format("a race: this {} ({}) of global memory at {:#x} does not wait for the launches ahead{}", name_of(now.kind),
                   place_in_program(now.from), p, cell.was_written ? ", one of which wrote there" : ""));
}

void Watcher::report(const Access& before, const Access& now, uintptr_t p, bool is_shared) const {
  fail(fmt::format("a race: nothing orders this {} ({}) after the {} ({}) of the same {} memory at {:#x} by thread {} of block {}",
                   name_of(now.kind), place_in_program(now.from), name_of(before.kind), place_in_program(before.from),
                   is_shared ? "shared" : "global", p, uint64_t{before.when.thread}, uint64_t{before.when.block}));
}

}  // namespace

void begin_launch() { watcher().begin_launch(); }
void begin_block(int64_t number) { watcher().order.begin_block(number); }
void block_barrier() { watcher().order.block_barrier(); }
void warp_barrier(uint32_t lanes) { watcher().order.warp_barrier(lanes); }
void fence() { watcher().order.fence(); }
void atomic(const void* p, size_t n_bytes) {
  watcher().look(p, n_bytes, Kind::kAtomic, __builtin_return_address(0));
  if (!watcher().is_shared(p)) watcher().order.atomic(p);
}
void watch(const void* p, size_t n_bytes) { watcher().watch(p, n_bytes, false); }
void forget(const void* p, size_t n_bytes) { watcher().forget(p, n_bytes); }

}  // namespace emulated::races

// ---- what code compiled with -fsanitize=thread calls ----------------------------------------------------
using emulated::races::Kind;
using emulated::races::watcher;

extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void*, void*) {}
// Asks whether a static of the host's code is there yet.
unsigned char __tsan_atomic8_load(const volatile void* p, int) {
  return __atomic_load_n(static_cast<const volatile unsigned char*>(p), __ATOMIC_ACQUIRE);
}
void __tsan_read_range(void* p, size_t n) { watcher().look(p, n, Kind::kRead, __builtin_return_address(0)); }
void __tsan_write_range(void* p, size_t n) { watcher().look(p, n, Kind::kWrite, __builtin_return_address(0)); }
#define DS_ACCESS(name, n, kind) \
  void __tsan_##name##n(void* p) { watcher().look(p, n, kind, __builtin_return_address(0)); }
DS_ACCESS(read, 1, Kind::kRead)
DS_ACCESS(read, 2, Kind::kRead)
DS_ACCESS(read, 4, Kind::kRead)
DS_ACCESS(read, 8, Kind::kRead)
DS_ACCESS(read, 16, Kind::kRead)
DS_ACCESS(write, 1, Kind::kWrite)
DS_ACCESS(write, 2, Kind::kWrite)
DS_ACCESS(write, 4, Kind::kWrite)
DS_ACCESS(write, 8, Kind::kWrite)
DS_ACCESS(write, 16, Kind::kWrite)
DS_ACCESS(unaligned_read, 2, Kind::kRead)
DS_ACCESS(unaligned_read, 4, Kind::kRead)
DS_ACCESS(unaligned_read, 8, Kind::kRead)
DS_ACCESS(unaligned_read, 16, Kind::kRead)
DS_ACCESS(unaligned_write, 2, Kind::kWrite)
DS_ACCESS(unaligned_write, 4, Kind::kWrite)
DS_ACCESS(unaligned_write, 8, Kind::kWrite)
DS_ACCESS(unaligned_write, 16, Kind::kWrite)
#undef DS_ACCESS
}
