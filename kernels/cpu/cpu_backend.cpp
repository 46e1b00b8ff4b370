#include "kernels/cpu/cpu_backend.h"

#include <algorithm>
#include <vector>

#include "kernels/cpu/bf16.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/row_ops.h"

namespace draftscope {
namespace {

struct CpuActBuffer final : ActBuffer {
  std::vector<float> memory;  // (rows, cols)
};

struct CpuTable final : Table {
  Tensor tensor;                       // in the file's number type
  const PackedMatrix* head = nullptr;  // the same numbers in memory, where embeddings are tied: the file is not read
};

constexpr int64_t kElementsPerTask = 8192;  // of element-wise work: some microseconds, far above a dispatch

// Where tiles of at most kQueryTile rows begin, and the end: the rows of a tile read their text's keys together.
std::vector<int32_t> query_tiles(const KeySets& keys, int32_t rows) {
  std::vector<int32_t> begins{0};
  for (int32_t row = 1; row < rows; ++row) {
    const bool same_text = keys.first_key.empty() || keys.first_key[row] == keys.first_key[row - 1];
    if (!same_text || row - begins.back() == kQueryTile) begins.push_back(row);
  }
  begins.push_back(rows);
  return begins;
}

class CpuBackend final : public Backend {
 public:
  CpuBackend(const CpuOptions& options, int32_t n_threads)
      : path_(options.path),
        precision_(options.precision),
        ops_(options.path == CpuPath::kPlain ? row_ops_plain() : row_ops_avx2()),
        pool_(n_threads) {}

  std::string describe() const override {
    return fmt::format("cpu {}, {} thread{}", name(path_), pool_.n_threads(),
                       pool_.n_threads() == 1 ? "" : "s");
  }
  Precision precision() const override { return precision_; }
  int32_t n_threads() const override { return pool_.n_threads(); }

  std::unique_ptr<Matrix> pack(std::span<const Tensor> parts) override { return pack_matrix(parts); }
  std::unique_ptr<Matrix> pack_gate_up(const Tensor& gate, const Tensor& up) override {
    const Tensor parts[] = {gate, up};
    return pack_matrix(parts);
  }
  std::unique_ptr<Table> make_table(const Tensor& tensor, const Matrix* head) override;
  std::unique_ptr<KvStore> make_kv(int32_t n_layers, HeadLayout heads, int32_t capacity) override;
  std::unique_ptr<ActBuffer> make_act(int32_t rows, int32_t cols) override;
  void write(std::span<const float> from, Act to) override;
  void read(Act from, std::span<float> to) override;
  void place(PassRows&) override {}

  void embed(const Table& table, const PassRows& rows, Act out) override;
  void rms_norm(Act x, VectorView weight, float eps, Act out) override;
  void matmul(Act x, const Matrix& w, Act out, Write write) override;
  void norm_matmul(Act x, VectorView weight, float eps, const Matrix& w, Act out) override;
  void norm_gate_up(Act x, VectorView weight, float eps, const Matrix& w, Act out) override;
  void norm_rope_append(Act qkv, const HeadsTo& to) override;
  void attention(Act qkv, HeadLayout heads, const KvStore& kv, int32_t layer, const PassRows& rows, Act out) override;
  void head_top_k(Act x, const Matrix& head, int32_t k, TopK& out) override;
  void keep_rows(KvStore& kv, int32_t first, std::span<const int32_t> kept) override;
  void gather_rows(Act x, std::span<const int32_t> rows, Act out, int32_t first_col) override;
  void put_columns(Act x, Act out, int32_t first_col) override;

 private:
  // Calls body(row) for every row, several rows per task when they are short.
  template <class Body>
  void for_rows(int32_t rows, int64_t cols, const Body& body) {
    const int64_t per_task = std::max<int64_t>(1, kElementsPerTask / std::max<int64_t>(cols, 1));
    pool_.run((rows + per_task - 1) / per_task, [&](int64_t task, int32_t) {
      const int64_t last = std::min<int64_t>((task + 1) * per_task, rows);
      for (int64_t row = task * per_task; row < last; ++row) body(static_cast<int32_t>(row));
    });
  }
  // Pads and rounds the activations of one product.
  MatmulInput prepare(Act x, const PackedMatrix& w);
  MatmulKernel kernel_for(const PackedMatrix& w) const;
  bool uses_bf16_pairs(const PackedMatrix& w) const {
    return path_ >= CpuPath::kAvx512Bf16 && precision_ == Precision::kBf16 && w.is_bf16;
  }

