// Backend: the operations that the forward pass is written on, once. The CPU defines every result.
//
// Every operation is batch-invariant: the bits of an output row depend on that row's inputs alone, never
// on how many rows share the pass. Sums run in one fixed order per output. That makes a draft tree's
// answers byte-identical to plain decoding. A CUDA backend that was asked for Numerics::kFastest alone departs from it,
// and describe() says so.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/tensor.h"
#include "kernels/types.h"

namespace draftscope {

/// Owns the memory behind an Act.
class ActBuffer {
 public:
  virtual ~ActBuffer() = default;
  Act act;
};

/// A weight matrix (n_out, n_in), prepacked for the backend. Read-only, shared by all sessions.
class Matrix {
 public:
  virtual ~Matrix() = default;
  int64_t n_out = 0, n_in = 0;
  int64_t n_bytes = 0;  // as packed: what one pass streams
};

/// Float32 vector of a norm's weights, (n,), in host memory.
using Vector = std::vector<float>;
/// Every element of a float tensor, widened exactly.
Vector to_floats(const Tensor& tensor);

/// A vector in the backend's memory: one row of an ActBuffer, or, for a backend that computes there, the host's.
struct VectorView {
  const float* data = nullptr;
  int32_t n = 0;

  VectorView(const Vector& host) : data(host.data()), n(static_cast<int32_t>(host.size())) {}
  VectorView(const Act& row) : data(row.data), n(row.cols) {}
};

/// An embedding table (n_vocab, dim) in the backend's memory.
class Table {
 public:
  virtual ~Table() = default;
  int32_t n_vocab = 0, dim = 0;
};

/// Keys and values of one model: n_layers * capacity rows of n_kv_heads * head_dim each.
class KvStore {
 public:
  virtual ~KvStore() = default;
  int32_t n_layers = 0, n_kv_heads = 0, head_dim = 0;
  int32_t capacity = 0;  // rows
  int64_t n_bytes = 0;
};

/// What a backend keeps beside a host value that it cannot read itself.
class Placed {
 public:
  virtual ~Placed() = default;
};

/// Which cached rows each query row attends to: rows [first_key[r], first_key[r] + n_contiguous[r]) and then, in depth
/// order, extra[extra_begin[r] .. extra_begin[r + 1]). The t-th attended key counts as position t, so a tree
/// node sums in exactly the order of plain decoding.
struct KeySets {
  std::vector<int32_t> n_contiguous;  // (rows,)
  std::vector<int32_t> extra_begin;   // (rows + 1,)
  std::vector<int32_t> extra;         // indices of cache rows; those of the pass's own rows
  std::vector<int32_t> first_key;     // (rows,); empty: 0 for every row
};

/// The rows of one pass: what each embeds, where it stands in its text, where its key and value go, what it attends to.
/// Written on the host, or by the device itself; then the vectors are empty and `placed` holds them.
struct PassRows {
  int32_t n = 0;                   // rows
  std::vector<int32_t> token;      // (n,)
  std::vector<int32_t> position;   // (n,)
  std::vector<int32_t> cache_row;  // (n,) indices of cache rows
  KeySets keys;
  std::unique_ptr<Placed> placed;  // see Backend::place
};

/// Rotations by position: column i pairs with i + head_dim / 2 at angle position * theta^(-2 i / head_dim).
struct Rope {
  int32_t n_positions = 0;
  std::vector<float> cos, sin;  // (n_positions, head_dim / 2)
};
/// Angles are rounded to float32 before cosine and sine, as the models were trained.
Rope make_rope(int32_t head_dim, double theta, int32_t n_positions);

/// Rotations in the backend's memory, or, for a backend that computes there, the host's.
struct RopeView {
  int32_t n_positions = 0;
  const float *cos = nullptr, *sin = nullptr;  // (n_positions, head_dim / 2)

  RopeView(const Rope& host) : n_positions(host.n_positions), cos(host.cos.data()), sin(host.sin.data()) {}
  RopeView(const Act& cosines, const Act& sines) : n_positions(cosines.rows), cos(cosines.data), sin(sines.data) {}
};

/// A norm on the way into a product.
struct InputNorm {
  VectorView weight;  // (n_in,)
  float eps;
};

/// How the heads of a layer are normed and turned, and where keys and values go.
struct HeadsTo {
  HeadLayout heads;
  VectorView q_norm, k_norm;  // (head_dim,)
  float eps;
  RopeView rope;
  const PassRows& rows;
  KvStore& kv;
  int32_t layer;
};

/// Most likely tokens per row. Ties go to the smaller token id.
struct TopK {
  int32_t rows = 0, k = 0;
  std::vector<int32_t> token;  // (rows, k)
  std::vector<float> log_p;    // (rows, k) natural log, normalised over all n_out
  std::unique_ptr<Placed> placed;  // where a backend computes them before they come to the host
};

class RoundLoop;
struct RoundLoopSetup;

class Backend {
 public:
  virtual ~Backend() = default;

  virtual std::string describe() const = 0;  // e.g. "cpu avx2, 2 threads"
  virtual Precision precision() const = 0;
  /// What the person who chose this backend must be told, one sentence; empty: it is what was asked for.
  virtual std::string note() const { return {}; }
  virtual int32_t n_threads() const = 0;
  /// One sentence when a model of these sizes cannot run here; `what` names it.
  virtual Status supports(const std::string& what, int32_t hidden, int32_t intermediate) const {
    (void)what, (void)hidden, (void)intermediate;
    return success();
  }

