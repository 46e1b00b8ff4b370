// The report made from figures that are known beforehand: sums, sentences, page, CSV and JSON.
#include "app/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "app/report/svg.h"
#include "tests/app/markup.h"

namespace draftscope {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int kPrompts = 8;

/// A row that needs `seconds` for 100 tokens of every prompt but takes `wobble` longer on each further one.
PolicyRow row(Method method, int32_t budget, double seconds, double wobble = 0) {
  PolicyRow out;
  out.label = budget > 0 ? std::string(name(method)) + " " + std::to_string(budget) : name(method);
  out.method = method;
  out.budget = budget;
  out.chosen.assign(static_cast<size_t>(budget) + 5, 0);
  for (int i = 0; i < kPrompts; ++i) {
    PromptFigures figures;
    figures.n_tokens = 100;
    figures.n_rounds = method == Method::kPlain ? 100 : 40;
    figures.n_nodes = 40 * budget;
    figures.seconds = seconds * (1 + wobble * i);
    figures.expected_sum = 400, figures.n_expected = 4;
    figures.stages.verify_ns = 7'000'000;
    out.prompts.push_back(figures);
    out.chosen[static_cast<size_t>(budget)] += 20;
    out.chosen[static_cast<size_t>(budget) + 4] += method == Method::kExact ? 20 : 0;
  }
  return out;
}

ReportSection section(const std::string& title, bool live) {
  ReportSection out;
  out.title = title;
  out.live = live;
  out.cost_label = "measured <here>";
  out.cost_source = "draftscope profile";
  out.policies = {row(Method::kPlain, 0, 2.0), row(Method::kDdtree, 8, 1.0), row(Method::kDdtree, 64, 1.5),
                  row(Method::kCaddtree, 0, 0.9, 0.001), row(Method::kExact, 0, 0.8, 0.001)};
  out.cost.context_len = 100;
  out.cost.last_measured_nodes = 40;
  for (int n = 0; n <= 64; ++n) {
    out.cost.verify_s.push_back(0.004 + 1e-4 * n);
    out.cost.round_s.push_back(0.005 + 1e-4 * n);
    out.cost.convex_s.push_back(0.0041 + 1e-4 * n);
  }
  return out;
}

Report small_report() {
  Report report;
  report.title = "A & B <compared>";
  report.machine = "a \"quoted\" machine";
  report.note = "small demo pair";
  for (int i = 0; i < kPrompts; ++i) {
    const std::string domain = i % 2 == 0 ? "math" : "chat & talk";
    report.prompts.push_back({domain + " " + std::to_string(1 + i / 2), domain, "if (a < b && c > 'd') \"go\""});
  }
  report.sections = {section("Live runs", true), section("Simulated", false)};
  report.sections[1].margin = ExpectedMargin{50, 20, 1.031, 1.0};
  summarise(report);
  return report;
}

TEST(Report, SumsRatiosAndTheBestFixedBudgetFollowFromTheFigures) {
  const Report report = small_report();
  const ReportSection& live = report.sections[0];
  EXPECT_EQ(report.domains, (std::vector<std::string>{"math", "chat & talk"}));
  EXPECT_DOUBLE_EQ(live.policies[0].all.tokens_per_s(), 50);
  EXPECT_DOUBLE_EQ(live.policies[1].all.tokens_per_round(), 2.5);
  EXPECT_DOUBLE_EQ(live.policies[2].all.nodes_per_round(), 64);
  EXPECT_DOUBLE_EQ(live.policies[2].all.expected_tokens_per_s, 100);
  EXPECT_EQ(live.policies[0].domains[1].n_prompts, kPrompts / 2);
  ASSERT_EQ(live.best_fixed, 1);
  EXPECT_DOUBLE_EQ(live.policies[1].over_plain.median, 2);
  EXPECT_DOUBLE_EQ(live.policies[2].over_best_fixed.median, 1 / 1.5);
  EXPECT_EQ(live.policies[2].over_best_fixed.sign.losses, kPrompts);
  EXPECT_NEAR(live.policies[2].over_best_fixed.sign.p, 2.0 / 256, 1e-12);
  ASSERT_TRUE(live.exact_over_caddtree);
  EXPECT_NEAR(live.exact_over_caddtree->median, 0.9 / 0.8, 1e-12);
  EXPECT_FALSE(live.hindsight_over_exact);
}

std::string all_of(const std::vector<std::string>& sentences) {
  std::string out;
  for (const std::string& sentence : sentences) out += sentence + "\n";
  return out;
}

TEST(Report, SaysWhereAdaptivityWins) {
  const std::string said = all_of(small_report().sections[0].conclusions);
  EXPECT_THAT(said, HasSubstr("on every prompt (8 of 8), token for token"));
  EXPECT_THAT(said, HasSubstr("Adaptivity beats the best fixed budget here"));
  EXPECT_THAT(said, HasSubstr("smallest of the budgets tried"));
  EXPECT_THAT(said, HasSubstr("exact is faster than CaDDTree"));
}

TEST(Report, SaysWhereAdaptivityLosesWhereItIsUnclearAndWhereItIsTheSame) {
  Report report = small_report();
  report.sections[0].policies[4] = row(Method::kExact, 0, 1.2);
  summarise(report);
  EXPECT_THAT(all_of(report.sections[0].conclusions), HasSubstr("Adaptivity loses to the best fixed budget here: exact"));
  report.sections[0].policies[4] = row(Method::kExact, 0, 1.0);
  summarise(report);
  EXPECT_THAT(all_of(report.sections[0].conclusions), HasSubstr("Adaptivity changes nothing here"));
  for (int i = 0; i < kPrompts; ++i) report.sections[0].policies[4].prompts[i].seconds = i % 2 == 0 ? 0.9 : 1.1;
  summarise(report);
  EXPECT_THAT(all_of(report.sections[0].conclusions), HasSubstr("cannot be told apart here"));
  for (int i = 0; i < kPrompts; ++i) report.sections[0].policies[4].prompts[i].seconds = i == 0 ? 0.9999 : 1.0;
  summarise(report);
  EXPECT_THAT(all_of(report.sections[0].conclusions), HasSubstr("Adaptivity changes nothing here")) << "by less than 0.1 %";
  for (int i = 0; i < kPrompts; ++i) report.sections[0].policies[4].prompts[i].seconds = i < 3 ? 0.4 : 1.01;
  summarise(report);
  EXPECT_THAT(all_of(report.sections[0].conclusions), HasSubstr("budget here on average, but not beyond doubt on most prompts"));
}

TEST(Report, SaysWhenSpeculationDoesNotPay) {
  Report report = small_report();
  for (PromptFigures& figures : report.sections[0].policies[0].prompts) figures.seconds = 0.1;
  summarise(report);
  EXPECT_THAT(all_of(report.sections[0].conclusions), HasSubstr("plain decoding is faster than every policy"));
}

TEST(Report, SaysWhenATextDiffersAndWhenTheSearchIsWrong) {
  Report report = small_report();
  report.sections[0].policies[3].prompts[2].exact = false;
  report.sections[1].margin->worst = 0.99;
  summarise(report);
  EXPECT_THAT(all_of(report.sections[0].conclusions), HasSubstr("NOT lossless"));
  EXPECT_THAT(all_of(report.sections[0].conclusions), HasSubstr("caddtree on 7 of 8"));
  EXPECT_THAT(all_of(report.sections[1].conclusions), HasSubstr("is a bug"));
  EXPECT_THAT(all_of(report.conclusions), HasSubstr("behind at some position under 1"));
}

TEST(Report, ComparesTheSimulationWithTheLiveRunsOfTheSameCost) {
  Report report = small_report();
  EXPECT_THAT(all_of(report.sections[1].conclusions), HasSubstr("for 5 of 5 policies"));
  report.sections[1].policies[3].prompts[0].n_nodes += 1;
  summarise(report);
  EXPECT_THAT(all_of(report.sections[1].conclusions), HasSubstr("for 4 of 5 policies"));
}

TEST(Report, HindsightIsComparedWithExact) {
  Report report = small_report();
  report.sections[1].policies.push_back(row(Method::kOracle, 0, 0.64, 0.001));
  summarise(report);
  EXPECT_THAT(all_of(report.sections[1].conclusions), HasSubstr("would give 1.250x of exact"));
}

TEST(Report, FewPromptsAreSaidToBeTooFew) {
  Report report = small_report();
  report.prompts.resize(3);
  for (ReportSection& part : report.sections) {
    for (PolicyRow& policy : part.policies) policy.prompts.resize(3);
  }
  summarise(report);
  EXPECT_THAT(all_of(report.conclusions), HasSubstr("Too few prompts to conclude from (3)"));
  EXPECT_THAT(all_of(report.sections[0].conclusions), HasSubstr("cannot be told apart here"));
  EXPECT_THAT(all_of(small_report().conclusions), Not(HasSubstr("Too few")));
}

TEST(Report, PageIsWellFormedSelfContainedAndEscaped) {
  const Report report = small_report();
  const std::string page = report_html(report);
  EXPECT_EQ(markup_fault(page), "");
  EXPECT_THAT(page, Not(HasSubstr("http")));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("<compared>")));
  EXPECT_THAT(page, HasSubstr("A &amp; B &lt;compared&gt;"));
  EXPECT_THAT(page, HasSubstr("if (a &lt; b &amp;&amp; c &gt; &#39;d&#39;) &quot;go&quot;"));
  EXPECT_THAT(page, HasSubstr("measured &lt;here&gt;"));
  for (const PolicyRow& policy : report.sections[0].policies) EXPECT_THAT(page, HasSubstr(policy.label));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
  EXPECT_THAT(page, Not(HasSubstr("\"inf")));
}

