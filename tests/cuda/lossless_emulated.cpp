#include "tests/engine/tested_backends.h"

namespace draftscope {

int n_lossless_prompts() { return 3; }  // a pass on the emulated device takes tens of milliseconds

}  // namespace draftscope
