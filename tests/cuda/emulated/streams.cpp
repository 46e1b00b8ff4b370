#include "streams.h"

#include <algorithm>
#include <set>

#include "memory.h"
#include "mma.h"

namespace emulated {
namespace {

std::set<cudaStream_t>& streams() {
  static auto* const streams = new std::set<cudaStream_t>;
  return *streams;
}
bool is_stream(cudaStream_t stream) { return stream == nullptr || streams().contains(stream); }

cudaError_t invalidate(Capture& capture, cudaError_t error) {
  capture.valid = false;
  return error;
}

}  // namespace

std::recursive_mutex& mutex() {
  static auto* const mutex = new std::recursive_mutex;
  return *mutex;
}

cudaError_t unsafe_while_capturing() {
  for (cudaStream_t stream : streams()) {
    if (stream->capture && !stream->capture->relaxed)
      return invalidate(*stream->capture, cudaErrorStreamCaptureUnsupported);
  }
  return cudaSuccess;
}

cudaError_t submit(cudaStream_t stream, std::function<void()> work) {
  if (device_error() != cudaSuccess) return device_error();
  if (!is_stream(stream)) return cudaErrorInvalidResourceHandle;
  if (stream != nullptr && stream->capture) {
    if (!stream->capture->valid) return cudaErrorStreamCaptureInvalidated;
    stream->capture->work.push_back(std::move(work));
    return cudaSuccess;
  }
  for (cudaStream_t other : streams()) {  // the null stream would have to wait for what is being recorded
    if (stream == nullptr && other->capture && other->blocking)
      return invalidate(*other->capture, cudaErrorStreamCaptureImplicit);
  }
  const Touching touching;
  work();
  return cudaSuccess;
}

}  // namespace emulated

using emulated::Capture;
using emulated::noted;
using Lock = std::lock_guard<std::recursive_mutex>;

// ---- streams ------------------------------------------------------------------------------------------
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  const Lock lock(emulated::mutex());
  if (emulated::device_error() != cudaSuccess) return noted(emulated::device_error());
  *stream = new CUstream_st{flags != cudaStreamNonBlocking, nullptr};
  emulated::streams().insert(*stream);
  return cudaSuccess;
}
cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int) {
  return cudaStreamCreateWithFlags(stream, flags);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const Lock lock(emulated::mutex());
  if (emulated::streams().erase(stream) == 0) return noted(cudaErrorInvalidResourceHandle);
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const Lock lock(emulated::mutex());
  if (emulated::device_error() != cudaSuccess) return noted(emulated::device_error());
  if (!emulated::is_stream(stream)) return noted(cudaErrorInvalidResourceHandle);
  if (stream == nullptr) return noted(emulated::unsafe_while_capturing());
  if (stream->capture)
    return noted(emulated::invalidate(*stream->capture, cudaErrorStreamCaptureUnsupported));
  return cudaSuccess;
}
cudaError_t cudaStreamQuery(cudaStream_t stream) { return cudaStreamSynchronize(stream); }

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  const Lock lock(emulated::mutex());
  if (!emulated::is_stream(stream) || event == nullptr) return noted(cudaErrorInvalidResourceHandle);
  const std::shared_ptr<Capture> capture = event->capture.lock();
  if (!capture)
    return stream != nullptr && stream->capture && event->recorded ? noted(cudaErrorStreamCaptureIsolation)
                                                                   : cudaSuccess;
  if (stream == nullptr) return noted(cudaErrorStreamCaptureImplicit);
  if (stream->capture && stream->capture != capture) return noted(cudaErrorStreamCaptureMerge);
  stream->capture = capture;  // joins
  return cudaSuccess;
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* user_data) {
  const Lock lock(emulated::mutex());
  return noted(emulated::submit(stream, [=] { function(user_data); }));
}

// ---- events -------------------------------------------------------------------------------------------
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  if (emulated::device_error() != cudaSuccess) return noted(emulated::device_error());
  *event = new CUevent_st{(flags & cudaEventDisableTiming) == 0, false, 0, {}};
  return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const Lock lock(emulated::mutex());
  if (event == nullptr || !emulated::is_stream(stream)) return noted(cudaErrorInvalidResourceHandle);
  event->capture.reset();
  if (stream != nullptr && stream->capture) {
    event->capture = stream->capture;
    return cudaSuccess;
  }
  event->recorded = true;
  event->at_ns = static_cast<int64_t>(emulated::now_ns());
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const Lock lock(emulated::mutex());
  if (event == nullptr) return noted(cudaErrorInvalidResourceHandle);
  return event->capture.expired() ? cudaSuccess : noted(cudaErrorCapturedEvent);
}
cudaError_t cudaEventQuery(cudaEvent_t event) { return cudaEventSynchronize(event); }

cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t start, cudaEvent_t end) {
  const Lock lock(emulated::mutex());
  if (start == nullptr || end == nullptr || !start->timed || !end->timed || !start->recorded ||
      !end->recorded) {
    return noted(cudaErrorInvalidResourceHandle);
  }
  *ms = static_cast<float>(end->at_ns - start->at_ns) * 1e-6f;
  return cudaSuccess;
}

// ---- graphs -------------------------------------------------------------------------------------------
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  const Lock lock(emulated::mutex());
  if (stream == nullptr) return noted(cudaErrorStreamCaptureUnsupported);
  if (!emulated::is_stream(stream)) return noted(cudaErrorInvalidResourceHandle);
  if (stream->capture) return noted(cudaErrorIllegalState);
  stream->capture =
      std::make_shared<Capture>(Capture{stream, mode == cudaStreamCaptureModeRelaxed, true, {}});
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const Lock lock(emulated::mutex());
  *graph = nullptr;
  if (stream == nullptr || !emulated::is_stream(stream) || !stream->capture)
    return noted(cudaErrorIllegalState);
  const std::shared_ptr<Capture> capture = stream->capture;
  if (capture->origin != stream) return noted(cudaErrorStreamCaptureUnmatched);
  for (cudaStream_t other : emulated::streams()) {
    if (other->capture == capture) other->capture.reset();
  }
  if (!capture->valid) return noted(cudaErrorStreamCaptureInvalidated);
  *graph = new CUgraph_st{std::move(capture->work)};
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  const Lock lock(emulated::mutex());
  *status = cudaStreamCaptureStatusNone;
  if (stream == nullptr || !stream->capture) return cudaSuccess;
  *status = stream->capture->valid ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusInvalidated;
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  if (graph == nullptr) return noted(cudaErrorInvalidValue);
  *executable = new CUgraphExec_st{graph->work};
  return cudaSuccess;
}
cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) { return cudaSuccess; }

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  const Lock lock(emulated::mutex());
  if (executable == nullptr) return noted(cudaErrorInvalidValue);
  return noted(emulated::submit(stream, [work = executable->work] {
    for (const auto& step : work) step();
  }));
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* n_nodes) {
  if (graph == nullptr || nodes != nullptr) return noted(cudaErrorInvalidValue);
  *n_nodes = graph->work.size();
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}
