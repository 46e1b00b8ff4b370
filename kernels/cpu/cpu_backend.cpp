#include "kernels/cpu/cpu_backend.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/cpu/bf16.h"
#include "kernels/cpu/ops.h"

namespace draftscope {
namespace {

struct CpuActBuffer final : ActBuffer {
  std::vector<float> memory;  // (rows, cols)
};

constexpr int64_t kBlocksPerTask = 8;  // 128 outputs: small enough to balance, large enough to amortise

class CpuBackend final : public Backend {
 public:
  CpuBackend(const CpuOptions& options, int32_t n_threads)
      : path_(options.path), precision_(options.precision), pool_(n_threads) {}

  std::string describe() const override {
    return fmt::format("cpu {}, {} thread{}", name(path_), pool_.n_threads(), pool_.n_threads() == 1 ? "" : "s");
  }
  Precision precision() const override { return precision_; }
  int32_t n_threads() const override { return pool_.n_threads(); }

  std::unique_ptr<Matrix> pack(std::span<const Tensor> parts) override { return pack_matrix(parts); }
  std::unique_ptr<KvStore> make_kv(int32_t n_layers, HeadLayout heads, int32_t capacity) override;
  std::unique_ptr<ActBuffer> make_act(int32_t rows, int32_t cols) override;

  void embed(const Tensor& table, std::span<const int32_t> tokens, Act out) override;
  void rms_norm(Act x, const Vector& weight, float eps, Act out) override;
  void matmul(Act x, const Matrix& w, Act out, Write write) override;
  void norm_rope_append(Act qkv, HeadLayout heads, const Vector& q_norm, const Vector& k_norm, float eps,
                        const Rope& rope, std::span<const int32_t> positions, KvStore& kv, int32_t layer,
                        int32_t first_row) override;
  void attention(Act qkv, HeadLayout heads, const KvStore& kv, int32_t layer, const KeySets& keys, Act out) override;
  void silu_mul(Act gate_up, Act out) override;
  void head_top_k(Act x, const Matrix& head, int32_t k, TopK& out) override;
  void keep_rows(KvStore& kv, int32_t first, std::span<const int32_t> kept) override;
  void gather_rows(Act x, std::span<const int32_t> rows, Act out, int32_t first_col) override;

 private:
  // Pads, rounds and, for the AVX512-BF16 kernel, pairs the activations of one product.
  MatmulInput prepare(Act x, const PackedMatrix& w);
  MatmulKernel kernel_for(const PackedMatrix& w) const;
  bool uses_bf16_pairs(const PackedMatrix& w) const {
    return path_ == CpuPath::kAvx512Bf16 && precision_ == Precision::kBf16 && w.is_bf16;
  }

