// What tests ask of the device beyond CUDA. The emulated device does it; a real one cannot, and says so.
#pragma once

namespace draftscope::cuda {

/// Blocks, warps and lanes run in descending order. A real GPU chooses their order itself: there a test that compares two
/// runs shows that they agree, not more.
void run_backwards(bool on);

}  // namespace draftscope::cuda