  CpuPath path_;
  Precision precision_;
  const RowOps& ops_;
  ThreadPool pool_;
  std::vector<float> input_f32_;      // (rows, n_pairs * 2) or row tiles of the product in progress
  std::vector<uint16_t> input_bf16_;  // (rows, n_pairs * 2), as bf16
  std::vector<float> product_;        // (n_threads, rows, task_blocks * 16)
  std::vector<float> normed_;         // (rows, n_in) of the product in progress
  std::vector<float> gate_up_;        // (rows, 2 * dim) of the gated MLP in progress
};

std::unique_ptr<KvStore> CpuBackend::make_kv(int32_t n_layers, HeadLayout heads, int32_t capacity) {
  DS_CHECK(heads.head_dim % 8 == 0 && heads.head_dim <= kMaxHeadDim, "head_dim {}", heads.head_dim);
  auto kv = std::make_unique<CpuKvStore>();
  kv->n_layers = n_layers;
  kv->n_kv_heads = heads.n_kv_heads;
  kv->head_dim = heads.head_dim;
  kv->capacity = capacity;
  kv->is_bf16 = precision_ == Precision::kBf16;
  const size_t n = static_cast<size_t>(kv->offset(n_layers, 0, 0));
  if (kv->is_bf16)
    kv->k16.resize(n), kv->v16.resize(n);
  else
    kv->k32.resize(n), kv->v32.resize(n);
  kv->n_bytes = static_cast<int64_t>(n) * 2 * (kv->is_bf16 ? 2 : 4);
  return kv;
}

std::unique_ptr<ActBuffer> CpuBackend::make_act(int32_t rows, int32_t cols) {
  auto buffer = std::make_unique<CpuActBuffer>();
  buffer->memory.resize(static_cast<size_t>(rows) * cols);
  buffer->act = {buffer->memory.data(), rows, cols};
  return buffer;
}

void CpuBackend::write(std::span<const float> from, Act to) {
  DS_CHECK(static_cast<int64_t>(from.size()) == static_cast<int64_t>(to.rows) * to.cols);
  std::copy(from.begin(), from.end(), to.data);
}

void CpuBackend::read(Act from, std::span<float> to) {
  DS_CHECK(static_cast<int64_t>(to.size()) == static_cast<int64_t>(from.rows) * from.cols);
  std::copy_n(from.data, to.size(), to.data());
}

std::unique_ptr<Table> CpuBackend::make_table(const Tensor& tensor, const Matrix* head) {
  DS_CHECK(is_weight(tensor.dtype) && tensor.shape.size() == 2, "{}", tensor.name);
  auto table = std::make_unique<CpuTable>();
  table->n_vocab = static_cast<int32_t>(tensor.rows());
  table->dim = static_cast<int32_t>(tensor.cols());
  table->tensor = tensor;
  table->head = static_cast<const PackedMatrix*>(head);
  return table;
}

void CpuBackend::embed(const Table& table, const PassRows& rows, Act out) {
  const auto& of_cpu = static_cast<const CpuTable&>(table);
  DS_CHECK(out.cols == table.dim && out.rows == rows.n && rows.token.size() == static_cast<size_t>(rows.n));
  for_rows(out.rows, out.cols, [&](int32_t row) {
    const int64_t token = rows.token[row];
    DS_CHECK(token >= 0 && token < table.n_vocab, "token {}", token);
    for (int32_t col = 0; col < out.cols; ++col) {
      out.row(row)[col] =
          of_cpu.head != nullptr ? of_cpu.head->at(token, col) : element(of_cpu.tensor, token * out.cols + col);
    }
  });
}

void CpuBackend::rms_norm(Act x, VectorView weight, float eps, Act out) {
  DS_CHECK(x.rows == out.rows && x.cols == out.cols && weight.n == x.cols);
  for_rows(x.rows, x.cols, [&](int32_t row) { ops_.rms_norm(x.row(row), weight.data, eps, x.cols, out.row(row)); });
}

void CpuBackend::norm_matmul(Act x, VectorView weight, float eps, const Matrix& w, Act out) {
  normed_.resize(static_cast<size_t>(x.rows) * x.cols);
  const Act normed{normed_.data(), x.rows, x.cols};
  rms_norm(x, weight, eps, normed);
  matmul(normed, w, out, Write::kSet);
}

void CpuBackend::norm_gate_up(Act x, VectorView weight, float eps, const Matrix& w, Act out) {
  DS_CHECK(w.n_out == 2 * static_cast<int64_t>(out.cols) && out.rows == x.rows);
  gate_up_.resize(static_cast<size_t>(x.rows) * w.n_out);
  const Act both{gate_up_.data(), x.rows, 2 * out.cols};
  norm_matmul(x, weight, eps, w, both);
  for_rows(out.rows, both.cols, [&](int32_t row) { ops_.silu_mul(both.row(row), out.cols, out.row(row)); });
}

MatmulKernel CpuBackend::kernel_for(const PackedMatrix& w) const {
  if (path_ == CpuPath::kPlain) return matmul_plain;
  if (!uses_bf16_pairs(w)) return matmul_avx2;
  return path_ == CpuPath::kAmx ? matmul_amx : matmul_avx512_bf16;
}

MatmulInput CpuBackend::prepare(Act x, const PackedMatrix& w) {
  DS_CHECK(x.cols == w.n_in, "{} columns, weights take {}", x.cols, w.n_in);
  const int64_t n = w.n_pairs * 2;
  if (uses_bf16_pairs(w)) {
    input_bf16_.resize(static_cast<size_t>(x.rows * n));
    for_rows(x.rows, n, [&](int32_t row) {
      uint16_t* to = input_bf16_.data() + row * n;
      ops_.round(x.row(row), x.cols, to);
      if (n > x.cols) to[x.cols] = 0;
    });
    return {.bf16 = input_bf16_.data(), .rows = x.rows};
  }
  input_f32_.resize(static_cast<size_t>(x.rows * n));
  const int64_t n_tiles = path_ == CpuPath::kPlain ? x.rows : n_tiles_avx2(x.rows);  // plain: a row is a tile
  for_rows(static_cast<int32_t>(n_tiles), n * row_tile(x.rows, n_tiles, 0).n, [&](int32_t i) {
    const RowTile tile = row_tile(x.rows, n_tiles, i);
    float* to = input_f32_.data() + tile.first * n;
    for (int64_t row = 0; row < tile.n; ++row) {
      ops_.interleave(x.row(static_cast<int32_t>(tile.first + row)), x.cols, precision_ == Precision::kBf16, tile.n,
                      to + row);
    }
    if (n > x.cols) std::fill_n(to + x.cols * tile.n, tile.n, 0.0f);
  });
  return {.f32 = input_f32_.data(), .rows = x.rows};
}

void CpuBackend::matmul(Act x, const Matrix& w, Act out, Write write) {
  const auto& packed = static_cast<const PackedMatrix&>(w);
  DS_CHECK(out.rows == x.rows && out.cols == w.n_out, "out {}x{}", out.rows, out.cols);
  const MatmulInput input = prepare(x, packed);
  const MatmulKernel kernel = kernel_for(packed);
  // Small enough to deal out evenly, large enough to amortise; a multiple of what the kernels take at once.
  const int64_t task_blocks = packed.n_blocks >= 48 * pool_.n_threads() ? 12 : 4;
  const int64_t task_cols = task_blocks * kBlockCols;
  product_.resize(static_cast<size_t>(pool_.n_threads() * x.rows * task_cols));
  pool_.run((packed.n_blocks + task_blocks - 1) / task_blocks, [&](int64_t task, int32_t thread) {
    const int64_t first = task * task_blocks;
    const int64_t last = std::min(first + task_blocks, packed.n_blocks);
    if (write == Write::kSet && last * kBlockCols <= packed.n_out) {
      return kernel(input, packed, first, last, out.data + first * kBlockCols, out.cols);
    }
    float* tile = product_.data() + thread * x.rows * task_cols;
    kernel(input, packed, first, last, tile, task_cols);
    const int64_t n_cols = std::min(last * kBlockCols, packed.n_out) - first * kBlockCols;
    for (int32_t row = 0; row < x.rows; ++row) {
      float* to = out.row(row) + first * kBlockCols;
      const float* from = tile + row * task_cols;
      if (write == Write::kSet)
        std::copy_n(from, n_cols, to);
      else
        for (int64_t col = 0; col < n_cols; ++col) to[col] += from[col];
    }
  });
}

void CpuBackend::norm_rope_append(Act qkv, const HeadsTo& to) {
  const auto& [heads, q_norm, k_norm, eps, rope, rows, kv, layer] = to;
  auto& store = static_cast<CpuKvStore&>(kv);
  DS_CHECK(qkv.cols == heads.qkv_cols() && qkv.rows == rows.n && rows.position.size() == static_cast<size_t>(rows.n) &&
           rows.cache_row.size() == rows.position.size());
  const int32_t dim = heads.head_dim;
  for_rows(qkv.rows, qkv.cols, [&](int32_t row) {
    const int32_t position = rows.position[row], cache_row = rows.cache_row[row];
    DS_CHECK(position < rope.n_positions, "position {} of {}", position, rope.n_positions);
    DS_CHECK(cache_row >= 0 && cache_row < kv.capacity, "cache row {} of {}", cache_row, kv.capacity);
    const float* cos = rope.cos + static_cast<int64_t>(position) * (dim / 2);
    const float* sin = rope.sin + static_cast<int64_t>(position) * (dim / 2);
    float* head = qkv.row(row);
    for (int32_t h = 0; h < heads.n_q_heads + heads.n_kv_heads; ++h, head += dim) {
      ops_.rms_norm(head, h < heads.n_q_heads ? q_norm.data : k_norm.data, eps, dim, head);
      ops_.rotate_head(head, cos, sin, dim);
    }
    const float* k = qkv.row(row) + heads.q_cols();
    const float* v = k + heads.n_kv_heads * dim;
    for (int32_t h = 0; h < heads.n_kv_heads; ++h, k += dim, v += dim) {
      const int64_t at = store.offset(layer, h, cache_row);
      if (store.is_bf16) {
        ops_.round(k, dim, store.k16.data() + at);
        ops_.round(v, dim, store.v16.data() + at);
      } else {
        std::copy_n(k, dim, store.k32.data() + at);
        std::copy_n(v, dim, store.v32.data() + at);
      }
    }
  });
}

void CpuBackend::attention(Act qkv, HeadLayout heads, const KvStore& kv, int32_t layer, const PassRows& rows, Act out) {
  const KeySets& keys = rows.keys;
  DS_CHECK(out.cols == heads.q_cols() && keys.n_contiguous.size() == static_cast<size_t>(qkv.rows) &&
           keys.extra_begin.size() == keys.n_contiguous.size() + 1 &&
           (keys.first_key.empty() || keys.first_key.size() == keys.n_contiguous.size()));
  const AttentionArgs args{qkv, heads, static_cast<const CpuKvStore*>(&kv), layer, &keys, out};
  const AttentionKernel kernel = path_ == CpuPath::kPlain  ? attention_plain
                                 : path_ == CpuPath::kAvx2 ? attention_avx2
                                                           : attention_avx512;
  const std::vector<int32_t> tiles = query_tiles(keys, qkv.rows);
  const int64_t n_tiles = static_cast<int64_t>(tiles.size()) - 1;
  pool_.run(n_tiles * heads.n_kv_heads, [&](int64_t task, int32_t) {
    const int64_t tile = task / heads.n_kv_heads;
    kernel(args, static_cast<int32_t>(task % heads.n_kv_heads), tiles[tile], tiles[tile + 1]);
  });
}

void CpuBackend::head_top_k(Act x, const Matrix& head, int32_t k, TopK& out) {
  const auto& packed = static_cast<const PackedMatrix&>(head);
  const LogitOps& ops = path_ == CpuPath::kPlain  ? logit_ops_plain()
                        : path_ == CpuPath::kAvx2 ? logit_ops_avx2()
                                                  : logit_ops_avx512();
  draftscope::head_top_k(prepare(x, packed), packed, kernel_for(packed), ops, k, pool_, out);
}

void CpuBackend::keep_rows(KvStore& kv, int32_t first, std::span<const int32_t> kept) {
  auto& store = static_cast<CpuKvStore&>(kv);
  for (size_t i = 0; i < kept.size(); ++i) {
    DS_CHECK(i == 0 || kept[i] > kept[i - 1]);
    const int64_t from = first + kept[i], to = first + static_cast<int64_t>(i);
    if (from == to) continue;
    for (int32_t layer = 0; layer < kv.n_layers; ++layer) {
      for (int32_t h = 0; h < kv.n_kv_heads; ++h) {
        const int64_t source = store.offset(layer, h, from), target = store.offset(layer, h, to);
        if (store.is_bf16) {
          std::copy_n(store.k16.data() + source, kv.head_dim, store.k16.data() + target);
          std::copy_n(store.v16.data() + source, kv.head_dim, store.v16.data() + target);
        } else {
          std::copy_n(store.k32.data() + source, kv.head_dim, store.k32.data() + target);
          std::copy_n(store.v32.data() + source, kv.head_dim, store.v32.data() + target);
        }
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

void CpuBackend::put_columns(Act x, Act out, int32_t first_col) {
  DS_CHECK(first_col + x.cols <= out.cols && x.rows <= out.rows);
  for (int32_t row = 0; row < x.rows; ++row) std::copy_n(x.row(row), x.cols, out.row(row) + first_col);
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
