// The lab's thread: the latest question wins, answers grow, bad recordings and bad questions do no harm.
#include "app/lab.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <limits>

#include "tests/lab/make_dense.h"

namespace draftscope::test {
namespace {

/// Waits for an answer that `enough` accepts; null after a minute.
template <class Enough>
std::shared_ptr<const LabReport> wait_for(const Lab& lab, Enough enough) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (std::chrono::steady_clock::now() < until) {
    if (auto report = lab.latest(); report != nullptr && enough(*report)) return report;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return nullptr;
}

bool whole(const LabReport& report) {
  return report.best_fixed.budget > 0 && !report.sweep.tokens_per_s.empty() &&
         report.sweep.n_done == static_cast<int64_t>(report.sweep.tokens_per_s.size());
}

LabQuestion question_about(const SessionInfo& info, int64_t number) {
  LabQuestion question;
  question.number = number;
  question.cost = info.cost;
  return question;
}

TEST(Lab, AnswersWholeAndForTheLatestQuestion) {
  const DenseRecording made = make_dense(150, 64);
  Lab lab;
  EXPECT_EQ(lab.latest(), nullptr);
  lab.use(made.info, made.rounds);
  for (int64_t number = 1; number <= 20; ++number) {
    LabQuestion question = question_about(made.info, number);
    question.budget = static_cast<int32_t>(number);
    lab.ask(question);
  }
  const auto report = wait_for(lab, [](const LabReport& r) { return r.question == 20 && whole(r); });
  ASSERT_NE(report, nullptr);
  EXPECT_EQ(report->n_tokens, 150);
  EXPECT_EQ(report->session, made.info.session);
  EXPECT_EQ(report->policies[2].budget, 20);
  EXPECT_FALSE(report->calibration.curves.empty());
  EXPECT_FALSE(report->calibration.scores.empty());
  for (const double cell : report->sweep.tokens_per_s) EXPECT_FALSE(std::isnan(cell));
}

TEST(Lab, RegretSumsToWhatHindsightHasMore) {
  const DenseRecording made = make_dense(100, 64);
  Lab lab;
  lab.use(made.info, made.rounds);
  LabQuestion question = question_about(made.info, 1);
  question.regret_of = Method::kCast;
  question.true_cost = made.info.cost;
  for (double& seconds : question.true_cost->verify_s) seconds *= 1.5;
  lab.ask(question);
  const auto report = wait_for(lab, whole);
  ASSERT_NE(report, nullptr);
  const LabRegret& regret = report->regret;
  EXPECT_EQ(regret.method, Method::kCast);
  ASSERT_EQ(regret.position.size(), report->policies[7].rounds.size());
  for (size_t i = 0; i < regret.position.size(); ++i) {
    EXPECT_NEAR(regret.search[i] + regret.cost[i] + regret.calibration[i] + regret.luck[i],
                regret.oracle[i] - regret.realised[i], 1e-9 * regret.oracle[i]);
  }
}

TEST(Lab, ABrokenRecordingIsOneSentence) {
  DenseRecording made = make_dense(5, 16);
  made.rounds.erase(made.rounds.begin() + 2);
  Lab lab;
  lab.use(made.info, made.rounds);
  lab.ask(question_about(made.info, 1));
  const auto report = wait_for(lab, [](const LabReport& r) { return !r.problem.empty(); });
  ASSERT_NE(report, nullptr);
  EXPECT_NE(report->problem.find("expected round 2, found 3"), std::string::npos) << report->problem;
}

TEST(Lab, AnotherRecordingForgetsTheAnswersBefore) {
  const DenseRecording first = make_dense(40, 16), second = make_dense(30, 16, 7);
  Lab lab;
  lab.use(first.info, first.rounds);
  lab.ask(question_about(first.info, 1));
  ASSERT_NE(wait_for(lab, whole), nullptr);
  lab.use(second.info, second.rounds);
  EXPECT_EQ(lab.latest(), nullptr);
  lab.ask(question_about(second.info, 1));
  const auto report = wait_for(lab, whole);
  ASSERT_NE(report, nullptr);
  EXPECT_EQ(report->n_tokens, 30);
}

TEST(Lab, AQuestionWithABadCurveLeavesTheAnswerInPlace) {
  const DenseRecording made = make_dense(20, 16);
  Lab lab;
  lab.use(made.info, made.rounds);
  lab.ask(question_about(made.info, 1));
  ASSERT_NE(wait_for(lab, whole), nullptr);
  LabQuestion bad = question_about(made.info, 2);
  bad.cost.verify_s[0] = std::numeric_limits<double>::quiet_NaN();
  lab.ask(bad);
  LabQuestion bad_side = question_about(made.info, 3);
  bad_side.other_cost = CostModel{};
  lab.ask(bad_side);
  lab.ask(question_about(made.info, 4));
  const auto report = wait_for(lab, [](const LabReport& r) { return r.question != 1; });
  ASSERT_NE(report, nullptr);
  EXPECT_EQ(report->question, 4);
}

TEST(Lab, PicturesGetTheWholeAnswerWithinTheCall) {
  const DenseRecording made = make_dense(60, 32);
  RecordStore store;
  store.append(make_info());
  EXPECT_FALSE(immediate_lab(store).ask) << "not dense";
  store.append(made.info);
  for (const RoundRecord& round : made.rounds) store.append(round);
  const LabLink lab = immediate_lab(store);
  ASSERT_TRUE(lab.ask && lab.report);
  EXPECT_EQ(lab.report(), nullptr);
  lab.ask(question_about(made.info, 1));
  ASSERT_NE(lab.report(), nullptr);
  EXPECT_TRUE(whole(*lab.report()));
}

}  // namespace
}  // namespace draftscope::test
