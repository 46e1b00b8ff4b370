// Rounds that several texts share: the host's trees under one budget, a pass whose rows keep the texts apart, and a record
// for each.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/device_rounds.h"
#include "engine/model/rows.h"
#include "engine/sampler.h"
#include "engine/speculate/accept.h"
#include "engine/speculate/grow.h"
#include "engine/speculate/shared_budget.h"
#include "tests/cuda/device_control.h"
#include "tests/cuda/round_case.h"

namespace draftscope::cuda {
namespace {

// Drafts of equal sizes, and where their texts stand.
struct Company {
  std::vector<Marginals> q;
  std::vector<TextRound> texts;

  Company(std::mt19937& random, int32_t n_texts, int32_t n_depths, int32_t n_ranks, bool likely) {
    int32_t first = 0;
    for (int32_t t = 0; t < n_texts; ++t) {
      q.push_back(likely ? realistic_marginals(random, n_depths, n_ranks)
                         : random_marginals(random, n_depths, n_ranks, static_cast<Spread>(random() % 3)));
      TextRound& text = texts.emplace_back();
      text.context_len = static_cast<int32_t>(random() % 900);
      text.root_token = 3000 + t;
      text.target_first = first;
      text.drafter_first = 2 * first;
      first += 1200;
    }
  }
  int32_t size() const { return static_cast<int32_t>(texts.size()); }
  int32_t mean_context() const {
    int64_t sum = 0;
    for (const TextRound& text : texts) sum += text.context_len;
    return static_cast<int32_t>(sum / size());
  }
  std::vector<RequestDraft> requests() const {
    std::vector<RequestDraft> drafts;
    for (size_t t = 0; t < q.size(); ++t) drafts.push_back({&q[t], texts[t].root_token});
    return drafts;
  }
};

// Puts a company into a round that has room for more.
void enter(DeviceRound& round, const Company& company) {
  for (int32_t t = 0; t < company.size(); ++t) {
    round.texts[static_cast<size_t>(t)] = company.texts[static_cast<size_t>(t)];
    round.set_marginals(company.q[static_cast<size_t>(t)], t);
  }
  round.view.n_texts = company.size();
}

CostModel rising_model(std::mt19937& random) {
  std::uniform_real_distribution<double> uniform(0.2, 1.0);
  const double slope = 1e-4 * std::pow(10.0, 1.5 * uniform(random)), step = 2e-4 * uniform(random);
  CostModel model;
  model.context = {0, 400, 1000};
  model.rows = {1, 8, 16, 32, 64, 128, 512};
  for (size_t c = 0; c < model.context.size(); ++c) {
    for (const int32_t rows : model.rows) {
      model.verify_s.push_back(0.004 + 0.001 * static_cast<double>(c) + slope * rows + step * ((rows + 31) / 32));
    }
    model.draft_s.push_back(0.001 + 0.0003 * static_cast<double>(c));
  }
  model.overhead_s = 0.00007;
  return model;
}

// Which cache rows a row of the host's attends to, in order.
std::vector<int32_t> keys_of(const PassRows& rows, int32_t row) {
  const size_t r = static_cast<size_t>(row);
  const int32_t first = rows.keys.first_key.empty() ? 0 : rows.keys.first_key[r];
  std::vector<int32_t> keys;
  for (int32_t i = 0; i < rows.keys.n_contiguous[r]; ++i) keys.push_back(first + i);
  const auto extra = rows.keys.extra.begin();
  keys.insert(keys.end(), extra + rows.keys.extra_begin[r], extra + rows.keys.extra_begin[r + 1]);
  return keys;
}

// The device's pass is the host's, tree after tree, and then padding.
void expect_pass(const DeviceRound& round, const Company& company, const std::vector<DraftTree>& trees) {
  PassRows host;
  for (size_t t = 0; t < trees.size(); ++t) {
    EXPECT_EQ(round.texts[t].first_row, host.n);
    append_rows(host, tree_rows(trees[t], trees[t].size() - 1, company.texts[t].context_len, company.texts[t].target_first));
  }
  ASSERT_EQ(host.n, round.state.n_chosen + company.size());
  EXPECT_EQ(round.state.bucket, round.bucket_of(host.n));
  const RowsView device = round.view.verify.view(round.state.bucket);
  const std::vector<int32_t> token = get(device.token, device.n_rows), position = get(device.position, device.n_rows);
  const std::vector<int32_t> cache_row = get(device.cache_row, device.n_rows);
  for (int32_t row = 0; row < host.n; ++row) {
    const size_t r = static_cast<size_t>(row);
    SCOPED_TRACE("row " + std::to_string(row));
    EXPECT_EQ(token[r], host.token[r]);
    EXPECT_EQ(position[r], host.position[r]);
    EXPECT_EQ(cache_row[r], host.cache_row[r]);
    EXPECT_EQ(keys_of(device, row), keys_of(host, row));
  }
  for (int32_t row = host.n; row < device.n_rows; ++row) EXPECT_EQ(cache_row[static_cast<size_t>(row)], kNoCacheRow);
}

class SharedRound : public ::testing::Test {
 protected:
  void TearDown() override { run_backwards(false); }

