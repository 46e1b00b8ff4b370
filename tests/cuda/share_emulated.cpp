#include "tests/engine/tested_backends.h"

namespace draftscope {

// A pass on the emulated device takes tens of milliseconds.
TestShare test_share() {
  return {.n_lossless_prompts = 1, .max_tokens = 16, .n_golden_generations = 1, .long_prompts = false};
}

}  // namespace draftscope
