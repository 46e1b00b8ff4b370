#include "tests/engine/tested_backends.h"

namespace draftscope {

TestShare test_share() { return {.n_lossless_prompts = 40}; }  // the whole set in about a minute

}  // namespace draftscope
