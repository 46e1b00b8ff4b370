#include "tests/cuda/attention_setup.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "engine/base/check.h"
#include "kernels/cpu/bf16.h"

namespace draftscope::cuda {

Floats random_floats(int32_t rows, int32_t cols, uint32_t seed, float scale) {
  Floats table(rows, cols);
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  for (float& x : table.data) x = scale * normal(random);
  return table;
}

float rounded_to_bf16(float x) { return float_of_bf16(bf16_of_float(x)); }

TestCache::TestCache(int32_t n_layers, HeadLayout heads, int32_t capacity, bool is_bf16)
    : n_layers_(n_layers), heads_(heads), capacity_(capacity), is_bf16_(is_bf16) {
  const auto n = static_cast<size_t>(at(n_layers, 0, 0));
  keys_.assign(n, std::nanf(""));
  values_ = keys_;
}

void TestCache::put(int32_t layer, int32_t row, const float* columns) {
  const int32_t n = heads_.n_kv_heads * heads_.head_dim;
  for (int32_t i = 0; i < n; ++i) {
    const auto to = static_cast<size_t>(at(layer, i / heads_.head_dim, row) + i % heads_.head_dim);
    keys_[to] = is_bf16_ ? rounded_to_bf16(columns[i]) : columns[i];
    values_[to] = is_bf16_ ? rounded_to_bf16(columns[n + i]) : columns[n + i];
  }
  is_stale_ = true;
}

KvView TestCache::view() {
  KvView view{nullptr, nullptr, n_layers_, heads_.n_kv_heads, capacity_, heads_.head_dim, is_bf16_};
  const auto halves = [](const std::vector<float>& numbers) {
    std::vector<uint16_t> bits(numbers.size());
    std::transform(numbers.begin(), numbers.end(), bits.begin(), bf16_of_float);
    return bits;
  };
  if (is_stale_ && is_bf16_) keys16_ = to_device(halves(keys_)), values16_ = to_device(halves(values_));
  if (is_stale_ && !is_bf16_) keys32_ = to_device(keys_), values32_ = to_device(values_);
  is_stale_ = false;
  view.keys = is_bf16_ ? static_cast<void*>(keys16_.data()) : keys32_.data();
  view.values = is_bf16_ ? static_cast<void*>(values16_.data()) : values32_.data();
  return view;
}

void TestCache::read_back() {
  if (is_bf16_) {
    const std::vector<uint16_t> k = to_host(keys16_), v = to_host(values16_);
    std::transform(k.begin(), k.end(), keys_.begin(), float_of_bf16);
    std::transform(v.begin(), v.end(), values_.begin(), float_of_bf16);
  } else {
    keys_ = to_host(keys32_);
    values_ = to_host(values32_);
  }
}

void TestRows::add(int32_t at, int32_t first, int32_t contiguous, std::vector<int32_t> extra) {
  position.push_back(contiguous + static_cast<int32_t>(extra.size()) - 1);
  cache_row.push_back(at);
  first_key.push_back(first);
  n_contiguous.push_back(contiguous);
  extras.push_back(std::move(extra));
}

TestRows TestRows::slice(int32_t first, int32_t n_rows) const {
  TestRows part;
  for (int32_t r = first; r < first + n_rows; ++r) {
    DS_CHECK(extras[r].empty());
    part.add(cache_row[r], first_key[r], n_contiguous[r]);
  }
  return part;
}

std::vector<int32_t> TestRows::keys_of(int32_t r) const {
  std::vector<int32_t> keys(n_contiguous[r]);
  std::iota(keys.begin(), keys.end(), first_key[r]);
  for (const int32_t j : extras[r]) keys.push_back(cache_row[j]);
  return keys;
}

int32_t TestRows::max_keys() const {
  int32_t most = 0;
  for (int32_t r = 0; r < n(); ++r) most = std::max(most, static_cast<int32_t>(keys_of(r).size()));
  return most;
}

DeviceRows::DeviceRows(const TestRows& rows) {
  const int32_t words = (rows.n() + 31) / 32;
  std::vector<uint32_t> bits(static_cast<size_t>(rows.n()) * words);
  for (int32_t r = 0; r < rows.n(); ++r) {
    for (const int32_t j : rows.extras[r]) bits[r * words + j / 32] |= 1u << j % 32;
  }
  token_ = to_device(std::vector<int32_t>(rows.n()));
  position_ = to_device(rows.position);
  cache_row_ = to_device(rows.cache_row);
  first_key_ = to_device(rows.first_key);
  n_contiguous_ = to_device(rows.n_contiguous);
  bits_ = to_device(bits);
  view_ = {rows.n(),
           words,
           token_.data(),
           position_.data(),
           cache_row_.data(),
           first_key_.data(),
           n_contiguous_.data(),
           bits_.data()};
}

void attend(TestCache& cache, HeadLayout heads, const Floats& qkv, const TestRows& rows, int32_t max_keys,
            void* workspace, Act out) {
  const DeviceBuffer<float> device_qkv = to_device(qkv.data);
  const DeviceRows device_rows(rows);
  attention({device_qkv.data(), qkv.rows, qkv.cols}, heads, cache.view(), 0, device_rows.view(),
            std::max(max_keys, rows.max_keys()), out, workspace, nullptr);
  CUDA_CHECK(cudaDeviceSynchronize());
}

Floats attend(TestCache& cache, HeadLayout heads, const Floats& qkv, const TestRows& rows, int32_t max_keys,
              void* workspace) {
  DeviceBuffer<float> out(static_cast<size_t>(rows.n()) * heads.q_cols());
  CUDA_CHECK(cudaMemset(out.data(), 0xff, out.n_bytes()));
  attend(cache, heads, qkv, rows, max_keys, workspace, {out.data(), rows.n(), heads.q_cols()});
  Floats result(rows.n(), heads.q_cols());
  result.data = to_host(out);
  return result;
}

Floats attend(TestCache& cache, HeadLayout heads, const Floats& qkv, const TestRows& rows, int32_t max_keys) {
  const int32_t most_keys = std::max(max_keys, rows.max_keys());
  const DeviceBuffer<uint8_t> memory(
      static_cast<size_t>(attention_workspace_bytes(rows.n(), heads, most_keys)));
  if (memory.size() > 0) CUDA_CHECK(cudaMemset(memory.data(), 0, memory.n_bytes()));
  return attend(cache, heads, qkv, rows, max_keys, memory.data());
}

Floats attend_by_formula(const TestCache& cache, HeadLayout heads, const Floats& qkv, const TestRows& rows,
                         bool rounds_queries) {
  const int32_t dim = heads.head_dim, n_group = heads.n_q_heads / heads.n_kv_heads;
  Floats out(rows.n(), heads.q_cols());
  for (int32_t r = 0; r < rows.n(); ++r) {
    const std::vector<int32_t> keys = rows.keys_of(r);
    for (int32_t h = 0; h < heads.n_q_heads; ++h) {
      std::vector<double> weight(keys.size());
      for (size_t t = 0; t < keys.size(); ++t) {
        for (int32_t i = 0; i < dim; ++i) {
          const float q = qkv.row(r)[h * dim + i];
          weight[t] += static_cast<double>(rounds_queries ? rounded_to_bf16(q) : q) *
                       cache.key(0, h / n_group, keys[t], i);
        }
        weight[t] /= std::sqrt(static_cast<double>(dim));
      }
      const double max = *std::max_element(weight.begin(), weight.end());
      double sum = 0;
      for (double& w : weight) sum += w = std::exp(w - max);
      for (int32_t i = 0; i < dim; ++i) {
        double value = 0;
        for (size_t t = 0; t < keys.size(); ++t) value += weight[t] * cache.value(0, h / n_group, keys[t], i);
        out.row(r)[h * dim + i] = static_cast<float>(value / sum);
      }
    }
  }
  return out;
}

double normalised_error(const Floats& a, const Floats& b) {
  DS_CHECK(a.rows == b.rows && a.cols == b.cols);
  double error = 0, size = 0;
  for (size_t i = 0; i < a.data.size(); ++i) {
    error += (static_cast<double>(a.data[i]) - b.data[i]) * (static_cast<double>(a.data[i]) - b.data[i]);
    size += static_cast<double>(b.data[i]) * b.data[i];
  }
  return std::sqrt(error / size);
}

}  // namespace draftscope::cuda
