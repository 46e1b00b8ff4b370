// A cuBLASLt for tests: its products run on the emulated device, and it counts and refuses as a test says.
#pragma once

#include <cstdint>

#include "kernels/cuda/cublaslt.h"

namespace draftscope::cuda {

/// What the fake was asked, and what it answers from now on.
struct FakeLt {
  int n_calls = 0;              // of any function but version and status_string
  int n_heuristics = 0;         // questions for algorithms
  int n_products = 0;           // matmul
  int64_t last_algorithm = -1;  // of the last product: 0, 1, ... in the order of proposal
  int n_proposed = 3;
  size_t version = 130002;
  bool starts = true;           // create succeeds
  bool takes_part_rows = true;  // algorithms fit row counts that are no multiple of 64
  int64_t broken = -1;          // products with this algorithm fail
  int n_live = 0;               // handles, descriptors and layouts that were not destroyed
};
FakeLt& fake_lt();  // one per program; tests set it to {} first

LtTable fake_table();

}  // namespace draftscope::cuda
