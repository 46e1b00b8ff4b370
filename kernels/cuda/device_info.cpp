#include "kernels/cuda/device_info.h"

#include "engine/base/check.h"
#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/device.h"

namespace draftscope {
namespace cuda {
namespace {

std::string version(int number) { return fmt::format("{}.{}", number / 1000, number % 1000 / 10); }

}  // namespace

std::string no_device_reason(cudaError_t status, int driver, int runtime) {
  if (status == cudaErrorInsufficientDriver && driver == 0) return "no NVIDIA driver is installed";
  if (status == cudaErrorInsufficientDriver) {
    return fmt::format("the NVIDIA driver supports CUDA {}, expected {} or newer", version(driver), version(runtime));
  }
  if (status == cudaErrorNoDevice) return "the NVIDIA driver sees no GPU";
  if (status == cudaErrorStubLibrary) return "the driver library found is the toolkit's stub, expected the driver's own";
  return fmt::format("{} ({})", cudaGetErrorString(status), cudaGetErrorName(status));
}

bool can_overlap() { return device_attribute(cudaDevAttrComputeCapabilityMajor) >= 9; }

}  // namespace cuda

Result<std::string> cuda_device() {
  int n_devices = 0, driver = 0, runtime = 0;
  const cudaError_t status = cudaGetDeviceCount(&n_devices);
  (void)cudaGetLastError();  // a normal answer must not stay behind as the last error
  if (status != cudaSuccess || n_devices == 0) {
    (void)cudaDriverGetVersion(&driver);
    (void)cudaRuntimeGetVersion(&runtime);
    const cudaError_t found = status == cudaSuccess ? cudaErrorNoDevice : status;
    return fail("no CUDA device: {}", cuda::no_device_reason(found, driver, runtime));
  }
  cudaDeviceProp device = {};
  if (const cudaError_t read = cudaGetDeviceProperties(&device, 0); read != cudaSuccess) {
    return fail("no CUDA device: {}", cuda::no_device_reason(read, driver, runtime));
  }
  if (device.major < cuda::kMinMajor) {
    return fail("no CUDA device: {} has compute capability {}.{}, expected {}.0 or newer", device.name, device.major,
                device.minor, cuda::kMinMajor);
  }
  return fmt::format("{}, sm_{}{}, {} GiB", device.name, device.major, device.minor, device.totalGlobalMem >> 30);
}

}  // namespace draftscope
