// FamilyBackend: forwards every operation to another backend, or those of one family only, so that a pass timed with one
// family left in says what that family costs. What such a pass computes means nothing.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <utility>

#include "kernels/round_loop.h"

namespace draftscope {

enum class Family : uint8_t { kAll, kQkvAppend, kAttention, kOutputs, kGateUp, kHead, kRest };
constexpr std::array<std::pair<Family, const char*>, 6> kFamilies{{{Family::kQkvAppend, "qkv_append"},
                                                                   {Family::kAttention, "attention"},
                                                                   {Family::kOutputs, "o_and_down"},
                                                                   {Family::kGateUp, "gate_up"},
                                                                   {Family::kHead, "head"},
                                                                   {Family::kRest, "embed_and_norm"}}};

class FamilyBackend final : public Backend {
 public:
  explicit FamilyBackend(std::unique_ptr<Backend> inner) : inner_(std::move(inner)) {}

  /// From now on; kAll: every operation, as at first.
  void keep_only(Family family) { family_ = family; }

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
  std::unique_ptr<ActBuffer> make_act(int32_t rows, int32_t cols) override { return inner_->make_act(rows, cols); }
  std::unique_ptr<ActBuffer> make_product_input(int32_t rows, int32_t cols) override {
    return inner_->make_product_input(rows, cols);
  }
  void write(std::span<const float> from, Act to) override { inner_->write(from, to); }
  void read(Act from, std::span<float> to) override { inner_->read(from, to); }
  void place(PassRows& rows) override { inner_->place(rows); }
  bool has_round_loop() const override { return inner_->has_round_loop(); }
  std::unique_ptr<RoundLoop> make_round_loop(RoundLoopSetup setup) override {
    return inner_->make_round_loop(std::move(setup));
  }
  std::vector<double> time_runs(int32_t n, const std::function<void()>& work) override {
    return inner_->time_runs(n, work);
  }

  void embed(const Table& table, const PassRows& rows, Act out) override {
    if (keeps(Family::kRest)) inner_->embed(table, rows, out);
  }
  void rms_norm(Act x, VectorView weight, float eps, Act out) override {
    if (keeps(Family::kRest)) inner_->rms_norm(x, weight, eps, out);
  }
  void matmul(Act x, const Matrix& w, Act out, Write write) override {
    if (keeps(Family::kOutputs)) inner_->matmul(x, w, out, write);
  }
  void norm_matmul(Act x, VectorView weight, float eps, const Matrix& w, Act out) override {
    if (keeps(Family::kQkvAppend)) inner_->norm_matmul(x, weight, eps, w, out);
  }
  void norm_gate_up(Act x, VectorView weight, float eps, const Matrix& w, Act out) override {
    if (keeps(Family::kGateUp)) inner_->norm_gate_up(x, weight, eps, w, out);
  }
  void norm_rope_append(Act qkv, const HeadsTo& to) override {
    if (keeps(Family::kQkvAppend)) inner_->norm_rope_append(qkv, to);
  }
  void matmul_append(Act x, const std::optional<InputNorm>& norm, const Matrix& w, Act out, const HeadsTo& to) override {
    if (keeps(Family::kQkvAppend)) inner_->matmul_append(x, norm, w, out, to);
  }
  void attention(Act qkv, HeadLayout heads, const KvStore& kv, int32_t layer, const PassRows& rows, Act out) override {
    if (keeps(Family::kAttention)) inner_->attention(qkv, heads, kv, layer, rows, out);
  }
  void head_top_k(Act x, const Matrix& head, int32_t k, TopK& out) override {
    if (keeps(Family::kHead)) inner_->head_top_k(x, head, k, out);
  }
  void keep_rows(KvStore& kv, int32_t first, std::span<const int32_t> kept) override { inner_->keep_rows(kv, first, kept); }
  void gather_rows(Act x, std::span<const int32_t> rows, Act out, int32_t first_col) override {
    inner_->gather_rows(x, rows, out, first_col);
  }
  void put_columns(Act x, Act out, int32_t first_col) override {
    if (keeps(Family::kRest)) inner_->put_columns(x, out, first_col);
  }

 private:
  bool keeps(Family family) const { return family_ == Family::kAll || family_ == family; }

  std::unique_ptr<Backend> inner_;
  Family family_ = Family::kAll;
};

}  // namespace draftscope
