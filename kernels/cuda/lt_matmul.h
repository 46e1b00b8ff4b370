// Products of many rows by whichever is faster on this GPU: cuBLASLt, opened at run time, or our own kernels. What is
// chosen is timed on the stream at the first use of a shape, outside graph capture, and kept in a file.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/base/check.h"
#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/matmul.h"
#include "kernels/cuda/product_choice.h"

namespace draftscope::cuda {

struct LtTable;  // cublaslt.h

/// Seconds that `work` takes on `stream`, of several runs; `before` runs ahead of each of them and is not counted.
using TimeWork =
    std::function<double(cudaStream_t stream, const std::function<void()>& before, const std::function<void()>& work)>;
/// The median of five, by the device's events, after one to warm up. Waits for the stream; not while it is captured.
double time_by_events(cudaStream_t stream, const std::function<void()>& before, const std::function<void()>& work);

/// The second implementation of a backend's products.
struct FastMatmul {
  /// Enqueues a product that fast_takes and answers true. Or answers false, with nothing enqueued: our own kernels are
  /// faster, or a shape that was not used before is being captured. workspace: fast_workspace_bytes, 256-byte aligned;
  /// args.workspace as for our own product. Works inside graph capture; the first use of a shape waits for the stream.
  std::function<bool(const MatmulArgs& args, void* workspace, cudaStream_t stream)> run;
  std::string library;  // e.g. "cuBLASLt 13.0.2"
  std::string note;     // one sentence when something is not as it should be; else empty
};

/// True for what cuBLASLt may compute: bf16 weights and activations, more rows than one block of our own kernels has,
/// out = y or out += y. The gated MLP's product stays ours: its end is fused, and no memory for its sums is needed.
inline bool fast_takes(const MatmulArgs& args) {
  return args.x.rows > kTileRows && args.w.is_bf16 && args.precision == Precision::kBf16 &&
         args.epilogue != Epilogue::kSwiGlu;
}
/// The library's own memory, then activations as bf16, (row_bucket(rows), n_in).
constexpr int64_t kFastLibraryBytes = int64_t{32} << 20;
inline int64_t fast_workspace_bytes(int32_t rows, int32_t n_in) {
  return kFastLibraryBytes + int64_t{2} * row_bucket(rows) * n_in;
}

/// With cuBLASLt as the system has it; choices are kept below `cache_folder`, nowhere when that is empty. One sentence
/// where there is no cuBLASLt or it does not start; a file of choices that cannot be read or written is a note.
Result<FastMatmul> open_fast_matmul(const std::string& cache_folder);
using OpenFastMatmul = std::function<Result<FastMatmul>(const std::string& cache_folder)>;

/// The same with these functions of cuBLASLt and this clock.
Result<FastMatmul> make_fast_matmul(const LtTable& lt, const std::string& cache_folder, TimeWork time);

/// make_cuda_backend of cuda_backend.h; `open` is called for Numerics::kFastest alone.
Result<std::unique_ptr<Backend>> make_cuda_backend(const CudaOptions& options, const OpenFastMatmul& open);

}  // namespace draftscope::cuda
