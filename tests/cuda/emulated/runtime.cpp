// Launches, memory and copies.
#include <fmt/format.h>

#include <atomic>
#include <cstring>
#include <map>
#include <set>

#include "block.h"
#include "control.h"
#include "launch_kernel.h"
#include "memory.h"
#include "streams.h"

namespace emulated {
namespace {

constexpr size_t kSharedBytes = 48 * 1024;  // without cudaFuncSetAttribute
constexpr int kMaxThreads = 1024;
constexpr unsigned kMaxGridYz = 65535;

thread_local cudaError_t last_error = cudaSuccess;
std::atomic<cudaError_t> every_error = cudaSuccess, use_error = cudaSuccess;
std::atomic<int64_t> launched = 0;
void run_on_host(const Launch& launch, std::span<const std::byte>) { run_blocks(launch); }
constinit RunLaunch run_launch = &run_on_host;

std::set<const void*>& host_kernels() {
  static auto* const kernels = new std::set<const void*>;
  return *kernels;
}

/// Dynamic shared memory a kernel may ask for.
std::map<const void*, size_t>& shared_limits() {
  static auto* const limits = new std::map<const void*, size_t>;
  return *limits;
}
size_t shared_limit(const void* kernel) {
  const auto found = shared_limits().find(kernel);
  return found == shared_limits().end() ? kSharedBytes : found->second;
}

void check_pointers(const Launch& launch, const std::vector<const void*>& pointers) {
  for (size_t i = 0; i < pointers.size(); ++i) {
    if (pointers[i] == nullptr || is_inside(pointers[i], 1) ||
        is_inside(static_cast<const char*>(pointers[i]) - 1, 1))
      continue;
    fail(fmt::format("{}: pointer parameter {} of {} is neither device nor pinned memory", describe(launch),
                     i + 1, pointers.size()));
  }
}

/// One copy of `height` rows.
struct Copy {
  void* to;
  size_t to_pitch;
  const void* from;
  size_t from_pitch, width, height;
};

cudaError_t check_copy(const Copy& c, cudaMemcpyKind kind) {
  if (c.width == 0 || c.height == 0) return cudaSuccess;
  if (c.height > 1 && (c.width > c.to_pitch || c.width > c.from_pitch)) return cudaErrorInvalidPitchValue;
  const size_t n_to = (c.height - 1) * c.to_pitch + c.width, n_from = (c.height - 1) * c.from_pitch + c.width;
  const Reach to = reach(c.to), from = reach(c.from);
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  if (kind != cudaMemcpyDefault) {
    if (to == (to_device ? Reach::kHostOnly : Reach::kDevice)) return cudaErrorInvalidValue;
    if (from == (from_device ? Reach::kHostOnly : Reach::kDevice)) return cudaErrorInvalidValue;
  }
  if (to != Reach::kHostOnly && !is_inside(c.to, n_to)) return cudaErrorInvalidValue;
  if (from != Reach::kHostOnly && !is_inside(c.from, n_from)) return cudaErrorInvalidValue;
  return cudaSuccess;
}

cudaError_t copy(const Copy& c, cudaMemcpyKind kind, cudaStream_t stream) {
  const std::lock_guard lock(mutex());
  if (device_error() != cudaSuccess) return noted(device_error());
  if (const cudaError_t error = check_copy(c, kind); error != cudaSuccess) return noted(error);
  return noted(submit(stream, [c] {
    for (size_t row = 0; row < c.height; ++row) {
      std::memmove(static_cast<char*>(c.to) + row * c.to_pitch,
                   static_cast<const char*>(c.from) + row * c.from_pitch, c.width);
    }
  }));
}

cudaError_t new_memory(void** memory, size_t n, Reach reach) {
  const std::lock_guard lock(mutex());
  if (device_error() != cudaSuccess) return noted(device_error());
  if (const cudaError_t error = unsafe_while_capturing(); error != cudaSuccess) return noted(error);
  *memory = nullptr;
  if (n == 0) return cudaSuccess;
  *memory = allocate(n, reach);
  return noted(*memory == nullptr ? cudaErrorMemoryAllocation : cudaSuccess);
}

cudaError_t old_memory(void* memory, Reach reach) {
  const std::lock_guard lock(mutex());
  if (memory == nullptr) return noted(device_error() != cudaSuccess ? device_error() : use_error.load());
  if (const cudaError_t error = unsafe_while_capturing(); error != cudaSuccess) return noted(error);
  return noted(release(memory, reach) ? cudaSuccess : cudaErrorInvalidValue);
}

}  // namespace

cudaError_t noted(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}
cudaError_t device_error() { return every_error; }
void set_device_error(cudaError_t error) { every_error = error; }
void set_use_error(cudaError_t error) { use_error = error; }
int64_t n_launches() { return launched; }

void run_launches_by(RunLaunch run) { run_launch = run; }
void stays_on_host(const void* kernel) { host_kernels().insert(kernel); }

cudaError_t launch(const cudaLaunchConfig_t& config, const void* kernel, Parameters parameters, std::function<void()> body) {
  const std::lock_guard lock(mutex());
  const dim3 g = config.gridDim, b = config.blockDim;
  if (kernel == nullptr) return noted(cudaErrorInvalidDeviceFunction);
  if (g.x == 0 || g.y == 0 || g.z == 0 || g.x > 0x7fffffffu || g.y > kMaxGridYz || g.z > kMaxGridYz) {
    return noted(cudaErrorInvalidConfiguration);
  }
  if (b.x == 0 || b.y == 0 || b.z == 0 || b.z > 64 || uint64_t{b.x} * b.y * b.z > kMaxThreads) {
    return noted(cudaErrorInvalidConfiguration);
  }
  if (config.dynamicSmemBytes > shared_limit(kernel)) return noted(cudaErrorInvalidValue);
  bool overlaps = false;
  for (unsigned i = 0; i < config.numAttrs; ++i) {
    const cudaLaunchAttribute& attribute = config.attrs[i];
    overlaps = overlaps || (attribute.id == cudaLaunchAttributeProgrammaticStreamSerialization &&
                            attribute.val.programmaticStreamSerializationAllowed != 0);
  }
  const Launch run = {g, b, config.dynamicSmemBytes, overlaps, kernel, std::move(body)};
  return noted(submit(config.stream, [run, parameters = std::move(parameters)] {
    check_pointers(run, parameters.pointers);
    (host_kernels().contains(run.kernel) ? run_on_host : run_launch)(run, parameters.bytes);
    ++launched;
    check_guards([&run] { return "after " + describe(run); });
  }));
}

}  // namespace emulated

