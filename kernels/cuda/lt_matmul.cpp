#include "kernels/cuda/lt_matmul.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/base/file_map.h"
#include "kernels/cuda/cublaslt.h"
#include "kernels/cuda/device.h"
#include "kernels/cuda/lt_rows.h"

namespace draftscope::cuda {
namespace {

constexpr int kMaxCandidates = 8;       // of the library's proposals, its own favourite first
constexpr uint32_t kOutAlignment = 16;  // bytes, of results
constexpr uint32_t kInAlignment = 256;  // of what is multiplied, as the library expects; weights have it
constexpr int kSmallNumbers = 0x3c;     // every byte: 0.0115 as float32 and as bf16, so that sums stay finite

template <class Handle>
using LtOwned = std::unique_ptr<std::remove_pointer_t<Handle>, cublasStatus_t (*)(Handle)>;

/// A product as the library sees it: column by column, out^T (n_out, rows) = w (n_out, n_in) x^T (n_in, rows).
struct LtProblem {
  LtOwned<cublasLtMatmulDesc_t> product;
  LtOwned<cublasLtMatrixLayout_t> w, x, out;
};

static_assert(sizeof(Algorithm) == sizeof(cublasLtMatmulAlgo_t) && std::is_trivially_copyable_v<cublasLtMatmulAlgo_t>);

bool is_capturing(cudaStream_t stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  CUDA_CHECK(cudaStreamIsCapturing(stream, &status));
  return status != cudaStreamCaptureStatusNone;
}

/// Activations and results of a bucket's rows, and as much memory beside them as pushes weights out of the L2 cache: in
/// a pass other weights were read since.
class Trial {
 public:
  Trial(const MatmulArgs& args, const ProductKey& key) : args_(args) {
    const size_t rows = static_cast<size_t>(key.rows);
    const auto act_of = [&](int32_t cols) {
      memory_.emplace_back(rows * static_cast<size_t>(cols + n_square_pieces(cols)));
      float* data = memory_.back().data();
      CUDA_CHECK(cudaMemset(data, kSmallNumbers, memory_.back().n_bytes()));
      return Act{data, key.rows, cols, data + rows * static_cast<size_t>(cols)};
    };
    args_.x = act_of(key.n_in);
    if (args.x.bf16 != nullptr) {
      args_.x.bf16 = reinterpret_cast<uint16_t*>(args_.x.data);
      args_.x.data = nullptr;
    }
    args_.out = act_of(key.n_out);
    if (args.out.squares == nullptr) args_.out.squares = nullptr;
    cudaDeviceProp device = {};
    CUDA_CHECK(cudaGetDeviceProperties(&device, 0));
    cold_ = DeviceBuffer<std::byte>(2 * static_cast<size_t>(device.l2CacheSize));
    CUDA_CHECK(cudaStreamSynchronize(nullptr));  // the backend's stream does not wait for this one
  }
  const MatmulArgs& args() const { return args_; }
  void cool(cudaStream_t stream) const { CUDA_CHECK(cudaMemsetAsync(cold_.data(), 0, cold_.n_bytes(), stream)); }

 private:
  MatmulArgs args_;
  std::vector<DeviceBuffer<float>> memory_;
  DeviceBuffer<std::byte> cold_;
};

class LtMatmul {
 public:
  LtMatmul(const LtTable& lt, cublasLtHandle_t handle, TimeWork time)
      : lt_(lt), handle_(handle, lt.destroy), time_(std::move(time)) {}

  /// Reads what is kept for this GPU, driver and library; one sentence when that, or keeping more, cannot be done.
  std::string remember(const std::string& cache_folder);
  bool run(const MatmulArgs& args, void* workspace, cudaStream_t stream);