  // Grows on the device what choose_trees grows for the same company, and compares; returns the host's decision.
  BudgetDecision expect_host_trees(const CostModel& model, const Company& company, int32_t max_texts,
                                   const BudgetRule& rule) {
    const Marginals& q = company.q[0];
    DeviceRound round(q, rule.max_nodes, 1, max_texts);
    round.set_rule(rule);
    enter(round, company);
    const CostTable table(model);
    round.buffers.set_cost(loop_costs(table, round.limits), nullptr);
    round.params.n_contexts = static_cast<int32_t>(model.context.size());
    round.params.overhead_s = model.overhead_s;
    round.run_grow();

    const RoundCost cost = pass_cost(table, company.mean_context(), company.size(), q.n_depths + 1, rule.max_nodes);
    const SharedChoice host = choose_trees(company.requests(), cost, rule);
    if (round.state.n_chosen != host.decision.chosen && is_near_tie(host.decision, round.state.n_chosen)) {
      return host.decision;
    }
    EXPECT_EQ(round.state.n_chosen, host.decision.chosen);
    for (int32_t t = 0; t < company.size(); ++t) {
      SCOPED_TRACE("text " + std::to_string(t));
      const TextRound& text = round.texts[static_cast<size_t>(t)];
      const DraftTree& tree = host.tree[static_cast<size_t>(t)];
      EXPECT_EQ(text.n_chosen, tree.size() - 1);
      expect_same_tree(first_nodes(round.tree(t), text.n_chosen), tree);
      EXPECT_EQ(static_cast<int>(text.stop), static_cast<int>(host.decision.stop));
    }
    expect_pass(round, company, host.tree);
    return host.decision;
  }
};

TEST_F(SharedRound, TreesRowsAndBudgetAreTheHosts) {
  std::mt19937 random(51);
  int n_proved = 0;
  for (int i = 0; i < 60; ++i) {
    const int32_t n_texts = 1 + static_cast<int32_t>(random() % 6);
    const Company company(random, n_texts, 6, 5, i % 2 == 0);
    const BudgetRule rule{.method = i % 3 == 0 ? Method::kExactFill : Method::kExact,
                          .max_nodes = 1 + static_cast<int32_t>(random() % 90),
                          .bucket_rows = 1 + static_cast<int32_t>(random() % 20)};
    SCOPED_TRACE(i);
    run_backwards(i % 2 == 1);
    const int32_t max_texts = n_texts + static_cast<int32_t>(random() % 3);
    n_proved += expect_host_trees(rising_model(random), company, max_texts, rule).stop == StopReason::kBoundProved;
  }
  EXPECT_GT(n_proved, 5) << "the early stop should be worth having";
}

// Passes that cost next to nothing: as many nodes as allowed.
CostModel nearly_free_model() {
  CostModel model;
  model.context = {0};
  model.rows = {1, 2048};
  model.verify_s = {0.004, 0.00401};
  model.draft_s = {0.001};
  return model;
}

// Their first candidates lie in more than one group of the frontier, and the second company's drafts do not fit shared
// memory.
TEST_F(SharedRound, OfMoreTextsThanAWarpHasLanes) {
  std::mt19937 random(52);
  const Company mixed(random, 70, 3, 4, false), likely(random, 40, 15, 100, true);
  for (const Company* company : {&mixed, &likely}) {
    const BudgetRule rule{.method = Method::kExact, .max_nodes = 300};
    EXPECT_GT(expect_host_trees(nearly_free_model(), *company, company->size(), rule).chosen, 200);
  }
}

// Of equal candidates the earlier text's come first, wherever the frontier keeps them.
TEST_F(SharedRound, WhenEveryPathOfEveryTextIsTied) {
  std::mt19937 random(56);
  for (const int32_t n_texts : {2, 5, 40}) {
    Company company(random, n_texts, 4, 3, true);
    for (Marginals& q : company.q) q.log_q.assign(q.log_q.size(), -1.0f);
    for (const int32_t max_nodes : {n_texts + n_texts / 2, 5 * n_texts + 1}) {
      run_backwards(max_nodes % 2 == 0);
      expect_host_trees(nearly_free_model(), company, n_texts, {.method = Method::kExact, .max_nodes = max_nodes});
    }
  }
}

TEST_F(SharedRound, ChainsOfEveryText) {
  std::mt19937 random(53);
  for (const int32_t max_nodes : {3, 6}) {
    Company company(random, 4, 6, 5, true);
    company.q[2].log_q[2 * 5] = -std::numeric_limits<float>::infinity();  // its chain ends after two nodes
    DeviceRound round(company.q[0], 4 * max_nodes, 1, 4);
    round.set_rule({.method = Method::kDflash, .max_nodes = max_nodes});
    enter(round, company);
    round.run_grow();
    std::vector<DraftTree> trees;
    for (size_t t = 0; t < 4; ++t) {
      RoundCost flat{0.1, 0.1, std::vector<double>(7, 1.0), std::vector<double>(7, 1.0), {}};
      const BudgetRule rule{.method = Method::kDflash, .max_nodes = max_nodes};
      const Choice host = choose_tree(company.q[t], company.texts[t].root_token, flat, rule);
      trees.push_back(first_nodes(host.tree, host.decision.chosen));
      expect_same_tree(round.tree(static_cast<int32_t>(t)), trees.back());
      EXPECT_EQ(static_cast<int>(round.texts[t].stop), static_cast<int>(host.decision.stop)) << t;
    }
    expect_pass(round, company, trees);
  }
}

// The target's answer after each row: a child's token more often than not.
std::vector<int32_t> random_answers(std::mt19937& random, const DeviceRound& round, int32_t k) {
  std::vector<int32_t> token;
  const std::vector<int32_t> drafted = get(round.view.tree.token, round.state.n_chosen + round.view.n_texts);
  for (int32_t i = 0; i < round.state.bucket * k; ++i) {
    token.push_back(random() % 3 != 0 ? drafted[random() % drafted.size()] : 5000 + i % k);
  }
  return token;
}

// What the host makes of one text's answers.
struct HostAnswer {
  std::vector<int32_t> choice;
  Accepted accepted;
};
HostAnswer host_answer(const TextRound& text, const DraftTree& tree, const std::vector<int32_t>& token,
                       const std::vector<float>& log_p, int32_t k) {
  const SamplingOptions options{text.draws.temperature, 0, text.draws.top_p, text.draws.seed};
  HostAnswer answer;
  for (int32_t node = 0; node <= text.n_chosen; ++node) {
    const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(text.first_row + node) * k;
    const std::span<const float> ranks(log_p.data() + first, static_cast<size_t>(text.draws.n_ranks));
    const int32_t rank = choose_rank(ranks, text.context_len + tree.depth[static_cast<size_t>(node)] + 1, options);
    answer.choice.push_back(token[static_cast<size_t>(first + rank)]);
  }
  answer.accepted = draftscope::accept(tree, answer.choice);
  return answer;
}

// Every text draws in its own way, walks its own tree and gets a record of its own; all go on to the next round.
TEST_F(SharedRound, EveryTextIsAnsweredRecordedAndMovedOn) {
  constexpr int32_t kTexts = 5, kRanks = 6;
  std::mt19937 random(54);
  Company company(random, kTexts, 5, 4, true);
  for (size_t t = 0; t < kTexts; ++t) {
    company.texts[t].draws = {t % 2 == 0 ? 0.0f : 0.9f, t == 3 ? 0.6f : 1.0f, t == 1 ? 3 : kRanks, 77 + t};
    company.texts[t].drafter_len = company.texts[t].context_len;
  }
  DeviceRound round(company.q[0], 40, kRanks, kTexts + 1);
  enter(round, company);
  round.set_rule({.method = Method::kExact, .max_nodes = 40});
  const CostTable table(rising_model(random));
  round.buffers.set_cost(loop_costs(table, round.limits), nullptr);
  round.params.n_contexts = 3;
  round.upload();
  for (int64_t seq = 0; seq < 12; ++seq) {
    const std::vector<TextRound> before = get(round.view.texts, kTexts);
    run_backwards(seq % 2 == 1);
    grow(round.view, nullptr);
    round.read_back();
    const std::vector<int32_t> token = random_answers(random, round, kRanks);
    std::vector<float> log_p;
    for (size_t i = 0; i < token.size(); ++i) log_p.push_back(-0.4f * static_cast<float>(1 + i % kRanks));
    put(token, round.view.answer.token);
    put(log_p, round.view.answer.log_p);
    accept(round.view, round.state.bucket, nullptr);
    const std::vector<int32_t> kept_row = get(round.view.kept_row, kTexts * 6);
    finish(round.view, nullptr);
    CUDA_CHECK(cudaStreamSynchronize(nullptr));
    for (int32_t t = 0; t < kTexts; ++t) {
      SCOPED_TRACE("round " + std::to_string(seq) + ", text " + std::to_string(t));
      const TextRound& text = round.texts[static_cast<size_t>(t)];
      const DraftTree tree = round.tree(t);
      const HostAnswer host = host_answer(text, tree, token, log_p, kRanks);
      RoundImage image;
      ASSERT_TRUE(round.buffers.read(seq, t, image));
      expect_same_tree(tree_of(image), tree);
      EXPECT_EQ(image.choice, host.choice);
      EXPECT_EQ(image.path, host.accepted.path);
      EXPECT_EQ(image.header.bonus, host.accepted.bonus);
      EXPECT_EQ(image.header.context_len, before[static_cast<size_t>(t)].context_len);
      EXPECT_EQ(image.q_token, first_ranks(company.q[static_cast<size_t>(t)], 4).token);
      for (size_t i = 0; i < 6; ++i) {
        const int32_t node = i < host.accepted.path.size() ? host.accepted.path[i] : 0;
        EXPECT_EQ(kept_row[static_cast<size_t>(t) * 6 + i], text.first_row + node);
      }
      const TextRound after = text_of(round.view, t);
      EXPECT_EQ(after.context_len, text.context_len + static_cast<int32_t>(host.accepted.path.size()));
      EXPECT_EQ(after.drafter_len, text.drafter_len + text.n_new);
      EXPECT_EQ(after.root_token, host.accepted.bonus);
    }
    EXPECT_EQ(state_of(round.view).seq, seq + 1);
  }
}

TEST_F(SharedRound, DraftRowsStandInRangesOfTheirOwn) {
  std::mt19937 random(55);
  Company company(random, 3, 5, 4, true);
  for (size_t t = 0; t < 3; ++t) {
    company.texts[t].n_new = static_cast<int32_t>(t + 1);
    company.texts[t].drafter_len = company.texts[t].context_len - company.texts[t].n_new;
  }
  DeviceRound round(company.q[0], 10, 1, 3);
  enter(round, company);
  round.upload();
  const int32_t n = 3 * 6;
  DeviceBuffer<int32_t> numbers(static_cast<size_t>(15 * n));
  DraftRows rows;
  rows.context = RowsArrays::at(numbers.data(), n);
  rows.block = RowsArrays::at(numbers.data() + 5 * n, n);
  rows.windowed = RowsArrays::at(numbers.data() + 10 * n, n);
  rows.window = 4;
  rows.mask_token = 99;
  draft_rows(round.view, rows, nullptr);
  for (const int32_t window : {0, 4}) {
    PassRows host;
    for (const TextRound& text : company.texts) {
      append_rows(host, block_rows(text.root_token, 99, 6, text.context_len, window, text.drafter_first));
    }
    const RowsArrays& device = window == 0 ? rows.block : rows.windowed;
    EXPECT_EQ(get(device.token, n), host.token);
    EXPECT_EQ(get(device.position, n), host.position);
    EXPECT_EQ(get(device.cache_row, n), host.cache_row);
    EXPECT_EQ(get(device.first_key, n), host.keys.first_key);
    EXPECT_EQ(get(device.n_contiguous, n), host.keys.n_contiguous);
  }
  const std::vector<int32_t> cache_row = get(rows.context.cache_row, n), position = get(rows.context.position, n);
  for (size_t t = 0; t < 3; ++t) {
    const TextRound& text = company.texts[t];
    for (int32_t i = 0; i < 6; ++i) {
      const size_t r = t * 6 + static_cast<size_t>(i);
      const bool is_new = i < text.n_new;
      EXPECT_EQ(cache_row[r], is_new ? text.drafter_first + text.drafter_len + i : kNoCacheRow);
      EXPECT_EQ(position[r], is_new ? text.drafter_len + i : 0);
    }
  }
}

}  // namespace
}  // namespace draftscope::cuda