  // ---- memory -------------------------------------------------------------------------------------
  /// Packs one or several matrices that share n_in into one, stacked along n_out (fused QKV).
  /// bf16 stays bf16; f16 and f32 become float32 (never rounded silently).
  virtual std::unique_ptr<Matrix> pack(std::span<const Tensor> parts) = 0;
  /// Packs the two matrices of a gated MLP, both (dim, n_in), for norm_gate_up.
  virtual std::unique_ptr<Matrix> pack_gate_up(const Tensor& gate, const Tensor& up) = 0;
  /// `head` is the packed form of the same tensor where embeddings are tied, else null; it must outlive the table, as
  /// must the tensor's bytes.
  virtual std::unique_ptr<Table> make_table(const Tensor& tensor, const Matrix* head) = 0;
  virtual std::unique_ptr<KvStore> make_kv(int32_t n_layers, HeadLayout heads, int32_t capacity) = 0;
  /// Uninitialised activations, owned by the caller.
  virtual std::unique_ptr<ActBuffer> make_act(int32_t rows, int32_t cols) = 0;
  /// The same for what attention, rms_norm, norm_gate_up or put_columns writes and only matmul, head_top_k or put_columns
  /// reads, as x: a backend may keep it as its products multiply it.
  virtual std::unique_ptr<ActBuffer> make_product_input(int32_t rows, int32_t cols) { return make_act(rows, cols); }
  /// Copies between the host and the backend's memory; sizes equal. A product's input can only be read.
  virtual void write(std::span<const float> from, Act to) = 0;
  virtual void read(Act from, std::span<float> to) = 0;
  /// Brings rows written on the host to where the operations read them.
  virtual void place(PassRows& rows) = 0;

  // ---- operations ---------------------------------------------------------------------------------
  /// out[r] = table[token[r]] in float32; out (rows, dim).
  virtual void embed(const Table& table, const PassRows& rows, Act out) = 0;
  /// out = x / sqrt(mean(x^2) + eps) * weight per row; x, out (rows, dim), may be the same memory.
  virtual void rms_norm(Act x, VectorView weight, float eps, Act out) = 0;
  /// out = x w^T, or out += x w^T; x (rows, n_in), out (rows, n_out).
  enum class Write : uint8_t { kSet, kAdd };
  virtual void matmul(Act x, const Matrix& w, Act out, Write write = Write::kSet) = 0;
  /// out = rms_norm(x) w^T. x: a residual stream, written by embed or by matmul with kAdd.
  virtual void norm_matmul(Act x, VectorView weight, float eps, const Matrix& w, Act out) = 0;
  /// out = silu(gate) * up with [gate | up] = rms_norm(x) w^T, w from pack_gate_up; x as above, out (rows, dim).
  virtual void norm_gate_up(Act x, VectorView weight, float eps, const Matrix& w, Act out) = 0;
  /// Per head: RMS norm of q and k, rotation to position[r]; then k and v are stored at cache row cache_row[r] of one
  /// layer. qkv (rows, qkv_cols), q normalised and rotated in place.
  virtual void norm_rope_append(Act qkv, const HeadsTo& to) = 0;
  /// norm_rope_append(out) after out = norm_matmul(x, ..), or after out = matmul(x, ..) without a norm. A backend may do it
  /// in one; k and v of out are then undefined.
  virtual void matmul_append(Act x, const std::optional<InputNorm>& norm, const Matrix& w, Act out, const HeadsTo& to) {
    norm ? norm_matmul(x, norm->weight, norm->eps, w, out) : matmul(x, w, out);
    norm_rope_append(out, to);
  }
  /// Grouped-query attention of qkv's q columns over one layer of the cache, scale 1 / sqrt(head_dim);
  /// out (rows, q_cols).
  virtual void attention(Act qkv, HeadLayout heads, const KvStore& kv, int32_t layer, const PassRows& rows,
                         Act out) = 0;
  /// Product with the head fused with top-k and log-sum-exp; full logits never reach the host. NaN counts as the
  /// lowest logit and infinities as the largest finite ones, so every log_p is a finite number. x: a product's input.
  /// out.k is at most n_out.
  virtual void head_top_k(Act x, const Matrix& head, int32_t k, TopK& out) = 0;
  /// Moves cache rows first + kept[i] to first + i in every layer; kept ascending.
  virtual void keep_rows(KvStore& kv, int32_t first, std::span<const int32_t> kept) = 0;
  /// out[i] columns [first_col, first_col + x.cols) = x[rows[i]].
  virtual void gather_rows(Act x, std::span<const int32_t> rows, Act out, int32_t first_col) = 0;
  /// The same for all rows in their order; used to tap features.
  virtual void put_columns(Act x, Act out, int32_t first_col) = 0;

  /// Rounds that stay in this backend's memory (round_loop.h); where has_round_loop is false the host takes part in every
  /// stage and make_round_loop must not be called.
  virtual bool has_round_loop() const { return false; }
  virtual std::unique_ptr<RoundLoop> make_round_loop(RoundLoopSetup setup);

  // ---- measuring ----------------------------------------------------------------------------------
  /// Seconds of each of n runs of `work`, operations over rows already placed, after one to warm up. A backend with round
  /// loops times what these do: `work` runs once, is recorded as round loops record it, and the replays are timed by the
  /// device's clock with nothing between them; the answers of heads then stay where they are computed.
  virtual std::vector<double> time_runs(int32_t n, const std::function<void()>& work);
};

/// A copy of a vector in the backend's memory, (1, n).
std::unique_ptr<ActBuffer> place_vector(Backend& backend, const Vector& values);

/// Rotations in the backend's memory.
struct PlacedRope {
  std::unique_ptr<ActBuffer> cos, sin;  // (n_positions, head_dim / 2)
  operator RopeView() const { return {cos->act, sin->act}; }
};
PlacedRope place_rope(Backend& backend, int32_t head_dim, double theta, int32_t n_positions);

}  // namespace draftscope