 private:
  struct Ready {
    LtProblem problem;
    std::optional<Algorithm> algorithm;  // nothing: ours
  };
  void check(cublasStatus_t status, const char* call) const {
    DS_CHECK(status == CUBLAS_STATUS_SUCCESS, "{}: {}", call, lt_.status_string(status));
  }
  LtOwned<cublasLtMatrixLayout_t> layout(cudaDataType_t type, int32_t rows, int32_t cols) const;
  LtProblem problem_of(const ProductKey& key) const;
  std::vector<Algorithm> candidates(const LtProblem& problem) const;
  bool fits(const LtProblem& problem, const Algorithm& algorithm) const;
  std::optional<Algorithm> choose(const MatmulArgs& args, const ProductKey& bucket, void* workspace,
                                  cudaStream_t stream) const;
  Ready prepare(const MatmulArgs& args, const ProductKey& key, void* workspace, cudaStream_t stream);
  cublasStatus_t enqueue(const MatmulArgs& args, const LtProblem& problem, const Algorithm& algorithm, void* workspace,
                         cudaStream_t stream) const;

  LtTable lt_;
  LtOwned<cublasLtHandle_t> handle_;
  TimeWork time_;
  ChoicesHoldFor holds_for_;
  std::string path_;                   // of the file of choices; empty: kept nowhere
  ProductChoices choices_;             // by bucket
  std::map<ProductKey, Ready> ready_;  // by the very number of rows
};

std::string LtMatmul::remember(const std::string& cache_folder) {
  cudaDeviceProp device = {};
  int driver = 0;
  CUDA_CHECK(cudaGetDeviceProperties(&device, 0));
  CUDA_CHECK(cudaDriverGetVersion(&driver));
  holds_for_ = {device.name, driver, static_cast<int64_t>(lt_.version())};
  path_ = choices_path(cache_folder, device.name);
  KeptChoices kept = load_choices(path_, holds_for_);
  choices_ = std::move(kept.choices);
  // Written at once, so that a folder that takes no files is said now, while somebody listens.
  const Status saved = path_.empty() ? success() : replace_text(path_, choices_json(holds_for_, choices_));
  if (saved) return kept.note;
  path_.clear();
  return kept.note + (kept.note.empty() ? "" : "; ") + saved.error() + "; new times are not kept";
}

LtOwned<cublasLtMatrixLayout_t> LtMatmul::layout(cudaDataType_t type, int32_t rows, int32_t cols) const {
  cublasLtMatrixLayout_t made = nullptr;
  check(lt_.create_layout(&made, type, static_cast<uint64_t>(rows), static_cast<uint64_t>(cols), rows), "layout");
  return {made, lt_.destroy_layout};
}

LtProblem LtMatmul::problem_of(const ProductKey& key) const {
  cublasLtMatmulDesc_t product = nullptr;
  check(lt_.create_product(&product, CUBLAS_COMPUTE_32F, CUDA_R_32F), "product");
  LtOwned<cublasLtMatmulDesc_t> owned(product, lt_.destroy_product);
  const cublasOperation_t transposed = CUBLAS_OP_T;
  check(lt_.set_product(product, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof transposed), "transposition");
  return {std::move(owned), layout(CUDA_R_16BF, key.n_in, key.n_out), layout(CUDA_R_16BF, key.n_in, key.rows),
          layout(CUDA_R_32F, key.n_out, key.rows)};
}

std::vector<Algorithm> LtMatmul::candidates(const LtProblem& problem) const {
  cublasLtMatmulPreference_t preference = nullptr;
  check(lt_.create_preference(&preference), "preference");
  const LtOwned<cublasLtMatmulPreference_t> owned(preference, lt_.destroy_preference);
  const auto set = [&](cublasLtMatmulPreferenceAttributes_t attribute, const auto& value) {
    check(lt_.set_preference(preference, attribute, &value, sizeof value), "preference");
  };
  set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, static_cast<uint64_t>(kFastLibraryBytes));
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, kOutAlignment);
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, kOutAlignment);
  std::array<cublasLtMatmulHeuristicResult_t, kMaxCandidates> proposed = {};
  int n_proposed = 0;
  const cublasStatus_t status =
      lt_.heuristics(handle_.get(), problem.product.get(), problem.w.get(), problem.x.get(), problem.out.get(),
                     problem.out.get(), preference, kMaxCandidates, proposed.data(), &n_proposed);
  if (status != CUBLAS_STATUS_SUCCESS) return {};  // the library has nothing for this shape: it is ours
  std::vector<Algorithm> algorithms;
  for (int i = 0; i < n_proposed; ++i) {
    if (proposed[static_cast<size_t>(i)].state != CUBLAS_STATUS_SUCCESS) continue;
    std::memcpy(&algorithms.emplace_back(), &proposed[static_cast<size_t>(i)].algo, sizeof(Algorithm));
  }
  return algorithms;
}

