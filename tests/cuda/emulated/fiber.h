// Fiber: a stack to run on, and the switch from one to another.
#pragma once

#include <boost/context/detail/fcontext.hpp>
#include <cstddef>

namespace emulated {

class Fiber {
 public:
  /// The fiber of the caller: it has a stack already.
  Fiber() = default;
  /// A stack of its own, with an unmapped page below; `number` sets stacks off against each other, so that
  /// the same frame of many fibers does not fall into the same cache lines. `run` never returns; it starts at
  /// the first switch.
  Fiber(int number, void (*run)());
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  ~Fiber();

  /// Leaves `from`, which is running, for `to`; returns when somebody switches back.
  static void switch_to(Fiber& from, Fiber& to);

 private:
  static void enter(boost::context::detail::transfer_t transfer);

  boost::context::detail::fcontext_t context_ = nullptr;
  void (*run_)() = nullptr;
  void* mapped_ = nullptr;
  const void* stack_ = nullptr;  // lowest address and size, for the address sanitizer
  size_t stack_bytes_ = 0;
};

}  // namespace emulated
