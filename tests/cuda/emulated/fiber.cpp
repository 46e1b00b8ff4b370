#include "fiber.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

namespace emulated {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kStackBytes = 64 * kPage;  // reserved; only touched pages cost memory
constexpr size_t kOffsetBytes = 320, kOffsets = 12;

/// The address sanitizer must know which stack is in use.
void before_switch([[maybe_unused]] void** fake_stack, [[maybe_unused]] const void* stack,
                   [[maybe_unused]] size_t n) {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_start_switch_fiber(fake_stack, stack, n);
#endif
}
void after_switch([[maybe_unused]] void* fake_stack, [[maybe_unused]] const void** left,
                  [[maybe_unused]] size_t* n) {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(fake_stack, left, n);
#endif
}

}  // namespace

Fiber::Fiber(int number, void (*run)()) : run_(run) {
  mapped_ = mmap(nullptr, kStackBytes + kPage, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped_ == MAP_FAILED || mprotect(mapped_, kPage, PROT_NONE) != 0) {
    std::fputs("emulated device: no memory for a stack\n", stderr);
    std::abort();
  }
  char* lowest = static_cast<char*>(mapped_) + kPage;
  stack_ = lowest;
  stack_bytes_ = kStackBytes - number % kOffsets * kOffsetBytes;
  context_ = boost::context::detail::make_fcontext(lowest + stack_bytes_, stack_bytes_, &Fiber::enter);
}

Fiber::~Fiber() {
  if (mapped_ != nullptr) munmap(mapped_, kStackBytes + kPage);
}

void Fiber::switch_to(Fiber& from, Fiber& to) {
  void* fake_stack = nullptr;
  Fiber* parties[] = {&from, &to};
  before_switch(&fake_stack, to.stack_, to.stack_bytes_);
  const auto back = boost::context::detail::jump_fcontext(to.context_, parties);
  Fiber& other = **static_cast<Fiber**>(back.data);
  other.context_ = back.fctx;
  after_switch(fake_stack, &other.stack_, &other.stack_bytes_);
}

void Fiber::enter(boost::context::detail::transfer_t transfer) {
  Fiber** parties = static_cast<Fiber**>(transfer.data);
  Fiber &other = *parties[0], &self = *parties[1];
  other.context_ = transfer.fctx;
  after_switch(nullptr, &other.stack_, &other.stack_bytes_);
  self.run_();
  std::abort();
}

}  // namespace emulated
