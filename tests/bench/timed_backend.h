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
  std::unique_ptr<Matrix> pack_gate_up(const Tensor& gate, const Tensor& up) override {
    return inner_->pack_gate_up(gate, up);
  }
  std::unique_ptr<Table> make_table(const Tensor& tensor, const Matrix* head) override {
    return inner_->make_table(tensor, head);
  }
  std::unique_ptr<KvStore> make_kv(int32_t n_layers, HeadLayout heads, int32_t capacity) override {
    return inner_->make_kv(n_layers, heads, capacity);
  }
  std::unique_ptr<ActBuffer> make_act(int32_t rows, int32_t cols) override {
    return inner_->make_act(rows, cols);
  }
  std::unique_ptr<ActBuffer> make_product_input(int32_t rows, int32_t cols) override {
    return inner_->make_product_input(rows, cols);
  }
  void write(std::span<const float> from, Act to) override { inner_->write(from, to); }
  void read(Act from, std::span<float> to) override { inner_->read(from, to); }
  void place(PassRows& rows) override { inner_->place(rows); }

  void embed(const Table& table, const PassRows& rows, Act out) override {
    time("embed", [&] { inner_->embed(table, rows, out); });
  }
  void rms_norm(Act x, VectorView weight, float eps, Act out) override {
    time("rms_norm", [&] { inner_->rms_norm(x, weight, eps, out); });
  }
  void matmul(Act x, const Matrix& w, Act out, Write write) override {
    time(fmt::format("matmul {} x {}", w.n_out, w.n_in), [&] { inner_->matmul(x, w, out, write); });
  }
  void norm_matmul(Act x, VectorView weight, float eps, const Matrix& w, Act out) override {
    time(fmt::format("norm_matmul {} x {}", w.n_out, w.n_in), [&] { inner_->norm_matmul(x, weight, eps, w, out); });
  }
  void norm_gate_up(Act x, VectorView weight, float eps, const Matrix& w, Act out) override {
    time(fmt::format("norm_gate_up {} x {}", w.n_out, w.n_in), [&] { inner_->norm_gate_up(x, weight, eps, w, out); });
  }
  void norm_rope_append(Act qkv, const HeadsTo& to) override {
    time("norm_rope_append", [&] { inner_->norm_rope_append(qkv, to); });
  }
  void attention(Act qkv, HeadLayout heads, const KvStore& kv, int32_t layer, const PassRows& rows, Act out) override {
    time("attention", [&] { inner_->attention(qkv, heads, kv, layer, rows, out); });
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
  void put_columns(Act x, Act out, int32_t first_col) override {
    time("put_columns", [&] { inner_->put_columns(x, out, first_col); });
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
