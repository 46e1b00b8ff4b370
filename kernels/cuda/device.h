// What the CUDA code stands on: checked calls, and memory, streams, events and graphs that free themselves.
// Free of fmt, which nvcc cannot read.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <utility>

#define CUDA_CHECK(call) ::draftscope::cuda::check_call((call), #call, __FILE__, __LINE__)

namespace draftscope::cuda {

/// Stops the program with the call and CUDA's own words unless `status` is success: inside the engine a failed call is a
/// bug or a lost device.
void check_call(cudaError_t status, const char* call, const char* file, int line);

/// What the current device says of itself.
int device_attribute(cudaDeviceAttr attribute);
/// Dynamic shared memory that a thread block may have there, at most; asked once.
size_t most_shared_bytes();

/// What allocating `n_bytes` of device memory throws when there is not so much: one sentence in what().
class OutOfMemory : public std::bad_alloc {
 public:
  explicit OutOfMemory(size_t n_bytes);
  const char* what() const noexcept override { return sentence_.c_str(); }

 private:
  std::string sentence_;
};

/// Device memory of n elements; contents undefined. Throws OutOfMemory.
template <class T>
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  explicit DeviceBuffer(size_t n) : n_(n) {
    if (n == 0) return;
    void* memory = nullptr;
    const cudaError_t status = cudaMalloc(&memory, n * sizeof(T));
    if (status == cudaErrorMemoryAllocation) {
      (void)cudaGetLastError();
      throw OutOfMemory(n * sizeof(T));
    }
    CUDA_CHECK(status);
    data_ = static_cast<T*>(memory);
  }
  DeviceBuffer(DeviceBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), n_(std::exchange(other.n_, 0)) {}
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(n_, other.n_);
    return *this;
  }
  ~DeviceBuffer() { (void)cudaFree(data_); }

  T* data() const { return data_; }
  size_t size() const { return n_; }
  size_t n_bytes() const { return n_ * sizeof(T); }

 private:
  T* data_ = nullptr;
  size_t n_ = 0;
};

/// Page-locked host memory that the device also sees, at device().
template <class T>
class PinnedBuffer {
 public:
  PinnedBuffer() = default;
  explicit PinnedBuffer(size_t n) : n_(n) {
    if (n == 0) return;
    void *memory = nullptr, *seen = nullptr;
    CUDA_CHECK(cudaHostAlloc(&memory, n * sizeof(T), cudaHostAllocMapped));
    host_ = static_cast<T*>(memory);
    CUDA_CHECK(cudaHostGetDevicePointer(&seen, memory, 0));
    device_ = static_cast<T*>(seen);
  }
  PinnedBuffer(PinnedBuffer&& other) noexcept
      : host_(std::exchange(other.host_, nullptr)),
        device_(std::exchange(other.device_, nullptr)),
        n_(std::exchange(other.n_, 0)) {}
  PinnedBuffer& operator=(PinnedBuffer&& other) noexcept {
    std::swap(host_, other.host_);
    std::swap(device_, other.device_);
    std::swap(n_, other.n_);
    return *this;
  }
  ~PinnedBuffer() { (void)cudaFreeHost(host_); }

  T* host() const { return host_; }
  T* device() const { return device_; }
  size_t size() const { return n_; }

 private:
  T *host_ = nullptr, *device_ = nullptr;
  size_t n_ = 0;
};

/// A flag that is up as long as this lives, whatever is thrown meanwhile.
class Raised {
 public:
  explicit Raised(bool& flag) : flag_(flag) { flag_ = true; }
  Raised(const Raised&) = delete;
  Raised& operator=(const Raised&) = delete;
  ~Raised() { flag_ = false; }

 private:
  bool& flag_;
};

/// Owns one CUDA handle; Destroy frees it.
template <class Handle, auto Destroy>
class Owned {
 public:
  Owned() = default;
  explicit Owned(Handle handle) : handle_(handle) {}
  Owned(Owned&& other) noexcept : handle_(std::exchange(other.handle_, Handle{})) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Owned() {
    if (handle_ != Handle{}) (void)Destroy(handle_);
  }
  Handle get() const { return handle_; }
  explicit operator bool() const { return handle_ != Handle{}; }

 private:
  Handle handle_{};
};

using Stream = Owned<cudaStream_t, cudaStreamDestroy>;
using Event = Owned<cudaEvent_t, cudaEventDestroy>;
using GraphExec = Owned<cudaGraphExec_t, cudaGraphExecDestroy>;

/// A stream that waits for no other.
inline Stream make_stream() {
  cudaStream_t stream = nullptr;
  CUDA_CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  return Stream(stream);
}

inline Event make_event() {
  cudaEvent_t event = nullptr;
  CUDA_CHECK(cudaEventCreate(&event));
  return Event(event);
}

/// Records what `work` puts on `stream` instead of running it, ready to be launched again and again.
template <class Work>
GraphExec capture(cudaStream_t stream, const Work& work) {
  CUDA_CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  work();
  cudaGraph_t graph = nullptr;
  CUDA_CHECK(cudaStreamEndCapture(stream, &graph));
  cudaGraphExec_t executable = nullptr;
  const cudaError_t status = cudaGraphInstantiate(&executable, graph, 0);
  (void)cudaGraphDestroy(graph);
  CUDA_CHECK(status);
  return GraphExec(executable);
}

}  // namespace draftscope::cuda
