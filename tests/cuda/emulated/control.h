// What a test asks of the emulated device beyond CUDA.
#pragma once

#include <cstddef>
#include <cstdint>

#include "errors.h"

namespace emulated {

/// Every call that needs a device fails with `error` from now on, cudaGetDeviceCount too; cudaSuccess: a
/// device again.
void set_device_error(cudaError_t error);
/// The device is there, but no program gets to use it: cudaFree(nullptr) fails with `error`; cudaSuccess: it does.
void set_use_error(cudaError_t error);
/// Device memory in all; allocations beyond it fail with cudaErrorMemoryAllocation. 8 GiB at first.
void set_memory_bytes(size_t n);
/// Bytes of device and pinned memory that were allocated and not freed.
size_t live_bytes();
/// Kernels launched so far, those of replayed graphs too.
int64_t n_launches();
/// A kernel of the test itself: its launches are the host's whoever runs the others.
void stays_on_host(const void* kernel);
/// Blocks, warps and lanes run in descending order: results that then differ depend on the order.
void run_backwards(bool on);
/// Device memory cannot be touched outside kernels and copies: host code that does crashes, as with a device.
void hide_device_memory(bool on);

}  // namespace emulated