cublasLtMatmulAlgo_t as_library(const Algorithm& algorithm) {
  cublasLtMatmulAlgo_t same;
  std::memcpy(&same, &algorithm, sizeof same);
  return same;
}

// An algorithm was chosen with a bucket's rows, perhaps in an earlier run of the program.
bool LtMatmul::fits(const LtProblem& problem, const Algorithm& algorithm) const {
  const cublasLtMatmulAlgo_t algo = as_library(algorithm);
  cublasLtMatmulHeuristicResult_t found = {};
  const cublasStatus_t status = lt_.check(handle_.get(), problem.product.get(), problem.w.get(), problem.x.get(),
                                          problem.out.get(), problem.out.get(), &algo, &found);
  return status == CUBLAS_STATUS_SUCCESS && found.workspaceSize <= static_cast<size_t>(kFastLibraryBytes);
}

// Timed as the product was first asked for, with its norm and its end: a shape has one use in most models.
std::optional<Algorithm> LtMatmul::choose(const MatmulArgs& args, const ProductKey& bucket, void* workspace,
                                          cudaStream_t stream) const {
  const LtProblem problem = problem_of(bucket);
  const std::vector<Algorithm> proposed = candidates(problem);
  const Trial trial(args, bucket);
  const auto cool = [&] { trial.cool(stream); };
  std::vector<double> seconds{time_(stream, cool, [&] { matmul(trial.args(), stream); })};
  for (const Algorithm& algorithm : proposed) {
    bool ran = true;
    const double took = time_(stream, cool, [&] {
      ran = ran && enqueue(trial.args(), problem, algorithm, workspace, stream) == CUBLAS_STATUS_SUCCESS;
    });
    seconds.push_back(ran ? took : std::numeric_limits<double>::infinity());
  }
  CUDA_CHECK(cudaStreamSynchronize(stream));  // the trial's memory goes
  const size_t winner = fastest(seconds);
  return winner == 0 ? std::nullopt : std::optional(proposed[winner - 1]);
}

LtMatmul::Ready LtMatmul::prepare(const MatmulArgs& args, const ProductKey& key, void* workspace, cudaStream_t stream) {
  const ProductKey bucket = {key.n_in, key.n_out, row_bucket(key.rows)};
  auto chosen = choices_.find(bucket);
  if (chosen == choices_.end()) {
    try {
      chosen = choices_.emplace(bucket, choose(args, bucket, workspace, stream)).first;
    } catch (const OutOfMemory&) {
      return {problem_of(key), std::nullopt};  // no memory to compare in: ours, which needs none; nothing is remembered
    }
    // The folder took the file when the program started. Should it not now, the next run times again: nothing is wrong.
    if (!path_.empty()) (void)replace_text(path_, choices_json(holds_for_, choices_));
  }
  Ready ready{problem_of(key), chosen->second};
  if (ready.algorithm && !fits(ready.problem, *ready.algorithm)) ready.algorithm.reset();
  return ready;
}

