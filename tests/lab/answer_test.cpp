// An answer is every policy's simulation, on both sides, in the registry's order.
#include "engine/lab/answer.h"

#include <gtest/gtest.h>

#include <random>

#include "engine/record/policies.h"
#include "tests/lab/lab_inputs.h"

namespace draftscope {
namespace {

constexpr int32_t kTokens = 200, kMaxNodes = 48;

PreparedTexts texts_of(uint32_t seed, std::shared_ptr<const Correction> correction = nullptr) {
  std::mt19937 random(seed);
  return prepare_all(ranked_text(random, kTokens, kMaxNodes), std::move(correction));
}

LabQuestion question_of(uint32_t seed) {
  std::mt19937 random(seed);
  LabQuestion question;
  question.number = 5;
  question.cost = bumpy_cost(random);
  question.budget = 12;
  question.bucket_rows = 8;
  return question;
}

TEST(LabAnswer, HasEveryPolicyOnceInOrderAndCoversTheText) {
  const LabReport report = answer(texts_of(1), question_of(2));
  ASSERT_EQ(report.policies.size(), policies().size());
  EXPECT_EQ(report.question, 5);
  EXPECT_EQ(report.n_tokens, kTokens);
  for (size_t i = 0; i < report.policies.size(); ++i) {
    const LabPolicy& policy = report.policies[i];
    EXPECT_EQ(policy.method, policies()[i].method);
    int32_t position = 0;
    double seconds = 0;
    for (const LabRound& round : policy.rounds) {
      EXPECT_EQ(round.position, position);
      position += round.accepted + 1;
      seconds += round.predicted_s;
    }
    EXPECT_EQ(position, kTokens) << name(policy.method);
    EXPECT_NEAR(seconds, policy.seconds, 1e-12);
    EXPECT_NEAR(policy.tokens_per_s, kTokens / seconds, 1e-9 * policy.tokens_per_s);
  }
  EXPECT_TRUE(report.other_policies.empty());
}

TEST(LabAnswer, BudgetsAreThoseOfTheQuestion) {
  const LabReport report = answer(texts_of(1), question_of(2));
  const auto budget_of = [&](Method method) {
    for (const LabPolicy& policy : report.policies) {
      if (policy.method == method) return policy.budget;
    }
    return -1;
  };
  EXPECT_EQ(budget_of(Method::kDdtree), 12);
  EXPECT_EQ(budget_of(Method::kSpine), 12);
  EXPECT_EQ(budget_of(Method::kBastion), 8);
  EXPECT_EQ(budget_of(Method::kExactFill), 8);
  EXPECT_EQ(budget_of(Method::kExact), 0);
  EXPECT_GT(budget_of(Method::kCast), 0);
  LabQuestion large = question_of(2);
  large.budget = 100'000;
  EXPECT_EQ(answer(texts_of(1), large).policies[2].budget, kMaxNodes)
      << "cut at what the recording can replay";
}

TEST(LabAnswer, TheOtherSideIsTheSameQuestionUnderTheOtherCost) {
  LabQuestion both = question_of(2);
  both.other_cost = question_of(9).cost;
  LabQuestion alone = both;
  alone.cost = *both.other_cost;
  alone.other_cost.reset();
  const PreparedTexts texts = texts_of(3);
  const LabReport a = answer(texts, both), b = answer(texts, alone);
  ASSERT_EQ(a.other_policies.size(), b.policies.size());
  for (size_t i = 0; i < b.policies.size(); ++i) {
    EXPECT_EQ(a.other_policies[i].tokens_per_s, b.policies[i].tokens_per_s);
    EXPECT_EQ(a.other_policies[i].nodes_per_round, b.policies[i].nodes_per_round);
  }
  EXPECT_NE(a.policies[4].tokens_per_s, a.other_policies[4].tokens_per_s);
}

TEST(LabAnswer, OnlyTheCalibratedPolicyDecidesOnCorrectedProbabilities) {
  const auto doubt = std::make_shared<Correction>(Correction{4.0, {}, {}, 0.2});
  const PreparedTexts plain = texts_of(4), corrected = texts_of(4, doubt);
  const LabQuestion question = question_of(5);
  const LabReport a = answer(plain, question), b = answer(corrected, question);
  for (size_t i = 0; i < a.policies.size(); ++i) {
    if (a.policies[i].method == Method::kCalibrated) {
      EXPECT_EQ(a.policies[i].nodes_per_round, a.policies[4].nodes_per_round)
          << "no correction: the exact optimum";
      EXPECT_NE(a.policies[i].nodes_per_round, b.policies[i].nodes_per_round);
    } else {
      EXPECT_EQ(a.policies[i].tokens_per_s, b.policies[i].tokens_per_s) << name(a.policies[i].method);
    }
  }
}

TEST(LabAnswer, TheBestFixedTreeIsNoWorseThanAnyPowerOfTwo) {
  const PreparedTexts texts = texts_of(6);
  const CostModel cost = question_of(7).cost;
  const LabPolicy best = best_fixed(texts, cost);
  EXPECT_EQ(best.method, Method::kDdtree);
  for (int32_t budget = 1; budget <= kMaxNodes; budget *= 2) {
    LabQuestion question = question_of(7);
    question.budget = budget;
    EXPECT_GE(best.tokens_per_s, answer(texts, question).policies[2].tokens_per_s) << budget;
  }
}

}  // namespace
}  // namespace draftscope
