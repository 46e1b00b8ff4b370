// What streams, events and graphs are made of here.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "api.h"

namespace emulated {

using Work = std::vector<std::function<void()>>;

/// Work being recorded instead of run.
struct Capture {
  cudaStream_t origin = nullptr;
  bool relaxed = false, valid = true;
  Work work;
};

/// One call at a time.
std::recursive_mutex& mutex();
/// Remembers the error for cudaGetLastError and returns it.
cudaError_t noted(cudaError_t error);
/// What every call fails with while there is no device.
cudaError_t device_error();
/// The error of a call that may not be made while a stream of this process captures; it spoils the capture.
cudaError_t unsafe_while_capturing();
/// Runs the work, or records it if the stream captures.
cudaError_t submit(cudaStream_t stream, std::function<void()> work);

}  // namespace emulated

struct CUstream_st {
  bool blocking = true;  // waits for the null stream
  std::shared_ptr<emulated::Capture> capture;
};
struct CUevent_st {
  bool timed = true, recorded = false;
  int64_t at_ns = 0;
  std::weak_ptr<emulated::Capture> capture;  // recorded while capturing: only a dependence
};
struct CUgraph_st {
  emulated::Work work;
};
struct CUgraphExec_st {
  emulated::Work work;
};
