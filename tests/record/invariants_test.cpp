#include "engine/record/invariants.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "engine/record/codec.h"
#include "tests/record/make_record.h"

namespace draftscope {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr int32_t kHuge = std::numeric_limits<int32_t>::max();

template <class T>
struct Breakage {
  const char* expected;  // part of the sentence
  std::function<void(T&)> apply;
};

// Every breakage alone turns a good message into one that decode refuses and names.
template <class T>
void expect_refused(const T& good, const std::vector<Breakage<T>>& breakages) {
  ASSERT_TRUE(check_invariants(good));
  for (const Breakage<T>& breakage : breakages) {
    T broken = good;
    breakage.apply(broken);
    const Result<Message> decoded = decode(encode(Message(broken)));
    ASSERT_FALSE(decoded) << breakage.expected;
    EXPECT_NE(decoded.error().find(breakage.expected), std::string::npos) << decoded.error();
  }
}

// A round whose path has at least two nodes.
RoundRecord round_with_path() {
  for (uint64_t seed = 0;; ++seed) {
    RoundRecord round = test::make_round(seed, 40);
    if (round.accepted.path.size() >= 3 && round.decision.chosen >= 8) return round;
  }
}

TEST(Invariants, NameBrokenTreesAndMarginals) {
  expect_refused<RoundRecord>(
      round_with_path(),
      {{"tree is empty", [](auto& r) { r.tree = {}; }},
       {"expected equal counts", [](auto& r) { r.tree.rank.pop_back(); }},
       {"expected equal counts", [](auto& r) { r.tree.path_log_q.push_back(0); }},
       {"tree root", [](auto& r) { r.tree.parent[0] = 0; }},
       {"tree root", [](auto& r) { r.tree.path_log_q[0] = kNan; }},
       {"tree.parent[5] is 5", [](auto& r) { r.tree.parent[5] = 5; }},
       {"tree.parent[5] is -1", [](auto& r) { r.tree.parent[5] = -1; }},
       {"tree.depth[3]", [](auto& r) { ++r.tree.depth[3]; }},
       {"tree.rank[3] is -1", [](auto& r) { r.tree.rank[3] = -1; }},
       {"node 3 is at depth", [](auto& r) { r.tree.rank[3] = r.q.n_ranks; }},
       {"tree.path_log_q[4]", [](auto& r) { r.tree.path_log_q[4] = -kInf; }},
       {"tree.token[2]", [](auto& r) { r.tree.token[2] = -9; }},
       {"q is -1 depths", [](auto& r) { r.q.n_depths = -1; }},
       {"expected 2147483647 x", [](auto& r) { r.q.n_depths = kHuge; }},
       {"q.token[1]", [](auto& r) { r.q.token[1] = -1; }},
       {"q.log_q[0]", [](auto& r) { r.q.log_q[0] = std::numeric_limits<float>::infinity(); }},
       {"above the rank before", [](auto& r) { r.q.log_q[1] = r.q.log_q[0] + 1; }}});
}

TEST(Invariants, NameBrokenDecisionsVerdictsAndPaths) {
  expect_refused<RoundRecord>(
      round_with_path(),
      {{"decision.chosen", [](auto& r) { r.decision.chosen = r.tree.size(); }},
       {"decision.chosen", [](auto& r) { r.decision.chosen = -1; }},
       {"decision.chosen", [](auto& r) { r.decision.chosen = kHuge; }},
       {"decision.faithful_stop", [](auto& r) { r.decision.faithful_stop = r.tree.size(); }},
       {"decision.global_best", [](auto& r) { r.decision.global_best = -1; }},
       {"decision.runner_up", [](auto& r) { r.decision.runner_up = kHuge; }},
       {"decision.cost_s has", [](auto& r) { r.decision.cost_s.pop_back(); }},
       {"decision.expected_tokens has", [](auto& r) { r.decision.expected_tokens.clear(); }},
       {"value 2 of decision.theta_tokens_per_s", [](auto& r) { r.decision.theta_tokens_per_s[2] = kInf; }},
       {"value 2 of decision.cost_s", [](auto& r) { r.decision.cost_s[2] = kNan; }},
       {"verdict.choice has", [](auto& r) { r.verdict.choice.pop_back(); }},
       {"verdict.choice_log_p has", [](auto& r) { r.verdict.choice_log_p.clear(); }},
       {"verdict.choice[0]", [](auto& r) { r.verdict.choice[0] = -1; }},
       {"begin at the root", [](auto& r) { r.accepted.path.clear(); }},
       {"begin at the root", [](auto& r) { r.accepted.path[0] = 1; }},
       {"accepted.path[1] is -1", [](auto& r) { r.accepted.path[1] = -1; }},
       {"verified nodes", [](auto& r) { r.accepted.path[1] = r.decision.chosen + 1; }},
       {"no child of", [](auto& r) { r.accepted.path[2] = r.accepted.path[1]; }},
       {"accepted.bonus", [](auto& r) { r.accepted.bonus = -2; }}});
}

TEST(Invariants, NameBrokenScalarsTimesAndTexts) {
  expect_refused<RoundRecord>(
      round_with_path(),
      {{"seq is -1", [](auto& r) { r.seq = -1; }},
       {"seq is", [](auto& r) { r.seq = std::numeric_limits<int64_t>::max(); }},
       {"session is -1", [](auto& r) { r.session = -1; }},
       {"context_len", [](auto& r) { r.context_len = -1; }},
       {"temperature", [](auto& r) { r.temperature = -1; }},
       {"temperature", [](auto& r) { r.temperature = std::numeric_limits<float>::quiet_NaN(); }},
       {"took is", [](auto& r) { r.took.commit_ns = -1; }},
       {"predicted is", [](auto& r) { r.predicted.grow_ns = std::numeric_limits<int64_t>::max(); }},
       {"telemetry_ns", [](auto& r) { r.telemetry_ns = -1; }},
       {"cost_drift", [](auto& r) { r.cost_drift = -1; }},
       {"cost_drift", [](auto& r) { r.cost_drift = kNan; }},
       {"text.offset has", [](auto& r) { r.text.offset.pop_back(); }},
       {"text.offset has", [](auto& r) { r.text.offset.clear(); }},
       {"text.offset goes", [](auto& r) { r.text.offset[0] = 1; }},
       {"text.offset goes", [](auto& r) { r.text.pool += "x"; }},
       {"text.offset decreases", [](auto& r) { r.text.offset[1] = 4'000'000'000u; }},
       {"text.id is not", [](auto& r) { r.text.id[1] = r.text.id[0]; }}});
}

TEST(Invariants, NameBrokenSessions) {
  expect_refused<SessionInfo>(
      test::make_info(),
      {{"prompt_tokens", [](auto& i) { i.prompt_tokens = -1; }},
       {"block_size", [](auto& i) { i.block_size = -1; }},
       {"max_tokens", [](auto& i) { i.max_tokens = -1; }},
       {"budget", [](auto& i) { i.budget = -1; }},
       {"temperature", [](auto& i) { i.temperature = std::numeric_limits<float>::infinity(); }},
       {"cost.context is not", [](auto& i) { i.cost.context[1] = i.cost.context[0]; }},
       {"cost.rows is not", [](auto& i) { std::swap(i.cost.rows[0], i.cost.rows[1]); }},
       {"cost.verify_s has", [](auto& i) { i.cost.verify_s.pop_back(); }},
       {"cost.spread_s has", [](auto& i) { i.cost.spread_s.pop_back(); }},
       {"cost.draft_s has", [](auto& i) { i.cost.draft_s.push_back(1); }},
       {"cost.plain_s has 2 values, expected 3", [](auto& i) { i.cost.plain_s.pop_back(); }},
       {"cost.plain_s[1] is 0, expected a finite number above 0", [](auto& i) { i.cost.plain_s[1] = 0; }},
       {"cost.plain_s[2] is nan", [](auto& i) { i.cost.plain_s[2] = kNan; }},
       {"value 7 of cost.verify_s", [](auto& i) { i.cost.verify_s[7] = kNan; }},
       {"cost.overhead_s", [](auto& i) { i.cost.overhead_s = -1; }}});
  expect_refused<SessionEnd>(test::make_end(9), {{"n_tokens", [](auto& e) { e.n_tokens = -1; }},
                                                 {"n_rounds", [](auto& e) { e.n_rounds = -1; }},
                                                 {"decode_ns", [](auto& e) { e.decode_ns = -1; }},
                                                 {"prefill_ns", [](auto& e) { e.prefill_ns = -1; }}});
}

TEST(Invariants, NameBrokenSharesOfAPass) {
  RoundRecord good = round_with_path();
  const int32_t n_rows = good.n_verified_rows(), n_tokens = static_cast<int32_t>(good.accepted.path.size());
  good.shared = SharedPass{3, 4, n_rows + 3, n_tokens + 3, 9.5, 400};
  expect_refused<RoundRecord>(good, {{"shared.pass is -1", [](auto& r) { r.shared->pass = -1; }},
                                     {"shared.n_requests is 0", [](auto& r) { r.shared->n_requests = 0; }},
                                     {"shared.n_requests is -1", [](auto& r) { r.shared->n_requests = -1; }},
                                     {"shared.n_rows", [](auto& r) { --r.shared->n_rows; }},
                                     {"shared.n_tokens", [](auto& r) { --r.shared->n_tokens; }},
                                     {"shared.n_rows", [](auto& r) { r.shared->n_requests = kHuge; }},
                                     {"shared.expected_tokens", [](auto& r) { r.shared->expected_tokens = kNan; }},
                                     {"shared.theta", [](auto& r) { r.shared->theta_tokens_per_s = -1; }}});
  SessionInfo info = test::make_info();
  info.n_slots = -1;
  EXPECT_FALSE(check_invariants(info));
}

TEST(Invariants, AllowWhatRoundsMayHold) {
  RoundRecord round = round_with_path();
  round.q.log_q.back() = -std::numeric_limits<float>::infinity();  // ruled out by the drafter
  round.accepted.bonus = -1;
  EXPECT_TRUE(check_invariants(round));
  round.q = {};  // imported without marginals
  round.decision.expected_tokens = round.decision.cost_s = round.decision.theta_tokens_per_s = {};
  EXPECT_TRUE(check_invariants(round));
  round.text = {};
  EXPECT_TRUE(check_invariants(round));
  SessionInfo info = test::make_info();
  info.cost.spread_s = {};
  EXPECT_TRUE(check_invariants(info));
}

}  // namespace
}  // namespace draftscope
