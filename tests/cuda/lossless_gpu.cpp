#include "tests/engine/tested_backends.h"

namespace draftscope {

int n_lossless_prompts() { return 200; }

}  // namespace draftscope
