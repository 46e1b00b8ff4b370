// The imaginary chip: small, so that grids sized by it stay small.
#include <cstdio>
#include <cstring>

#include "api.h"
#include "block.h"
#include "memory.h"
#include "streams.h"

using emulated::noted;

namespace {

constexpr int kDriverVersion = CUDART_VERSION;

struct ErrorText {
  cudaError_t error;
  const char *name, *text;
};
#define DS_ERROR(name, text) \
  { name, #name, text }
constexpr ErrorText kErrors[] = {
    DS_ERROR(cudaSuccess, "no error"),
    DS_ERROR(cudaErrorInvalidValue, "invalid argument"),
    DS_ERROR(cudaErrorMemoryAllocation, "out of memory"),
    DS_ERROR(cudaErrorInitializationError, "initialization error"),
    DS_ERROR(cudaErrorInvalidConfiguration, "invalid configuration argument"),
    DS_ERROR(cudaErrorInvalidPitchValue, "invalid pitch argument"),
    DS_ERROR(cudaErrorStubLibrary, "CUDA driver is a stub library"),
    DS_ERROR(cudaErrorInsufficientDriver, "CUDA driver version is insufficient for CUDA runtime version"),
    DS_ERROR(cudaErrorDevicesUnavailable, "CUDA-capable device(s) is/are busy or unavailable"),
    DS_ERROR(cudaErrorInvalidDeviceFunction, "invalid device function"),
    DS_ERROR(cudaErrorNoDevice, "no CUDA-capable device is detected"),
    DS_ERROR(cudaErrorInvalidDevice, "invalid device ordinal"),
    DS_ERROR(cudaErrorNoKernelImageForDevice, "no kernel image is available for execution on the device"),
    DS_ERROR(cudaErrorInvalidResourceHandle, "invalid resource handle"),
    DS_ERROR(cudaErrorIllegalState, "the operation cannot be performed in the present state"),
    DS_ERROR(cudaErrorIllegalAddress, "an illegal memory access was encountered"),
    DS_ERROR(cudaErrorLaunchFailure, "unspecified launch failure"),
    DS_ERROR(cudaErrorSystemDriverMismatch,
             "system has unsupported display driver / cuda driver combination"),
    DS_ERROR(cudaErrorCompatNotSupportedOnDevice, "forward compatibility was attempted on non supported HW"),
    DS_ERROR(cudaErrorUnknown, "unknown error"),
    DS_ERROR(cudaErrorStreamCaptureUnsupported, "operation not permitted when stream is capturing"),
    DS_ERROR(cudaErrorStreamCaptureInvalidated, "operation failed due to a previous error during capture"),
    DS_ERROR(cudaErrorStreamCaptureImplicit,
             "operation would make the legacy stream depend on a capturing blocking stream"),
};
#undef DS_ERROR

const ErrorText* find(cudaError_t error) {
  for (const ErrorText& entry : kErrors) {
    if (entry.error == error) return &entry;
  }
  return nullptr;
}

cudaError_t check_device(int device) {
  if (emulated::device_error() != cudaSuccess) return noted(emulated::device_error());
  return noted(device == 0 ? cudaSuccess : cudaErrorInvalidDevice);
}

}  // namespace

const char* cudaGetErrorName(cudaError_t error) {
  const ErrorText* entry = find(error);
  return entry != nullptr ? entry->name : "an error the emulated device has no name for";
}
const char* cudaGetErrorString(cudaError_t error) {
  const ErrorText* entry = find(error);
  return entry != nullptr ? entry->text : "an error the emulated device has no words for";
}

cudaError_t cudaGetDeviceCount(int* n) {
  *n = emulated::device_error() == cudaSuccess ? 1 : 0;
  return noted(emulated::device_error());
}
cudaError_t cudaSetDevice(int device) { return check_device(device); }
cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return noted(emulated::device_error());
}
cudaError_t cudaDeviceReset() { return noted(emulated::device_error()); }

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (const cudaError_t error = check_device(device); error != cudaSuccess) return error;
  cudaDeviceProp p = {};
  std::snprintf(p.name, sizeof p.name, "emulated device");
  p.totalGlobalMem = emulated::memory_bytes();
  p.sharedMemPerBlock = 48 * 1024;
  p.sharedMemPerBlockOptin = emulated::kMaxSharedBytes;
  p.sharedMemPerMultiprocessor = emulated::kMaxSharedBytes + 1024;
  p.reservedSharedMemPerBlock = 1024;
  p.regsPerBlock = p.regsPerMultiprocessor = 65536;
  p.warpSize = 32;
  p.maxThreadsPerBlock = 1024;
  p.maxThreadsPerMultiProcessor = 2048;
  p.maxBlocksPerMultiProcessor = 32;
  p.maxThreadsDim[0] = p.maxThreadsDim[1] = 1024;
  p.maxThreadsDim[2] = 64;
  p.maxGridSize[0] = 0x7fffffff;
  p.maxGridSize[1] = p.maxGridSize[2] = 65535;
  p.major = 9;
  p.multiProcessorCount = 4;
  p.canMapHostMemory = p.unifiedAddressing = p.concurrentKernels = 1;
  p.memoryBusWidth = 512;
  p.l2CacheSize = 4 << 20;
  *properties = p;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  cudaDeviceProp p = {};
  if (const cudaError_t error = cudaGetDeviceProperties(&p, device); error != cudaSuccess) return error;
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock:
      *value = p.maxThreadsPerBlock;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      *value = static_cast<int>(p.sharedMemPerBlock);
      break;
    case cudaDevAttrWarpSize:
      *value = p.warpSize;
      break;
    case cudaDevAttrClockRate:
      *value = 1'000'000;
      break;  // kHz
    case cudaDevAttrMultiProcessorCount:
      *value = p.multiProcessorCount;
      break;
    case cudaDevAttrIntegrated:
      *value = p.integrated;
      break;
    case cudaDevAttrCanMapHostMemory:
      *value = p.canMapHostMemory;
      break;
    case cudaDevAttrMemoryClockRate:
      *value = 1'000'000;
      break;  // kHz
    case cudaDevAttrGlobalMemoryBusWidth:
      *value = p.memoryBusWidth;
      break;
    case cudaDevAttrL2CacheSize:
      *value = p.l2CacheSize;
      break;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      *value = p.maxThreadsPerMultiProcessor;
      break;
    case cudaDevAttrComputeCapabilityMajor:
      *value = p.major;
      break;
    case cudaDevAttrComputeCapabilityMinor:
      *value = p.minor;
      break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      *value = static_cast<int>(p.sharedMemPerMultiprocessor);
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = static_cast<int>(p.sharedMemPerBlockOptin);
      break;
    default:
      return noted(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  const cudaError_t error = emulated::device_error();
  *version = error == cudaSuccess ? kDriverVersion : 0;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
