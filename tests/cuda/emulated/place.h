// Where the running CUDA thread stands. block.cpp keeps it right at every switch.
#pragma once

#include "vocabulary.h"

extern constinit thread_local uint3 threadIdx, blockIdx;
extern constinit thread_local dim3 blockDim, gridDim;
constexpr int warpSize = 32;
