#include "kernels/round_loop.h"

namespace draftscope {

std::unique_ptr<RoundLoop> Backend::make_round_loop(RoundLoopSetup) {
  DS_CHECK(false, "{} has no round loop", describe());
  return nullptr;
}

}  // namespace draftscope
