#include "tests/engine/tested_backends.h"

namespace draftscope {

TestShare test_share() { return {}; }

}  // namespace draftscope
