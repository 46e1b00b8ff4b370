#include "tests/cuda/fake_cublaslt.h"

#include <cuda_bf16.h>

#include <algorithm>
#include <cstring>

#include "kernels/cuda/launch.h"
#include "tests/cuda/emulated/control.h"

// A test's own structures behind the handles that the library keeps closed.
struct cublasLtContext {};
struct EmulatedLtProduct {
  cublasOperation_t a = CUBLAS_OP_N;
};
struct EmulatedLtLayout {
  cudaDataType_t type;
  uint64_t rows, cols;
  int64_t leading;
};
struct EmulatedLtPreference {
  uint64_t workspace_bytes = 0;
};

namespace draftscope::cuda {
namespace {

constexpr uint64_t kMark = 0xdecade;  // first word of every algorithm of ours

struct Sizes {
  int32_t n_in, n_out, rows;
};

/// d (rows, n_out) = beta c + b w^T, columns of the library's matrices being our rows. A thread an output, in double.
__global__ void product_kernel(Sizes sizes, const __nv_bfloat16* w, const __nv_bfloat16* x, float beta, const float* c,
                               float* d) {
  const auto row = static_cast<int64_t>(blockIdx.x);
  for (int32_t out = static_cast<int32_t>(threadIdx.x); out < sizes.n_out; out += static_cast<int32_t>(blockDim.x)) {
    double sum = 0;
    for (int32_t i = 0; i < sizes.n_in; ++i) {
      sum += static_cast<double>(__bfloat162float(w[int64_t{out} * sizes.n_in + i])) *
             static_cast<double>(__bfloat162float(x[row * sizes.n_in + i]));
    }
    const int64_t at = row * sizes.n_out + out;
    d[at] = static_cast<float>(sum) + (beta == 0 ? 0.0f : beta * c[at]);
  }
}

template <class Handle, class... Args>
cublasStatus_t made(Handle* handle, Args... args) {
  ++fake_lt().n_calls;
  ++fake_lt().n_live;
  *handle = new std::remove_pointer_t<Handle>{args...};
  return CUBLAS_STATUS_SUCCESS;
}
template <class Handle>
cublasStatus_t destroyed(Handle handle) {
  ++fake_lt().n_calls;
  --fake_lt().n_live;
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t create(cublasLtHandle_t* handle) {
  return fake_lt().starts ? made(handle) : (++fake_lt().n_calls, CUBLAS_STATUS_NOT_INITIALIZED);
}
size_t version() { return fake_lt().version; }
const char* status_string(cublasStatus_t status) {
  return status == CUBLAS_STATUS_NOT_INITIALIZED ? "the library was not initialized" : "some status";
}
cublasStatus_t create_product(cublasLtMatmulDesc_t* product, cublasComputeType_t compute, cudaDataType_t scale) {
  if (compute != CUBLAS_COMPUTE_32F || scale != CUDA_R_32F) return CUBLAS_STATUS_INVALID_VALUE;
  return made(product);
}
cublasStatus_t set_product(cublasLtMatmulDesc_t product, cublasLtMatmulDescAttributes_t, const void* value, size_t n) {
  ++fake_lt().n_calls;
  if (n != sizeof product->a) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(&product->a, value, n);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t create_layout(cublasLtMatrixLayout_t* layout, cudaDataType_t type, uint64_t rows, uint64_t cols,
                             int64_t leading) {
  return made(layout, type, rows, cols, leading);
}
cublasStatus_t set_preference(cublasLtMatmulPreference_t preference, cublasLtMatmulPreferenceAttributes_t attribute,
                              const void* value, size_t n) {
  ++fake_lt().n_calls;
  const bool is_workspace = attribute == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES;
  if (n != (is_workspace ? sizeof(uint64_t) : sizeof(uint32_t))) return CUBLAS_STATUS_INVALID_VALUE;
  if (is_workspace) std::memcpy(&preference->workspace_bytes, value, n);
  return CUBLAS_STATUS_SUCCESS;
}

/// The sizes of a product whose matrices fit together as the product writes them, w transposed; else none in.
Sizes sizes_of(cublasLtMatmulDesc_t product, cublasLtMatrixLayout_t w, cublasLtMatrixLayout_t x,
               cublasLtMatrixLayout_t out) {
  const auto dense = [](cublasLtMatrixLayout_t m, cudaDataType_t type) {
    return m->type == type && m->leading == static_cast<int64_t>(m->rows);
  };
  const bool fits = product->a == CUBLAS_OP_T && dense(w, CUDA_R_16BF) && dense(x, CUDA_R_16BF) &&
                    dense(out, CUDA_R_32F) && w->rows == x->rows && w->cols == out->rows && x->cols == out->cols;
  if (!fits) return {};
  return {static_cast<int32_t>(w->rows), static_cast<int32_t>(w->cols), static_cast<int32_t>(x->cols)};
}

cublasStatus_t heuristics(cublasLtHandle_t, cublasLtMatmulDesc_t product, cublasLtMatrixLayout_t w,
                          cublasLtMatrixLayout_t x, cublasLtMatrixLayout_t, cublasLtMatrixLayout_t out,
                          cublasLtMatmulPreference_t preference, int n_wanted, cublasLtMatmulHeuristicResult_t* results,
                          int* n_found) {
  ++fake_lt().n_calls;
  ++fake_lt().n_heuristics;
  if (sizes_of(product, w, x, out).n_in == 0 || preference->workspace_bytes == 0) return CUBLAS_STATUS_INVALID_VALUE;
  *n_found = std::min(n_wanted, fake_lt().n_proposed);
  for (int i = 0; i < *n_found; ++i) {
    results[i] = {};
    results[i].algo.data[0] = kMark;
    results[i].algo.data[7] = static_cast<uint64_t>(i);
  }
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t check(cublasLtHandle_t, cublasLtMatmulDesc_t product, cublasLtMatrixLayout_t w, cublasLtMatrixLayout_t x,
                     cublasLtMatrixLayout_t, cublasLtMatrixLayout_t out, const cublasLtMatmulAlgo_t* algo,
                     cublasLtMatmulHeuristicResult_t* result) {
  ++fake_lt().n_calls;
  *result = {};
  const Sizes sizes = sizes_of(product, w, x, out);
  if (sizes.n_in == 0 || algo->data[0] != kMark) return CUBLAS_STATUS_INVALID_VALUE;
  return fake_lt().takes_part_rows || sizes.rows % 64 == 0 ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED;
}

cublasStatus_t matmul(cublasLtHandle_t, cublasLtMatmulDesc_t product, const void* alpha, const void* w,
                      cublasLtMatrixLayout_t w_layout, const void* x, cublasLtMatrixLayout_t x_layout, const void* beta,
                      const void* c, cublasLtMatrixLayout_t, void* d, cublasLtMatrixLayout_t d_layout,
                      const cublasLtMatmulAlgo_t* algo, void*, size_t, cudaStream_t stream) {
  ++fake_lt().n_calls;
  ++fake_lt().n_products;
  fake_lt().last_algorithm = static_cast<int64_t>(algo->data[7]);
  const Sizes sizes = sizes_of(product, w_layout, x_layout, d_layout);
  const bool is_ours = algo->data[0] == kMark && *static_cast<const float*>(alpha) == 1;
  if (sizes.n_in == 0 || !is_ours) return CUBLAS_STATUS_INVALID_VALUE;
  if (fake_lt().last_algorithm == fake_lt().broken) return CUBLAS_STATUS_EXECUTION_FAILED;
  launch(product_kernel, dim3(static_cast<unsigned>(sizes.rows)), dim3(32), 0, stream, sizes,
         static_cast<const __nv_bfloat16*>(w), static_cast<const __nv_bfloat16*>(x), *static_cast<const float*>(beta),
         static_cast<const float*>(c), static_cast<float*>(d));
  return CUBLAS_STATUS_SUCCESS;
}

}  // namespace

FakeLt& fake_lt() {
  static FakeLt fake;
  return fake;
}

LtTable fake_table() {
  emulated::stays_on_host(reinterpret_cast<const void*>(&product_kernel));
  LtTable table;
  table.create = create;
  table.destroy = destroyed<cublasLtHandle_t>;
  table.version = version;
  table.status_string = status_string;
  table.create_product = create_product;
  table.destroy_product = destroyed<cublasLtMatmulDesc_t>;
  table.set_product = set_product;
  table.create_layout = create_layout;
  table.destroy_layout = destroyed<cublasLtMatrixLayout_t>;
  table.create_preference = [](cublasLtMatmulPreference_t* preference) { return made(preference); };
  table.destroy_preference = destroyed<cublasLtMatmulPreference_t>;
  table.set_preference = set_preference;
  table.heuristics = heuristics;
  table.check = check;
  table.matmul = matmul;
  return table;
}

}  // namespace draftscope::cuda
