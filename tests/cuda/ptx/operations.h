// The instructions that the interpreter knows.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "program.h"

namespace emulated::ptx {

/// How an instruction is carried out and how wide its operands are: bytes of a value, or kPredicate.
struct Operation {
  static constexpr int kPredicate = 0;
  Run run = nullptr;
  Flow flow = Flow::kOn;
  std::vector<int> widths;  // first the results
};

/// By name.
using Operations = std::map<std::string, Operation, std::less<>>;
/// Register to register, each lane for itself.
void add_arithmetic(Operations& ops);
/// Between the lanes of a warp, and what orders threads.
void add_warp_operations(Operations& ops);

/// Of loads, stores and atomic operations on registers that are `register_bytes` wide; null: none has that name.
Run find_access(std::string_view op, int register_bytes);

}  // namespace emulated::ptx
