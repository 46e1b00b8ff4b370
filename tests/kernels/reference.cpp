#include "tests/kernels/reference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace draftscope::reference {
namespace {

struct Format {
  int fraction_bits, min_exponent;  // value = 1.f * 2^e with e >= min_exponent
};
Format format_of(DType dtype) {
  if (dtype == DType::kF16) return {10, -14};
  if (dtype == DType::kBf16) return {7, -126};
  return {23, -126};
}

}  // namespace

double rounded(DType dtype, double value) {
  if (value == 0 || !std::isfinite(value)) return value;
  const Format format = format_of(dtype);
  const int exponent = std::max(std::ilogb(value), format.min_exponent);
  const double unit = std::ldexp(1.0, exponent - format.fraction_bits);
  return std::nearbyint(value / unit) * unit;
}

uint32_t bits_of(DType dtype, double value) {
  const float single = static_cast<float>(value);  // exact: every type fits into float32
  uint32_t bits = 0;
  std::memcpy(&bits, &single, 4);
  if (dtype == DType::kF32) return bits;
  if (dtype == DType::kBf16) return bits >> 16;
  const uint32_t sign = std::signbit(value) ? 0x8000u : 0u;
  const double size = std::fabs(value);
  if (size < 0x1p-14) return sign | static_cast<uint32_t>(size * 0x1p24);
  const int exponent = std::ilogb(size);
  return sign | static_cast<uint32_t>(exponent + 15) << 10 |
         static_cast<uint32_t>((std::ldexp(size, -exponent) - 1.0) * 1024.0);
}

Weights store(DType dtype, const Table& values) {
  Weights weights;
  weights.dtype = dtype;
  weights.values = values;
  for (double& value : weights.values.data) {
    value = rounded(dtype, value);
    const uint32_t bits = bits_of(dtype, value);
    const auto* first = reinterpret_cast<const std::byte*>(&bits);
    weights.bytes.insert(weights.bytes.end(), first, first + size_bytes(dtype));
  }
  return weights;
}

Table random_table(int64_t rows, int64_t cols, uint32_t seed, double scale) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(0.0, scale);
  Table table(rows, cols);
  for (double& value : table.data) value = static_cast<float>(normal(random));
  return table;
}

Weights random_weights(DType dtype, int64_t rows, int64_t cols, uint32_t seed, double scale) {
  return store(dtype, random_table(rows, cols, seed, scale));
}

std::unique_ptr<ActBuffer> to_act(Backend& backend, const Table& values) {
  auto buffer = backend.make_act(static_cast<int32_t>(values.rows), static_cast<int32_t>(values.cols));
  std::copy(values.data.begin(), values.data.end(), buffer->act.data);
  return buffer;
}

Table to_table(const Act& act) {
  Table table(act.rows, act.cols);
  std::copy_n(act.data, table.data.size(), table.data.begin());
  return table;
}

Table row_of(const Table& values, int64_t row) {
  Table one(1, values.cols);
  std::copy_n(values.data.begin() + row * values.cols, values.cols, one.data.begin());
  return one;
}

Table matmul(const Table& x, const Table& w, Table* magnitude) {
  Table out(x.rows, w.rows);
  if (magnitude != nullptr) *magnitude = Table(x.rows, w.rows);
  for (int64_t r = 0; r < x.rows; ++r) {
    for (int64_t o = 0; o < w.rows; ++o) {
      double sum = 0, size = 0;
      for (int64_t i = 0; i < x.cols; ++i) {
        sum += x.at(r, i) * w.at(o, i);
        size += std::fabs(x.at(r, i) * w.at(o, i));
      }
      out.at(r, o) = sum;
      if (magnitude != nullptr) magnitude->at(r, o) = size;
    }
  }
  return out;
}

Table rms_norm(const Table& x, const std::vector<float>& weight, double eps) {
  Table out(x.rows, x.cols);
  for (int64_t r = 0; r < x.rows; ++r) {
    double squares = 0;
    for (int64_t c = 0; c < x.cols; ++c) squares += x.at(r, c) * x.at(r, c);
    const double root = std::sqrt(squares / static_cast<double>(x.cols) + eps);
    for (int64_t c = 0; c < x.cols; ++c) out.at(r, c) = x.at(r, c) / root * weight[static_cast<size_t>(c)];
  }
  return out;
}

Table silu_mul(const Table& gate_up) {
  const int64_t dim = gate_up.cols / 2;
  Table out(gate_up.rows, dim);
  for (int64_t r = 0; r < gate_up.rows; ++r) {
    for (int64_t c = 0; c < dim; ++c) {
      const double gate = gate_up.at(r, c);
      out.at(r, c) = gate / (1.0 + std::exp(-gate)) * gate_up.at(r, dim + c);
    }
  }
  return out;
}

Table rotate(const Table& x, int64_t head_dim, double theta, const std::vector<int32_t>& positions) {
  Table out = x;
  for (int64_t r = 0; r < x.rows; ++r) {
    for (int64_t head = 0; head < x.cols; head += head_dim) {
      for (int64_t i = 0; i < head_dim / 2; ++i) {
        const double angle = positions[static_cast<size_t>(r)] * std::pow(theta, -2.0 * i / head_dim);
        const double low = x.at(r, head + i), high = x.at(r, head + i + head_dim / 2);
        out.at(r, head + i) = low * std::cos(angle) - high * std::sin(angle);
        out.at(r, head + i + head_dim / 2) = low * std::sin(angle) + high * std::cos(angle);
      }
    }
  }
  return out;
}

std::vector<double> attend(const std::vector<double>& q, const Table& keys, const Table& values) {
  std::vector<double> score(static_cast<size_t>(keys.rows));
  for (int64_t t = 0; t < keys.rows; ++t) {
    for (int64_t i = 0; i < keys.cols; ++i)
      score[t] += q[i] * keys.at(t, i) / std::sqrt(static_cast<double>(keys.cols));
  }
  const double max = *std::max_element(score.begin(), score.end());
  double total = 0;
  for (double& each : score) total += each = std::exp(each - max);
  std::vector<double> out(q.size());
  for (int64_t t = 0; t < keys.rows; ++t) {
    for (int64_t i = 0; i < keys.cols; ++i) out[i] += score[t] / total * values.at(t, i);
  }
  return out;
}

Table log_softmax(const Table& logits) {
  Table out = logits;
  for (int64_t r = 0; r < logits.rows; ++r) {
    double max = logits.at(r, 0), sum = 0;
    for (int64_t c = 0; c < logits.cols; ++c) max = std::max(max, logits.at(r, c));
    for (int64_t c = 0; c < logits.cols; ++c) sum += std::exp(logits.at(r, c) - max);
    for (int64_t c = 0; c < logits.cols; ++c) out.at(r, c) -= max + std::log(sum);
  }
  return out;
}

std::unique_ptr<Backend> make_backend(CpuPath path, Precision precision, int32_t n_threads) {
  Result<std::unique_ptr<Backend>> made = make_cpu_backend({precision, n_threads, path});
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error());
  return made.ok() ? std::move(*made) : nullptr;
}

bool is_supported(CpuPath path) {
  const std::vector<CpuPath> paths = supported_cpu_paths();
  return std::find(paths.begin(), paths.end(), path) != paths.end();
}

}  // namespace draftscope::reference