  CpuPath path_;
  Precision precision_;
  ThreadPool pool_;
  std::vector<float> input_f32_;      // (rows, n_pairs * 2) of the product in progress
  std::vector<uint32_t> input_bf16_;  // (rows, n_pairs)
  std::vector<float> product_;        // (n_threads, rows, kBlocksPerTask * 16)
};

std::unique_ptr<KvStore> CpuBackend::make_kv(int32_t n_layers, HeadLayout heads, int32_t capacity) {
  DS_CHECK(heads.head_dim % 8 == 0 && heads.head_dim <= kMaxHeadDim, "head_dim {}", heads.head_dim);
  auto kv = std::make_unique<CpuKvStore>();
  kv->n_layers = n_layers;
  kv->n_kv_heads = heads.n_kv_heads;
  kv->head_dim = heads.head_dim;
  kv->capacity = capacity;
  kv->is_bf16 = precision_ == Precision::kBf16;
  const size_t n = static_cast<size_t>(kv->offset(n_layers, 0));
  if (kv->is_bf16) kv->k16.resize(n), kv->v16.resize(n);
  else kv->k32.resize(n), kv->v32.resize(n);
  kv->n_bytes = static_cast<int64_t>(n) * 2 * (kv->is_bf16 ? 2 : 4);
  return kv;
}

std::unique_ptr<ActBuffer> CpuBackend::make_act(int32_t rows, int32_t cols) {
  auto buffer = std::make_unique<CpuActBuffer>();
  buffer->memory.resize(static_cast<size_t>(rows) * cols);
  buffer->act = {buffer->memory.data(), rows, cols};
  return buffer;
}

void CpuBackend::embed(const Tensor& table, std::span<const int32_t> tokens, Act out) {
  DS_CHECK(out.cols == table.cols() && static_cast<size_t>(out.rows) == tokens.size());
  for (int32_t row = 0; row < out.rows; ++row) {
    DS_CHECK(tokens[row] >= 0 && tokens[row] < table.rows(), "token {}", tokens[row]);
    const int64_t base = static_cast<int64_t>(tokens[row]) * out.cols;
    for (int32_t col = 0; col < out.cols; ++col) out.row(row)[col] = element(table, base + col);
  }
}

void CpuBackend::rms_norm(Act x, const Vector& weight, float eps, Act out) {
  DS_CHECK(x.rows == out.rows && x.cols == out.cols && weight.size() == static_cast<size_t>(x.cols));
  pool_.run(x.rows, [&](int64_t row, int32_t) {
    rms_norm_row(x.row(static_cast<int32_t>(row)), weight.data(), eps, x.cols, out.row(static_cast<int32_t>(row)));
  });
}

MatmulKernel CpuBackend::kernel_for(const PackedMatrix& w) const {
  if (path_ == CpuPath::kPlain) return matmul_plain;
  return uses_bf16_pairs(w) ? matmul_avx512_bf16 : matmul_avx2;
}

MatmulInput CpuBackend::prepare(Act x, const PackedMatrix& w) {
  DS_CHECK(x.cols == w.n_in, "{} columns, weights take {}", x.cols, w.n_in);
  const int64_t n = w.n_pairs * 2;
  if (uses_bf16_pairs(w)) {
    input_bf16_.resize(static_cast<size_t>(x.rows * w.n_pairs));
    for (int32_t row = 0; row < x.rows; ++row) {
      for (int64_t pair = 0; pair < w.n_pairs; ++pair) {
        const uint32_t low = bf16_of_float(x.row(row)[pair * 2]);
        const uint32_t high = pair * 2 + 1 < x.cols ? bf16_of_float(x.row(row)[pair * 2 + 1]) : 0;
        input_bf16_[row * w.n_pairs + pair] = low | (high << 16);
      }
    }
    return {nullptr, input_bf16_.data(), x.rows};
  }
  // Float32 activations without padding are read where they are.
  if (precision_ == Precision::kF32 && n == x.cols) return {x.data, nullptr, x.rows};
  input_f32_.resize(static_cast<size_t>(x.rows * n));
  for (int32_t row = 0; row < x.rows; ++row) {
    float* to = input_f32_.data() + row * n;
    for (int32_t col = 0; col < x.cols; ++col) {
      to[col] = precision_ == Precision::kBf16 ? float_of_bf16(bf16_of_float(x.row(row)[col])) : x.row(row)[col];
    }
    if (n > x.cols) to[x.cols] = 0;
  }
  return {input_f32_.data(), nullptr, x.rows};
}

void CpuBackend::matmul(Act x, const Matrix& w, Act out, Write write) {
  const auto& packed = static_cast<const PackedMatrix&>(w);
  DS_CHECK(out.rows == x.rows && out.cols == w.n_out, "out {}x{}", out.rows, out.cols);
  const MatmulInput input = prepare(x, packed);
  const MatmulKernel kernel = kernel_for(packed);
  constexpr int64_t kCols = kBlocksPerTask * kBlockCols;
  product_.resize(static_cast<size_t>(pool_.n_threads()) * x.rows * kCols);
  pool_.run((packed.n_blocks + kBlocksPerTask - 1) / kBlocksPerTask, [&](int64_t task, int32_t thread) {
    const int64_t first = task * kBlocksPerTask;
    const int64_t last = std::min(first + kBlocksPerTask, packed.n_blocks);
    float* tile = product_.data() + static_cast<int64_t>(thread) * x.rows * kCols;
    kernel(input, packed, first, last, tile, kCols);
    const int64_t n_cols = std::min(last * kBlockCols, packed.n_out) - first * kBlockCols;
    for (int32_t row = 0; row < x.rows; ++row) {
      float* to = out.row(row) + first * kBlockCols;
      const float* from = tile + row * kCols;
      if (write == Write::kSet) std::copy_n(from, n_cols, to);
      else for (int64_t col = 0; col < n_cols; ++col) to[col] += from[col];
    }
  });
}

void CpuBackend::norm_rope_append(Act qkv, HeadLayout heads, const Vector& q_norm, const Vector& k_norm, float eps,
                                  const Rope& rope, std::span<const int32_t> positions, KvStore& kv, int32_t layer,
                                  int32_t first_row) {
  auto& store = static_cast<CpuKvStore&>(kv);
  DS_CHECK(qkv.cols == heads.qkv_cols() && positions.size() == static_cast<size_t>(qkv.rows));
  DS_CHECK(first_row >= 0 && first_row + qkv.rows <= kv.capacity, "rows {}..{} of {}", first_row,
           first_row + qkv.rows, kv.capacity);
  const int32_t dim = heads.head_dim, kv_cols = heads.n_kv_heads * dim;
  pool_.run(qkv.rows, [&](int64_t task, int32_t) {
    const int32_t row = static_cast<int32_t>(task);
    DS_CHECK(positions[row] < rope.n_positions, "position {} of {}", positions[row], rope.n_positions);
    const float* cos = rope.cos.data() + static_cast<int64_t>(positions[row]) * (dim / 2);
    const float* sin = rope.sin.data() + static_cast<int64_t>(positions[row]) * (dim / 2);
    float* head = qkv.row(row);
    for (int32_t h = 0; h < heads.n_q_heads + heads.n_kv_heads; ++h, head += dim) {
      rms_norm_row(head, h < heads.n_q_heads ? q_norm.data() : k_norm.data(), eps, dim, head);
      rotate_head(head, cos, sin, dim);
    }
    const float* k = qkv.row(row) + heads.q_cols();
    const float* v = k + kv_cols;
    const int64_t to = store.offset(layer, first_row + row);
    for (int32_t i = 0; i < kv_cols; ++i) {
      if (store.is_bf16) store.k16[to + i] = bf16_of_float(k[i]), store.v16[to + i] = bf16_of_float(v[i]);
      else store.k32[to + i] = k[i], store.v32[to + i] = v[i];
    }
  });
}

void CpuBackend::attention(Act qkv, HeadLayout heads, const KvStore& kv, int32_t layer, const KeySets& keys, Act out) {
  DS_CHECK(out.cols == heads.q_cols() && keys.n_contiguous.size() == static_cast<size_t>(qkv.rows) &&
           keys.extra_begin.size() == keys.n_contiguous.size() + 1);
  const AttentionArgs args{qkv, heads, static_cast<const CpuKvStore*>(&kv), layer, &keys, out};
  const AttentionKernel kernel = path_ == CpuPath::kPlain ? attention_plain : attention_avx2;
  const int64_t n_tiles = (qkv.rows + kQueryTile - 1) / kQueryTile;
  pool_.run(n_tiles * heads.n_kv_heads, [&](int64_t task, int32_t) {
    const int32_t first = static_cast<int32_t>(task / heads.n_kv_heads) * kQueryTile;
    kernel(args, static_cast<int32_t>(task % heads.n_kv_heads), first, std::min(first + kQueryTile, qkv.rows));
  });
}

void CpuBackend::silu_mul(Act gate_up, Act out) {
  DS_CHECK(gate_up.cols == 2 * out.cols && gate_up.rows == out.rows);
  pool_.run(out.rows, [&](int64_t row, int32_t) {
    silu_mul_row(gate_up.row(static_cast<int32_t>(row)), out.cols, out.row(static_cast<int32_t>(row)));
  });
}

void CpuBackend::head_top_k(Act x, const Matrix& head, int32_t k, TopK& out) {
  const auto& packed = static_cast<const PackedMatrix&>(head);
  draftscope::head_top_k(prepare(x, packed), packed, kernel_for(packed), k, pool_, out);
}

void CpuBackend::keep_rows(KvStore& kv, int32_t first, std::span<const int32_t> kept) {
  auto& store = static_cast<CpuKvStore&>(kv);
  const size_t n = static_cast<size_t>(store.row_cols());
  for (int32_t layer = 0; layer < kv.n_layers; ++layer) {
    for (size_t i = 0; i < kept.size(); ++i) {
      DS_CHECK(i == 0 || kept[i] > kept[i - 1]);
      const int64_t from = store.offset(layer, first + kept[i]);
      const int64_t to = store.offset(layer, first + static_cast<int64_t>(i));
      if (from == to) continue;
      if (store.is_bf16) {
        std::memmove(store.k16.data() + to, store.k16.data() + from, n * 2);
        std::memmove(store.v16.data() + to, store.v16.data() + from, n * 2);
      } else {
        std::memmove(store.k32.data() + to, store.k32.data() + from, n * 4);
        std::memmove(store.v32.data() + to, store.v32.data() + from, n * 4);
      }
    }
  }
}

void CpuBackend::gather_rows(Act x, std::span<const int32_t> rows, Act out, int32_t first_col) {
  DS_CHECK(first_col + x.cols <= out.cols && rows.size() <= static_cast<size_t>(out.rows));
  for (size_t i = 0; i < rows.size(); ++i) {
    std::copy_n(x.row(rows[i]), x.cols, out.row(static_cast<int32_t>(i)) + first_col);
  }
}

}  // namespace

Result<std::unique_ptr<Backend>> make_cpu_backend(const CpuOptions& options) {
  const std::vector<CpuPath> supported = supported_cpu_paths();
  if (std::find(supported.begin(), supported.end(), options.path) == supported.end()) {
    return fail("CPU path {}: expected one this processor runs, the best is {}", name(options.path),
                name(supported.back()));
  }
  if (options.n_threads < 0 || options.n_threads > 256) {
    return fail("threads: expected 0 to 256, found {}", options.n_threads);
  }
  const int32_t n_threads = options.n_threads > 0 ? options.n_threads : n_usable_cpus();
  return std::unique_ptr<Backend>(std::make_unique<CpuBackend>(options, n_threads));
}

}  // namespace draftscope
