// TimedBackend: forwards every operation to another backend and adds up where a pass spends its time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "kernels/backend.h"
#include "tests/bench/machine_ceilings.h"

namespace draftscope {

class TimedBackend final : public Backend {
 public:
  explicit TimedBackend(std::unique_ptr<Backend> inner) : inner_(std::move(inner)) {}

  /// Milliseconds (see now_s) per operation since the last reset(); products are told apart as "matmul n_out
  /// x n_in".
  const std::map<std::string, double>& spent_ms() const { return spent_ms_; }
  void reset() { spent_ms_.clear(); }

  std::string describe() const override { return inner_->describe(); }
  Precision precision() const override { return inner_->precision(); }
  int32_t n_threads() const override { return inner_->n_threads(); }
  std::unique_ptr<Matrix> pack(std::span<const Tensor> parts) override { return inner_->pack(parts); }
  std::unique_ptr<KvStore> make_kv(int32_t n_layers, HeadLayout heads, int32_t capacity) override {
    return inner_->make_kv(n_layers, heads, capacity);
  }
  std::unique_ptr<ActBuffer> make_act(int32_t rows, int32_t cols) override {
    return inner_->make_act(rows, cols);
  }

  void embed(const Tensor& table, std::span<const int32_t> tokens, Act out) override {
    time("embed", [&] { inner_->embed(table, tokens, out); });
  }
  void rms_norm(Act x, const Vector& weight, float eps, Act out) override {
    time("rms_norm", [&] { inner_->rms_norm(x, weight, eps, out); });
  }
  void matmul(Act x, const Matrix& w, Act out, Write write) override {
    time(fmt::format("matmul {} x {}", w.n_out, w.n_in), [&] { inner_->matmul(x, w, out, write); });
  }
  void norm_rope_append(Act qkv, HeadLayout heads, const Vector& q_norm, const Vector& k_norm, float eps,
                        const Rope& rope, std::span<const int32_t> positions, KvStore& kv, int32_t layer,
                        int32_t first_row) override {
    time("norm_rope_append", [&] {
      inner_->norm_rope_append(qkv, heads, q_norm, k_norm, eps, rope, positions, kv, layer, first_row);
    });
  }
  void attention(Act qkv, HeadLayout heads, const KvStore& kv, int32_t layer, const KeySets& keys,
                 Act out) override {
    time("attention", [&] { inner_->attention(qkv, heads, kv, layer, keys, out); });
  }
  void silu_mul(Act gate_up, Act out) override {
    time("silu_mul", [&] { inner_->silu_mul(gate_up, out); });
  }
  void head_top_k(Act x, const Matrix& head, int32_t k, TopK& out) override {
    time("head_top_k", [&] { inner_->head_top_k(x, head, k, out); });
  }
  void keep_rows(KvStore& kv, int32_t first, std::span<const int32_t> kept) override {
    time("keep_rows", [&] { inner_->keep_rows(kv, first, kept); });
  }
  void gather_rows(Act x, std::span<const int32_t> rows, Act out, int32_t first_col) override {
    time("gather_rows", [&] { inner_->gather_rows(x, rows, out, first_col); });
  }

 private:
  template <class Operation>
  void time(const std::string& name, const Operation& operation) {
    const bool one_thread = n_threads() == 1;
    const double start = now_s(one_thread);
    operation();
    spent_ms_[name] += (now_s(one_thread) - start) * 1e3;
  }

  std::unique_ptr<Backend> inner_;
  std::map<std::string, double> spent_ms_;
};

}  // namespace draftscope