TEST(Report, APageOfPromptsWithoutFiguresIsStillAPage) {
  Report report = small_report();
  for (ReportSection& part : report.sections) {
    for (PolicyRow& policy : part.policies) {
      for (PromptFigures& figures : policy.prompts) figures = {};
      policy.chosen.clear();
    }
  }
  summarise(report);
  const std::string page = report_html(report);
  EXPECT_EQ(markup_fault(page), "");
  EXPECT_THAT(page, Not(HasSubstr("nan")));
  EXPECT_FALSE(nlohmann::json::parse(report_json(report)).empty());
}

TEST(Report, CsvHasEveryPolicyAndPrompt) {
  const Report report = small_report();
  const std::string csv = report_csv(report);
  size_t n_lines = 0;
  for (const char c : csv) n_lines += c == '\n';
  EXPECT_EQ(n_lines, 1 + report.sections.size() * report.sections[0].policies.size() * kPrompts);
  const std::string header = csv.substr(0, csv.find('\n'));
  const auto n_commas = [](const std::string& line) { return std::count(line.begin(), line.end(), ','); };
  for (size_t begin = csv.find('\n') + 1; begin < csv.size();) {
    const size_t end = csv.find('\n', begin);
    EXPECT_EQ(n_commas(csv.substr(begin, end - begin)), n_commas(header)) << csv.substr(begin, end - begin);
    begin = end + 1;
  }
  for (const PolicyRow& policy : report.sections[0].policies) {
    for (const ReportPrompt& prompt : report.prompts) {
      EXPECT_THAT(csv, HasSubstr("\"" + policy.label + "\"," + name(policy.method) + "," + std::to_string(policy.budget) + ",\"" +
                                 prompt.name + "\""));
    }
  }
}

