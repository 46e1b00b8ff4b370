// Runs the blocks of a launch, and lets their threads wait for each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "vocabulary.h"

namespace emulated {

constexpr size_t kMaxSharedBytes = 227 * 1024;  // dynamic, of one block

struct Launch {
  uint3 grid = {1, 1, 1}, block = {1, 1, 1};
  size_t shared_bytes = 0;       // dynamic
  bool overlaps = false;         // may begin while the launch ahead ends
  const void* kernel = nullptr;  // names it in messages
  std::function<void()> body;    // the kernel with its arguments, one thread's worth
};

/// Whether blocks, warps and lanes run in descending order.
bool runs_backwards();
/// run(block, its number) for every block of the grid, in that order.
void for_each_block(uint3 grid, const std::function<void(uint3, int64_t)>& run);

/// Runs all blocks on the calling thread, one after the other.
void run_blocks(const Launch& launch);

/// Whether a kernel runs on this thread of the system; if so, index in its block of the CUDA thread that does.
bool in_kernel();
int running_thread();

/// The running thread has waited for the launch ahead to end; whether it has, or its launch began after that.
void wait_for_launch_ahead();
bool has_waited_for_launch_ahead();

/// Waits until all threads of the block have come here.
void block_barrier();

/// What the lanes of a warp do together: operands[lane] of every lane in mask, nowhere else.
using Together = void (*)(void* const* operands, uint32_t mask);
/// Waits until all lanes of the mask have come here; then `together` runs once for all of them.
void warp_together(uint32_t mask, const char* name, void* operand, Together together);

/// Stops the program with the running kernel, block and thread (if any) and the sentence.
[[noreturn]] void fail(const std::string& sentence);

/// "name<...>(...) of grid (1, 1, 1), block (32, 1, 1)".
std::string describe(const Launch& launch);
/// The name of the function that `address` lies in, as the linker knows it; empty: it lies in none.
std::string mangled_name(const void* address);
/// That name as the source has it, or the address.
std::string function_name(const void* address);
/// That and the address in the program's file, for addr2line.
std::string place_in_program(const void* address);

}  // namespace emulated
