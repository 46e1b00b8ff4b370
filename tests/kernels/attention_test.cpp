#include <array>
#include <bit>
#include <cmath>
#include <numeric>

#include "kernels/cpu/kv_store.h"
#include "tests/kernels/kernel_test.h"

namespace draftscope {
namespace {

using reference::Table;

constexpr double kTheta = 1e4;
constexpr float kEps = 1e-6f;

struct LayerSetup {
  HeadLayout heads;
  Vector q_norm, k_norm;
  Rope rope;
};

LayerSetup make_layer_setup(int32_t n_q, int32_t n_kv, int32_t head_dim, int32_t n_positions) {
  LayerSetup setup{
      {n_q, n_kv, head_dim}, Vector(head_dim), Vector(head_dim), make_rope(head_dim, kTheta, n_positions)};
  for (int32_t i = 0; i < head_dim; ++i)
    setup.q_norm[i] = 1.0f + 0.01f * i, setup.k_norm[i] = 1.5f - 0.01f * i;
  return setup;
}

std::vector<int32_t> ascending(int32_t first, int64_t n) {
  std::vector<int32_t> list(static_cast<size_t>(n));
  std::iota(list.begin(), list.end(), first);
  return list;
}

KeySets chain_keys(int32_t n_before, int64_t rows) {
  KeySets keys;
  keys.n_contiguous = ascending(n_before + 1, rows);
  keys.extra_begin.assign(static_cast<size_t>(rows) + 1, 0);
  return keys;
}

// Cached key or value columns of one kv head, as stored.
Table cached(const CpuKvStore& kv, bool is_key, int32_t layer, int32_t kv_head,
             const std::vector<int32_t>& rows) {
  Table table(static_cast<int64_t>(rows.size()), kv.head_dim);
  for (size_t t = 0; t < rows.size(); ++t) {
    for (int32_t i = 0; i < kv.head_dim; ++i) {
      const size_t at = static_cast<size_t>(kv.offset(layer, kv_head, rows[t]) + i);
      if (kv.is_bf16) {
        const uint32_t bits = static_cast<uint32_t>((is_key ? kv.k16 : kv.v16)[at]) << 16;
        table.at(static_cast<int64_t>(t), i) = std::bit_cast<float>(bits);
      } else {
        table.at(static_cast<int64_t>(t), i) = (is_key ? kv.k32 : kv.v32)[at];
      }
    }
  }
  return table;
}

class AttentionTest : public KernelTest {
 protected:
  // Appends random rows to every layer; the last rows' qkv buffer comes back.
  std::unique_ptr<ActBuffer> append(Backend& backend, const LayerSetup& setup, KvStore& kv, int32_t layer,
                                    const Table& qkv, int32_t first_row,
                                    const std::vector<int32_t>& positions) const {
    auto act = reference::to_act(backend, qkv);
    PassRows rows;
    rows.n = act->act.rows;
    rows.position = positions;
    rows.cache_row = ascending(first_row, rows.n);
    backend.norm_rope_append(act->act, {setup.heads, setup.q_norm, setup.k_norm, kEps, setup.rope, rows, kv, layer});
    return act;
  }
  Table attend(Backend& backend, const LayerSetup& setup, const KvStore& kv, int32_t layer, const Act& qkv,
               const KeySets& keys) const {
    const auto out = backend.make_act(qkv.rows, setup.heads.q_cols());
    PassRows rows;
    rows.n = qkv.rows;
    rows.keys = keys;
    backend.attention(qkv, setup.heads, kv, layer, rows, out->act);
    return reference::to_table(out->act);
  }
  // Softmax attention in double over the rows that `keys` lists.
  void expect_formula(const LayerSetup& setup, const CpuKvStore& kv, const Act& qkv, const KeySets& keys,
                      const Table& out) const {
    const int32_t dim = setup.heads.head_dim, n_group = setup.heads.n_q_heads / setup.heads.n_kv_heads;
    for (int32_t r = 0; r < qkv.rows; ++r) {
      std::vector<int32_t> rows = ascending(keys.first_key.empty() ? 0 : keys.first_key[r], keys.n_contiguous[r]);
      rows.insert(rows.end(), keys.extra.begin() + keys.extra_begin[r],
                  keys.extra.begin() + keys.extra_begin[r + 1]);
      for (int32_t h = 0; h < setup.heads.n_q_heads; ++h) {
        const std::vector<double> q(qkv.row(r) + h * dim, qkv.row(r) + (h + 1) * dim);
        const auto expected = reference::attend(q, cached(kv, true, 0, h / n_group, rows),
                                                cached(kv, false, 0, h / n_group, rows));
        for (int32_t i = 0; i < dim; ++i)
          ASSERT_NEAR(out.at(r, h * dim + i), expected[i], 2e-5) << r << " head " << h;
      }
    }
  }
};

TEST_P(AttentionTest, NormRopeAppendEqualsTheFormula) {
  const LayerSetup setup = make_layer_setup(4, 2, 16, 64);
  const auto kv = backend_->make_kv(2, setup.heads, 10);
  const Table qkv = reference::random_table(3, setup.heads.qkv_cols(), 1);
  const std::vector<int32_t> positions{7, 8, 40};
  const auto act = append(*backend_, setup, *kv, 1, qkv, 4, positions);
  const auto& store = static_cast<const CpuKvStore&>(*kv);
  for (int32_t r = 0; r < 3; ++r) {
    for (int32_t h = 0; h < 6; ++h) {
      Table head(1, 16);
      for (int32_t i = 0; i < 16; ++i) head.at(0, i) = qkv.at(r, h * 16 + i);
      const Table expected = reference::rotate(
          reference::rms_norm(head, h < 4 ? setup.q_norm : setup.k_norm, kEps), 16, kTheta, {positions[r]});
      const Table k = cached(store, true, 1, h % 2, {4 + r}), v = cached(store, false, 1, h % 2, {4 + r});
      for (int32_t i = 0; i < 16; ++i) {
        if (h < 4)
          ASSERT_NEAR(act->act.row(r)[h * 16 + i], expected.at(0, i), 2e-5);
        else
          ASSERT_NEAR(k.at(0, i), expected.at(0, i),
                      is_bf16() ? 0x1p-8 * std::fabs(expected.at(0, i)) + 1e-5 : 2e-5);
        if (h >= 4) {
          const double value = qkv.at(r, (h + 2) * 16 + i);
          ASSERT_EQ(v.at(0, i), is_bf16() ? reference::rounded(DType::kBf16, value) : value);
        }
      }
    }
  }
}

TEST_P(AttentionTest, KeysAndValuesAloneGoToTheCache) {
  const LayerSetup full = make_layer_setup(4, 2, 16, 64);
  LayerSetup keys_only = full;
  keys_only.heads.n_q_heads = 0;
  const Table qkv = reference::random_table(3, full.heads.qkv_cols(), 2);
  Table kv_cols(3, keys_only.heads.qkv_cols());
  for (int64_t r = 0; r < 3; ++r) {
    for (int64_t c = 0; c < kv_cols.cols; ++c) kv_cols.at(r, c) = qkv.at(r, full.heads.q_cols() + c);
  }
  const auto a = backend_->make_kv(1, full.heads, 3), b = backend_->make_kv(1, full.heads, 3);
  append(*backend_, full, *a, 0, qkv, 0, {0, 1, 2});
  append(*backend_, keys_only, *b, 0, kv_cols, 0, {0, 1, 2});
  const auto &left = static_cast<const CpuKvStore&>(*a), &right = static_cast<const CpuKvStore&>(*b);
  EXPECT_EQ(left.k16, right.k16);
  EXPECT_EQ(left.v16, right.v16);
  EXPECT_EQ(left.k32, right.k32);
  EXPECT_EQ(left.v32, right.v32);
}

TEST_P(AttentionTest, ChainEqualsSoftmaxInDouble) {
  for (const auto& [n_q, n_kv, dim, rows] :
       {std::array{1, 1, 8, 1}, {4, 2, 16, 5}, {6, 2, 40, 33}, {4, 4, 128, 70}, {8, 1, 256, 3}}) {
    SCOPED_TRACE(fmt::format("{} heads, {} kv heads, head_dim {}, {} rows", n_q, n_kv, dim, rows));
    const LayerSetup setup = make_layer_setup(n_q, n_kv, dim, 256);
    const auto kv = backend_->make_kv(1, setup.heads, 200);
    const int32_t before = 59;
    append(*backend_, setup, *kv, 0, reference::random_table(before, setup.heads.qkv_cols(), 3), 0,
           ascending(0, before));
    const auto act =
        append(*backend_, setup, *kv, 0, reference::random_table(rows, setup.heads.qkv_cols(), 4), before,
               ascending(before, rows));
    const KeySets keys = chain_keys(before, rows);
    const Table out = attend(*backend_, setup, *kv, 0, act->act, keys);
    expect_formula(setup, static_cast<const CpuKvStore&>(*kv), act->act, keys, out);
  }
}

TEST_P(AttentionTest, ARowHasTheSameBitsInAnyBatchAndThreadCount) {
  const LayerSetup setup = make_layer_setup(4, 2, 24, 256);
  const Table qkv = reference::random_table(150, setup.heads.qkv_cols(), 5);
  const auto kv = backend_->make_kv(1, setup.heads, 150);
  const auto act = append(*backend_, setup, *kv, 0, qkv, 0, ascending(0, 150));
  const Table all = attend(*backend_, setup, *kv, 0, act->act, chain_keys(0, 150));
  for (const int32_t n_threads : {1, 2, 3}) {
    const auto other = make(n_threads);
    ASSERT_EQ(attend(*other, setup, *kv, 0, act->act, chain_keys(0, 150)).data, all.data);
    for (const auto& [first, n] :
         {std::pair{0, 1}, {31, 1}, {32, 1}, {33, 2}, {60, 17}, {90, 60}, {149, 1}}) {
      const Act part{act->act.row(first), n, act->act.cols};
      const Table out = attend(*other, setup, *kv, 0, part, chain_keys(first, n));
      for (int32_t r = 0; r < n; ++r) {
        ASSERT_EQ(reference::row_of(out, r).data, reference::row_of(all, first + r).data)
            << first + r << " of " << n;
      }
    }
  }
}

// A random tree behind `before` rows: every node attends to the context, its ancestors and itself.
struct Tree {
  std::vector<int32_t> parent;  // -1: the context
  std::vector<std::vector<int32_t>> path;
};
Tree random_tree(int32_t n, uint32_t seed) {
  Tree tree;
  std::mt19937 random(seed);
  for (int32_t i = 0; i < n; ++i) {
    const int32_t parent = i == 0 ? -1 : static_cast<int32_t>(random() % std::min(i, 6)) + std::max(0, i - 6);
    tree.parent.push_back(parent);
    std::vector<int32_t> path = parent < 0 ? std::vector<int32_t>{} : tree.path[parent];
    path.push_back(i);
    tree.path.push_back(path);
  }
  return tree;
}

TEST_P(AttentionTest, TreeNodesEqualPlainDecodingBitByBit) {
  const LayerSetup setup = make_layer_setup(4, 2, 32, 256);
  for (const int32_t before : {1, 20, 31, 32, 63, 100}) {
    const int32_t n = 45;
    const Tree tree = random_tree(n, static_cast<uint32_t>(before));
    const Table context = reference::random_table(before, setup.heads.qkv_cols(), 6);
    const Table nodes = reference::random_table(n, setup.heads.qkv_cols(), 7);
    const auto kv = backend_->make_kv(1, setup.heads, before + n);
    append(*backend_, setup, *kv, 0, context, 0, ascending(0, before));
    std::vector<int32_t> positions;
    KeySets keys;
    keys.extra_begin.push_back(0);
    for (int32_t i = 0; i < n; ++i) {
      positions.push_back(before + static_cast<int32_t>(tree.path[i].size()) - 1);
      keys.n_contiguous.push_back(before);
      for (const int32_t node : tree.path[i]) keys.extra.push_back(before + node);
      keys.extra_begin.push_back(static_cast<int32_t>(keys.extra.size()));
    }
    const auto act = append(*backend_, setup, *kv, 0, nodes, before, positions);
    const Table out = attend(*backend_, setup, *kv, 0, act->act, keys);
    expect_formula(setup, static_cast<const CpuKvStore&>(*kv), act->act, keys, out);
    for (int32_t i = 0; i < n; ++i) {  // the node's path alone, row by row, as plain decoding would
      const auto plain = backend_->make_kv(1, setup.heads, before + n);
      append(*backend_, setup, *plain, 0, context, 0, ascending(0, before));
      Table last;
      for (size_t depth = 0; depth < tree.path[i].size(); ++depth) {
        const int32_t at = before + static_cast<int32_t>(depth);
        const auto row =
            append(*backend_, setup, *plain, 0, reference::row_of(nodes, tree.path[i][depth]), at, {at});
        last = attend(*backend_, setup, *plain, 0, row->act, chain_keys(at, 1));
      }
      ASSERT_EQ(last.data, reference::row_of(out, i).data) << "node " << i << " after " << before;
    }
  }
}

TEST_P(AttentionTest, TextsThatShareACacheAreReadAloneBitByBit) {
  const LayerSetup setup = make_layer_setup(4, 2, 24, 256);
  const std::vector<int32_t> lengths{5, 40, 70};
  const auto shared = backend_->make_kv(1, setup.heads, 3 + 2 * 45 + 70);
  Table all(0, setup.heads.qkv_cols());
  KeySets keys;
  keys.extra_begin = {0};
  std::vector<Table> alone;
  for (size_t i = 0; i < lengths.size(); ++i) {  // text i lives at cache rows 3 + 45 i and after
    const int32_t first = 3 + 45 * static_cast<int32_t>(i), n = lengths[i];
    const Table qkv = reference::random_table(n, setup.heads.qkv_cols(), 20 + static_cast<uint32_t>(i));
    const auto own = backend_->make_kv(1, setup.heads, n);
    const auto act = append(*backend_, setup, *own, 0, qkv, 0, ascending(0, n));
    alone.push_back(attend(*backend_, setup, *own, 0, act->act, chain_keys(0, n)));
    append(*backend_, setup, *shared, 0, qkv, first, ascending(0, n));
    for (int32_t r = n - 3; r < n; ++r) {  // the last one's own key as an extra, as in a tree
      const Table row = reference::to_table({act->act.row(r), 1, act->act.cols});
      all.data.insert(all.data.end(), row.data.begin(), row.data.end());
      keys.first_key.push_back(first);
      keys.n_contiguous.push_back(r == n - 1 ? r : r + 1);
      if (r == n - 1) keys.extra.push_back(first + r);
      keys.extra_begin.push_back(static_cast<int32_t>(keys.extra.size()));
      ++all.rows;
    }
  }
  const auto queries = reference::to_act(*backend_, all);
  const Table out = attend(*backend_, setup, *shared, 0, queries->act, keys);
  expect_formula(setup, static_cast<const CpuKvStore&>(*shared), queries->act, keys, out);
  for (size_t i = 0; i < lengths.size(); ++i) {
    for (int32_t r = 0; r < 3; ++r) {
      EXPECT_EQ(reference::row_of(out, static_cast<int64_t>(i) * 3 + r).data,
                reference::row_of(alone[i], lengths[i] - 3 + r).data);
    }
  }
}

TEST_P(AttentionTest, LargeScoresDoNotOverflow) {
  const LayerSetup setup = make_layer_setup(1, 1, 8, 256);
  LayerSetup loud = setup;
  for (float& weight : loud.q_norm) weight *= 1e4f;
  const auto kv = backend_->make_kv(1, loud.heads, 100);
  const auto act = append(*backend_, loud, *kv, 0, reference::random_table(100, loud.heads.qkv_cols(), 8), 0,
                          ascending(0, 100));
  const Table out = attend(*backend_, loud, *kv, 0, act->act, chain_keys(0, 100));
  for (const double value : out.data) ASSERT_TRUE(std::isfinite(value));
}

TEST_P(AttentionTest, KeepRowsMovesTheAcceptedPathInEveryLayer) {
  const LayerSetup setup = make_layer_setup(2, 2, 8, 64);
  const auto kv = backend_->make_kv(3, setup.heads, 12);
  for (int32_t layer = 0; layer < 3; ++layer) {
    append(*backend_, setup, *kv, layer, reference::random_table(12, setup.heads.qkv_cols(), 9 + layer), 0,
           ascending(0, 12));
  }
  const auto& store = static_cast<const CpuKvStore&>(*kv);
  std::vector<Table> before;
  for (int32_t layer = 0; layer < 3; ++layer) {
    for (const bool is_key : {true, false})
      before.push_back(cached(store, is_key, layer, 1, ascending(0, 12)));
  }
  const std::vector<int32_t> kept{0, 2, 3, 7};
  backend_->keep_rows(*kv, 4, kept);
  const std::vector<int32_t> expected{0, 1, 2, 3, 4, 6, 7, 11};
  for (int32_t layer = 0, i = 0; layer < 3; ++layer) {
    for (const bool is_key : {true, false}) {
      const Table after = cached(store, is_key, layer, 1, ascending(0, 8)), &old = before[i++];
      for (int32_t r = 0; r < 8; ++r) {
        ASSERT_EQ(reference::row_of(after, r).data, reference::row_of(old, expected[r]).data)
            << layer << ", " << r;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Paths, AttentionTest, all_settings(), setting_name);

}  // namespace
}  // namespace draftscope