using emulated::noted;
using emulated::Reach;

cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  const std::lock_guard lock(emulated::mutex());
  if (emulated::device_error() != cudaSuccess) return noted(emulated::device_error());
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaSuccess;
  if (value < 0 || static_cast<size_t>(value) > emulated::kMaxSharedBytes)
    return noted(cudaErrorInvalidValue);
  emulated::shared_limits()[kernel] = static_cast<size_t>(value);
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize() {
  const std::lock_guard lock(emulated::mutex());
  if (emulated::device_error() != cudaSuccess) return noted(emulated::device_error());
  emulated::check_guards([] { return std::string("at cudaDeviceSynchronize"); });
  return noted(emulated::unsafe_while_capturing());
}

// ---- memory -------------------------------------------------------------------------------------------
cudaError_t cudaMalloc(void** memory, size_t n) { return emulated::new_memory(memory, n, Reach::kDevice); }
cudaError_t cudaFree(void* memory) { return emulated::old_memory(memory, Reach::kDevice); }
cudaError_t cudaMallocAsync(void** memory, size_t n, cudaStream_t) { return cudaMalloc(memory, n); }
cudaError_t cudaFreeAsync(void* memory, cudaStream_t) { return cudaFree(memory); }
cudaError_t cudaHostAlloc(void** memory, size_t n, unsigned) {
  return emulated::new_memory(memory, n, Reach::kBoth);
}
cudaError_t cudaMallocHost(void** memory, size_t n, unsigned flags) {
  return cudaHostAlloc(memory, n, flags);
}
cudaError_t cudaFreeHost(void* memory) { return emulated::old_memory(memory, Reach::kBoth); }

cudaError_t cudaHostGetDevicePointer(void** seen, void* memory, unsigned) {
  const std::lock_guard lock(emulated::mutex());
  *seen = nullptr;
  if (emulated::reach(memory) != Reach::kBoth) return noted(cudaErrorInvalidValue);
  *seen = memory;
  return cudaSuccess;
}

cudaError_t cudaHostRegister(void* memory, size_t n, unsigned) {
  const std::lock_guard lock(emulated::mutex());
  if (emulated::device_error() != cudaSuccess) return noted(emulated::device_error());
  return noted(emulated::register_host(memory, n) ? cudaSuccess : cudaErrorHostMemoryAlreadyRegistered);
}
cudaError_t cudaHostUnregister(void* memory) {
  const std::lock_guard lock(emulated::mutex());
  return noted(emulated::unregister_host(memory) ? cudaSuccess : cudaErrorHostMemoryNotRegistered);
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  const std::lock_guard lock(emulated::mutex());
  if (emulated::device_error() != cudaSuccess) return noted(emulated::device_error());
  *total = emulated::memory_bytes();
  *free = *total - emulated::device_bytes_in_use();
  return cudaSuccess;
}

// ---- copies -------------------------------------------------------------------------------------------
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t n, cudaMemcpyKind kind, cudaStream_t stream) {
  return emulated::copy({to, n, from, n, n, 1}, kind, stream);
}
cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width,
                              size_t height, cudaMemcpyKind kind, cudaStream_t stream) {
  return emulated::copy({to, to_pitch, from, from_pitch, width, height}, kind, stream);
}
cudaError_t cudaMemcpy2D(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width,
                         size_t height, cudaMemcpyKind kind) {
  const std::lock_guard lock(emulated::mutex());
  if (const cudaError_t error = emulated::unsafe_while_capturing(); error != cudaSuccess) return noted(error);
  return cudaMemcpy2DAsync(to, to_pitch, from, from_pitch, width, height, kind, nullptr);
}
cudaError_t cudaMemcpy(void* to, const void* from, size_t n, cudaMemcpyKind kind) {
  return cudaMemcpy2D(to, n, from, n, n, 1, kind);
}

cudaError_t cudaMemsetAsync(void* memory, int value, size_t n, cudaStream_t stream) {
  const std::lock_guard lock(emulated::mutex());
  if (emulated::device_error() != cudaSuccess) return noted(emulated::device_error());
  if (n != 0 && !emulated::is_inside(memory, n)) return noted(cudaErrorInvalidValue);
  return noted(emulated::submit(stream, [=] {
    if (n != 0) std::memset(memory, value, n);  // of nothing, `memory` may be null
  }));
}
cudaError_t cudaMemset(void* memory, int value, size_t n) {
  const std::lock_guard lock(emulated::mutex());
  if (const cudaError_t error = emulated::unsafe_while_capturing(); error != cudaSuccess) return noted(error);
  return cudaMemsetAsync(memory, value, n, nullptr);
}

// ---- errors -------------------------------------------------------------------------------------------
cudaError_t cudaGetLastError() { return std::exchange(emulated::last_error, cudaSuccess); }
cudaError_t cudaPeekAtLastError() { return emulated::last_error; }