cublasStatus_t LtMatmul::enqueue(const MatmulArgs& args, const LtProblem& problem, const Algorithm& algorithm,
                                 void* workspace, cudaStream_t stream) const {
  void* x = args.x.bf16;
  if (x == nullptr) {
    x = static_cast<std::byte*>(workspace) + kFastLibraryBytes;
    round_rows(args.x, args.norm_weight, args.eps, x, stream);
  }
  const cublasLtMatmulAlgo_t algo = as_library(algorithm);
  const float one = 1, beta = args.epilogue == Epilogue::kAdd ? 1.0f : 0.0f;
  const cublasStatus_t status =
      lt_.matmul(handle_.get(), problem.product.get(), &one, args.w.data, problem.w.get(), x, problem.x.get(), &beta,
                 args.out.data, problem.out.get(), args.out.data, problem.out.get(), &algo, workspace,
                 static_cast<size_t>(kFastLibraryBytes), stream);
  if (args.epilogue == Epilogue::kAdd && args.out.squares != nullptr) square_rows(args.out, stream);
  return status;
}

bool LtMatmul::run(const MatmulArgs& args, void* workspace, cudaStream_t stream) {
  DS_CHECK(fast_takes(args));
  if (reinterpret_cast<uintptr_t>(args.out.data) % kOutAlignment != 0 ||
      reinterpret_cast<uintptr_t>(args.x.bf16) % kInAlignment != 0) {
    return false;
  }
  const ProductKey key = {args.w.n_in, args.w.n_out, args.x.rows};
  auto ready = ready_.find(key);
  if (ready == ready_.end()) {
    if (is_capturing(stream)) return false;  // nothing is timed inside a graph
    ready = ready_.emplace(key, prepare(args, key, workspace, stream)).first;
  }
  const auto& [problem, algorithm] = ready->second;
  if (!algorithm) return false;
  check(enqueue(args, problem, *algorithm, workspace, stream), "product");
  return true;
}

}  // namespace

double time_by_events(cudaStream_t stream, const std::function<void()>& before, const std::function<void()>& work) {
  constexpr size_t kRuns = 5;
  before();
  work();
  std::array<std::pair<Event, Event>, kRuns> marks;
  for (auto& [begin, end] : marks) {
    begin = make_event();
    end = make_event();
    before();
    CUDA_CHECK(cudaEventRecord(begin.get(), stream));
    work();
    CUDA_CHECK(cudaEventRecord(end.get(), stream));
  }
  CUDA_CHECK(cudaStreamSynchronize(stream));
  std::array<float, kRuns> ms = {};
  for (size_t i = 0; i < kRuns; ++i) {
    CUDA_CHECK(cudaEventElapsedTime(&ms[i], marks[i].first.get(), marks[i].second.get()));
  }
  std::nth_element(ms.begin(), ms.begin() + kRuns / 2, ms.end());
  return static_cast<double>(ms[kRuns / 2]) * 1e-3;
}

Result<FastMatmul> make_fast_matmul(const LtTable& lt, const std::string& cache_folder, TimeWork time) {
  const std::string library = "cuBLASLt " + lt_version(lt.version());
  cublasLtHandle_t handle = nullptr;
  if (const cublasStatus_t status = lt.create(&handle); status != CUBLAS_STATUS_SUCCESS) {
    return fail("{}: expected it to start, found: {}", library, lt.status_string(status));
  }
  const auto products = std::make_shared<LtMatmul>(lt, handle, std::move(time));
  FastMatmul fast;
  fast.library = library;
  fast.note = products->remember(cache_folder);
  fast.run = [products](const MatmulArgs& args, void* workspace, cudaStream_t stream) {
    return products->run(args, workspace, stream);
  };
  return fast;
}

Result<FastMatmul> open_fast_matmul(const std::string& cache_folder) {
  Result<LtTable> lt = open_cublaslt();
  if (!lt) return Error{lt.error()};
  return make_fast_matmul(*lt, cache_folder, time_by_events);
}

}  // namespace draftscope::cuda
