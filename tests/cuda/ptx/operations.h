// The instructions that the interpreter knows.
#pragma once

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

/// Of register to register operations; null: none has that name.
const Operation* find_arithmetic(std::string_view op);
/// Of operations between the lanes of a warp, or that order threads; null: none has that name.
const Operation* find_warp_operation(std::string_view op);

/// Of loads, stores and atomic operations on registers that are `register_bytes` wide; null: none has that name.
Run find_access(std::string_view op, int register_bytes);

}  // namespace emulated::ptx
