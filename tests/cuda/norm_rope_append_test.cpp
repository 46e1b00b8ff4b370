#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "tests/cuda/attention_setup.h"

namespace draftscope::cuda {
namespace {

constexpr float kEps = 1e-6f;
constexpr int32_t kPositions = 50;

struct LayerSetup {
  HeadLayout heads;
  std::vector<float> q_norm, k_norm;  // (head_dim,)
  Floats cos, sin;                    // (kPositions, head_dim / 2)

  explicit LayerSetup(HeadLayout layout)
      : heads(layout), cos(kPositions, layout.head_dim / 2), sin(kPositions, layout.head_dim / 2) {
    q_norm = random_floats(1, layout.head_dim, 1).data;
    k_norm = random_floats(1, layout.head_dim, 2).data;
    for (int32_t p = 0; p < kPositions; ++p) {
      for (int32_t i = 0; i < cos.cols; ++i) {
        const double angle = p * std::pow(1e4, -2.0 * i / layout.head_dim);
        cos.row(p)[i] = static_cast<float>(std::cos(angle));
        sin.row(p)[i] = static_cast<float>(std::sin(angle));
      }
    }
  }
};

// Appends to layer 1; returns qkv as it is afterwards.
Floats append(const LayerSetup& setup, TestCache& cache, const Floats& qkv, const TestRows& rows) {
  const auto q_norm = to_device(setup.q_norm), k_norm = to_device(setup.k_norm);
  const auto cos = to_device(setup.cos.data), sin = to_device(setup.sin.data),
             device_qkv = to_device(qkv.data);
  const DeviceRows device_rows(rows);
  norm_rope_append({device_qkv.data(), qkv.rows, qkv.cols},
                   {setup.heads, q_norm.data(), k_norm.data(), kEps, {cos.data(), sin.data()}, device_rows.view(), cache.view(), 1},
                   nullptr);
  cache.read_back();
  Floats after = qkv;
  after.data = to_host(device_qkv);
  return after;
}

std::vector<double> normed_and_rotated(const LayerSetup& setup, const float* head,
                                       const std::vector<float>& norm, int32_t position) {
  const int32_t dim = setup.heads.head_dim, half = dim / 2;
  double squares = 0;
  for (int32_t i = 0; i < dim; ++i) squares += static_cast<double>(head[i]) * head[i];
  const double inverse = 1 / std::sqrt(squares / dim + kEps);
  std::vector<double> out(dim);
  for (int32_t i = 0; i < half; ++i) {
    const double low = head[i] * inverse * norm[i], high = head[i + half] * inverse * norm[i + half];
    const double cos = setup.cos.row(position)[i], sin = setup.sin.row(position)[i];
    out[i] = low * cos - high * sin;
    out[i + half] = high * cos + low * sin;
  }
  return out;
}

TestRows scattered_rows(int32_t n) {
  TestRows rows;
  for (int32_t r = 0; r < n; ++r) {
    rows.add(2 + (r * 8) % n, 0, 1);
    rows.position.back() = (r * 13) % kPositions;
  }
  return rows;
}

TEST(CudaNormRopeAppend, EqualsTheFormula) {
  for (const bool is_bf16 : {true, false}) {
    for (const HeadLayout heads : {HeadLayout{4, 2, 64}, {3, 1, 128}, {2, 2, 8}, {2, 1, 40}, {1, 1, 256}}) {
      const LayerSetup setup(heads);
      const int32_t n = 5, dim = heads.head_dim;
      TestCache cache(2, heads, n + 4, is_bf16);
      const Floats qkv = random_floats(n, heads.qkv_cols(), 3);
      const TestRows rows = scattered_rows(n);
      const Floats after = append(setup, cache, qkv, rows);
      for (int32_t r = 0; r < n; ++r) {
        for (int32_t h = 0; h < heads.n_q_heads + heads.n_kv_heads; ++h) {
          const bool is_key = h >= heads.n_q_heads;
          const auto expected = normed_and_rotated(setup, qkv.row(r) + h * dim,
                                                   is_key ? setup.k_norm : setup.q_norm, rows.position[r]);
          for (int32_t i = 0; i < dim; ++i) {
            // Float32 rounds a handful of times; bf16 once, by at most 2^-9.
            const double bound = 1e-5 + (is_key && is_bf16 ? 0x1p-8 * std::fabs(expected[i]) : 0);
            const float found =
                is_key ? cache.key(1, h - heads.n_q_heads, rows.cache_row[r], i) : after.row(r)[h * dim + i];
            ASSERT_NEAR(found, expected[i], bound) << "row " << r << " head " << h << " of " << dim;
          }
        }
        for (int32_t i = 0; i < heads.n_kv_heads * dim; ++i) {
          const float value = qkv.row(r)[heads.q_cols() + heads.n_kv_heads * dim + i];
          ASSERT_EQ(cache.value(1, i / dim, rows.cache_row[r], i % dim),
                    is_bf16 ? rounded_to_bf16(value) : value);
        }
      }
    }
  }
}

TEST(CudaNormRopeAppend, OnlyTheRowsOfThePassAndTheLayerAreWritten) {
  const LayerSetup setup({2, 2, 64});
  TestCache cache(2, setup.heads, 9, true);
  append(setup, cache, random_floats(5, setup.heads.qkv_cols(), 4), scattered_rows(5));
  for (int32_t row = 0; row < 9; ++row) {
    const bool is_written = row >= 2 && row < 7;
    EXPECT_EQ(std::isnan(cache.key(1, 1, row, 63)), !is_written) << row;
    EXPECT_EQ(std::isnan(cache.value(1, 1, row, 63)), !is_written) << row;
    EXPECT_TRUE(std::isnan(cache.key(0, 0, row, 0)) && std::isnan(cache.value(0, 1, row, 63))) << row;
  }
}

TEST(CudaNormRopeAppend, ARowWithoutACacheRowLeavesNothing) {
  const LayerSetup setup({2, 2, 64});
  TestCache cache(2, setup.heads, 9, true);
  TestRows rows = scattered_rows(5);
  const int32_t left_out = std::exchange(rows.cache_row[3], kNoCacheRow);
  append(setup, cache, random_floats(5, setup.heads.qkv_cols(), 4), rows);
  for (int32_t row = 2; row < 7; ++row) {
    EXPECT_EQ(std::isnan(cache.key(1, 1, row, 63)), row == left_out) << row;
    EXPECT_EQ(std::isnan(cache.value(1, 1, row, 63)), row == left_out) << row;
  }
}

TEST(CudaNormRopeAppend, ARowHasTheSameBitsAloneAndWithoutQueries) {
  const LayerSetup setup({4, 2, 64});
  LayerSetup keys_only = setup;
  keys_only.heads.n_q_heads = 0;
  const int32_t n = 21;
  const Floats qkv = random_floats(n, setup.heads.qkv_cols(), 5);
  const TestRows rows = scattered_rows(n);
  TestCache all(2, setup.heads, n + 2, true);
  const Floats after = append(setup, all, qkv, rows);
  for (const int32_t r : {0, 3, 20}) {
    TestRows row;
    row.add(rows.cache_row[r], 0, 1);
    row.position[0] = rows.position[r];
    Floats one(1, qkv.cols), tail(1, keys_only.heads.qkv_cols());
    std::copy_n(qkv.row(r), one.cols, one.row(0));
    std::copy_n(qkv.row(r) + setup.heads.q_cols(), tail.cols, tail.row(0));
    TestCache alone(2, setup.heads, n + 2, true), without(2, setup.heads, n + 2, true);
    const Floats after_one = append(setup, alone, one, row);
    append(keys_only, without, tail, row);
    for (int32_t i = 0; i < setup.heads.q_cols(); ++i) ASSERT_EQ(after_one.row(0)[i], after.row(r)[i]);
    for (int32_t i = 0; i < 128; ++i) {
      for (const TestCache* other : {&alone, &without}) {
        ASSERT_EQ(other->key(1, i / 64, row.cache_row[0], i % 64),
                  all.key(1, i / 64, row.cache_row[0], i % 64));
        ASSERT_EQ(other->value(1, i / 64, row.cache_row[0], i % 64),
                  all.value(1, i / 64, row.cache_row[0], i % 64));
      }
    }
  }
}

}  // namespace
}  // namespace draftscope::cuda
