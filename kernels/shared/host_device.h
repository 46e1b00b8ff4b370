// What functions carry that run on the host and on the device from one source, so that both give the same result.
#pragma once

#ifdef __CUDACC__
#define DS_HOST_DEVICE __host__ __device__
#else
#define DS_HOST_DEVICE
#endif

namespace draftscope {

/// a * b, rounded before anything is added to it. The host never fuses (-ffp-contract=off); a device compiler would.
DS_HOST_DEVICE inline double product(double a, double b) {
#ifdef __CUDA_ARCH__
  return __dmul_rn(a, b);
#else
  return a * b;
#endif
}

}  // namespace draftscope
