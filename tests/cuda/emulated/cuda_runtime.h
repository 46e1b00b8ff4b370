// A CUDA runtime without a device, for tests: kernels are compiled by g++ and run on the calling thread.
//
// Put this folder first on the include path and compile a .cu file as C++ (tests/CMakeLists.txt:
// ds_emulated_kernels). Blocks run one after the other; the threads of a block are fibers that switch at
// barriers and warp operations only. Misuse that a device would punish with wrong numbers stops the program
// with a sentence: a barrier that not all threads reach, a shuffle from a lane outside its mask, a write
// beyond an allocation, a parameter that is no device memory. Dynamic shared memory is `extern __shared__
// uint4 dynamic_shared[]` inside namespace draftscope::cuda.
#pragma once

#include "api.h"
#include "control.h"
#include "copies.h"
#include "intrinsics.h"
#include "launch_kernel.h"
#include "mma.h"
#include "place.h"
#include "vocabulary.h"
#include "warp.h"