TEST(Report, JsonParsesBackWithTheSameNumbers) {
  const Report report = small_report();
  const nlohmann::json json = nlohmann::json::parse(report_json(report));
  EXPECT_EQ(json["schema"], "draftscope-report/1");
  EXPECT_EQ(json["prompts"].size(), report.prompts.size());
  ASSERT_EQ(json["sections"].size(), report.sections.size());
  for (size_t s = 0; s < report.sections.size(); ++s) {
    const ReportSection& part = report.sections[s];
    ASSERT_EQ(json["sections"][s]["policies"].size(), part.policies.size());
    for (size_t i = 0; i < part.policies.size(); ++i) {
      const nlohmann::json& found = json["sections"][s]["policies"][i];
      EXPECT_EQ(found["label"], part.policies[i].label);
      EXPECT_EQ(found["tokens_per_s"].get<double>(), part.policies[i].all.tokens_per_s());
      EXPECT_EQ(found["over_plain"]["median"].get<double>(), part.policies[i].over_plain.median);
      EXPECT_EQ(found["over_best_fixed"]["geometric_mean_interval"][1].get<double>(),
                part.policies[i].over_best_fixed.geometric_mean_interval.high);
      EXPECT_EQ(found["by_prompt"][3]["seconds"].get<double>(), part.policies[i].prompts[3].seconds);
      EXPECT_EQ(found["chosen"].get<std::vector<int64_t>>(), part.policies[i].chosen);
    }
  }
  EXPECT_EQ(json["sections"][1]["expected_exact_over_caddtree"]["ratio"].get<double>(), 1.031);
  EXPECT_EQ(json["sections"][0]["best_fixed"], "ddtree 8");
}

TEST(Svg, TicksLieInsideAndTheirLabelsDoNotTouch) {
  for (const Axis& axis : {Axis{0, 7341, 100, 480}, Axis{0.31, 1.9, 90, 460, true}, Axis{0.93, 1.08, 90, 460, true},
                           Axis{0.01, 80, 90, 460, true}, Axis{1, 5.2, 100, 500}, Axis{0, 0.004, 180, 20}}) {
    const std::vector<double> found = ticks(axis, 34);
    ASSERT_GE(found.size(), 2u) << axis.low << " to " << axis.high;
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_GE(found[i], axis.low);
      EXPECT_LE(found[i], axis.high * (1 + 1e-9));
      if (i > 0) {
        EXPECT_GT(std::abs(axis.at(found[i]) - axis.at(found[i - 1])), 34);
      }
    }
  }
}

}  // namespace
}  // namespace draftscope
