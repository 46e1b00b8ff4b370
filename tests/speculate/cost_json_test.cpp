#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "engine/base/file_map.h"
#include "engine/speculate/cost.h"

namespace draftscope {
namespace {

using ::testing::HasSubstr;

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
}

void expect_same(const CostModel& a, const CostModel& b) {
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.label, b.label);
  EXPECT_EQ(a.source, b.source);
  EXPECT_EQ(a.model, b.model);
  EXPECT_EQ(a.machine, b.machine);
  EXPECT_EQ(a.backend, b.backend);
  EXPECT_EQ(a.context, b.context);
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_TRUE(same_bits(a.verify_s, b.verify_s));
  EXPECT_TRUE(same_bits(a.spread_s, b.spread_s));
  EXPECT_TRUE(same_bits(a.draft_s, b.draft_s));
  EXPECT_TRUE(same_bits({a.overhead_s}, {b.overhead_s}));
  EXPECT_TRUE(same_bits(a.plain_s, b.plain_s));
}

TEST(CostJson, ProfilesComeBackBitForBit) {
  std::mt19937_64 random(13);
  for (int round = 0; round < 50; ++round) {
    CostModel model;
    model.kind = static_cast<CostKind>(round % 6);
    model.label = "measured \"here\" \\ \n \xC3\xA9";
    model.source = "a command";
    model.model = "m";
    model.machine = "cpu";
    model.backend = "b";
    for (int32_t c = 0; c <= round % 3; ++c) model.context.push_back(10 * c);
    for (int32_t r = 1; r <= 2 + round % 7; ++r) model.rows.push_back(r * r);
    const auto odd_double = [&random] {
      return std::ldexp(static_cast<double>(random() | 1), -64 - int(random() % 60));
    };
    for (size_t i = 0; i < model.context.size() * model.rows.size(); ++i) {
      model.verify_s.push_back(odd_double());
      if (round % 2 == 0) model.spread_s.push_back(odd_double());
    }
    for (size_t i = 0; i < model.context.size(); ++i) {
      model.draft_s.push_back(odd_double());
      if (round % 4 < 2) model.plain_s.push_back(odd_double());
    }
    model.overhead_s = odd_double();
    const Result<CostModel> read = parse_cost_json(cost_json(model), "round trip");
    ASSERT_TRUE(read.ok()) << read.error();
    expect_same(model, *read);
  }
}

TEST(CostJson, ShippedCurvesAreThePublishedOnes) {
  for (const char* file : {"a800-qwen3-4b-convex.json", "a800-qwen3-8b-convex.json"}) {
    const std::string path = std::string(DS_SOURCE_DIR "/assets/cost/") + file;
    const Result<CostModel> model = parse_cost_json(*read_text(path), path);
    ASSERT_TRUE(model.ok()) << model.error();
    EXPECT_EQ(model->kind, CostKind::kConvexFit);
    EXPECT_THAT(model->source, HasSubstr("2606.01813"));
    EXPECT_EQ(model->machine, "A800");
    EXPECT_EQ(model->context.size(), 9u);
    EXPECT_EQ(model->rows.front(), 1) << "no pass verifies nothing";
    EXPECT_EQ(model->rows.back(), 512);
    EXPECT_EQ(model->draft_s, std::vector<double>(9, 0.0065));
    EXPECT_NEAR(model->verify_s.front(), 0.0345, 0.0006) << "the launch floor of both models";
  }
}

TEST(CostJson, ShippedProbesAreEachAModel) {
  const std::string path = DS_SOURCE_DIR "/assets/cost/published-probes.json";
  const Result<std::vector<CostModel>> models = parse_cost_models(*read_text(path), path);
  ASSERT_TRUE(models.ok()) << models.error();
  ASSERT_GE(models->size(), 4u);
  EXPECT_EQ((*models)[0].machine, "RTX PRO 6000");
  EXPECT_DOUBLE_EQ((*models)[0].verify_s.back(), 0.03025);
  EXPECT_EQ((*models)[0].rows.back(), 128);
  EXPECT_GT((*models)[0].verify_s[7], (*models)[0].verify_s[8]) << "measured dips are kept";
  const Result<CostModel> one = parse_cost_json(*read_text(path), path);
  ASSERT_FALSE(one.ok());
  EXPECT_THAT(one.error(), HasSubstr("expected one cost model, found"));
}

struct BadText {
  const char* what;
  const char* text;
  const char* sentence;
};

TEST(CostJson, BadTextsGetOneSentence) {
  const BadText cases[] = {
      {"not JSON", "{", "not valid JSON"},
      {"no schema", "{}", "missing key \"schema\""},
      {"unknown schema", R"({"schema": "cost-curve/2"})", "found \"cost-curve/2\""},
      {"NaN is not JSON", R"({"schema": "cost-curve/1", "context": [NaN]})", "not valid JSON"},
      {"a null",
       R"({"schema":"cost-curve/1","context":[0],"nodes":[1,2],"verify_seconds":[[1,null]],"draft_seconds":1})",
       "verify_seconds[0][1]: expected a finite number, found null"},
      {"a gap",
       R"({"schema":"cost-curve/1","context":[0],"nodes":[1,2],"verify_seconds":[[1]],"draft_seconds":1})",
       "verify_seconds[0]: expected 2 numbers, found 1"},
      {"a context missing",
       R"({"schema":"cost-curve/1","context":[0,5],"nodes":[1],"verify_seconds":[[1]],"draft_seconds":1})",
       "verify_seconds: expected 2 arrays, one per context, found 1"},
      {"negative",
       R"({"schema":"cost-curve/1","context":[0],"nodes":[1,2],"verify_seconds":[[1,-2]],"draft_seconds":1})",
       "verify_s[1]: expected a finite positive number of seconds, 1e-100 to 100000, found -2"},
      {"decreasing context",
       R"({"schema":"cost-curve/1","context":[9,5],"nodes":[1,2],"verify_seconds":[[1,2],[1,2]],"draft_seconds":1})",
       "context: expected strictly ascending values, found 5 after 9"},
      {"a time of zero",
       R"({"schema":"cost-curve/1","context":[0],"nodes":[1,2],"verify_seconds":[[0,2]],"draft_seconds":1})",
       "verify_s[0]: expected a finite positive number of seconds, 1e-100 to 100000, found 0"},
      {"a number too large for a double",
       R"({"schema":"cost-curve/1","context":[0],"nodes":[1,2],"verify_seconds":[[1,1e999]],"draft_seconds":1})",
       "not valid JSON"},
      {"unsorted nodes",
       R"({"schema":"cost-curve/1","context":[0],"nodes":[4,2],"verify_seconds":[[1,2]],"draft_seconds":1})",
       "strictly ascending values, found 2 after 4"},
      {"half a node",
       R"({"schema":"cost-curve/1","context":[0],"nodes":[1.5],"verify_seconds":[[1]],"draft_seconds":1})",
       "nodes[0]: expected a whole number"},
      {"only zero nodes",
       R"({"schema":"cost-curve/1","context":[0],"nodes":[0],"verify_seconds":[[1]],"draft_seconds":1})",
       "rows: expected at least one value"},
      {"no draft", R"({"schema":"cost-curve/1","context":[0],"nodes":[1],"verify_seconds":[[1]]})",
       "missing key \"draft_seconds\""},
      {"no probes", R"({"schema":"cost-probes/1","probes":[]})",
       "probes: expected an array of at least one probe"},
      {"uneven probe", R"({"schema":"cost-probes/1","probes":[{"tokens":[1,2],"ms":[3]}]})",
       "probes[0]: cost model: verify_s: expected 2 values, found 1"},
      {"unknown kind", R"({"schema":"cost-profile/1","kind":"guess"})",
       "kind: expected a kind of cost model"},
      {"a number for a name", R"({"schema":"cost-profile/1","kind":"measured","label":3})",
       "label: expected a string"},
  };
  for (const BadText& bad : cases) {
    const Result<std::vector<CostModel>> models = parse_cost_models(bad.text, "file.json");
    ASSERT_FALSE(models.ok()) << bad.what;
    EXPECT_THAT(models.error(), HasSubstr(bad.sentence)) << bad.what;
    EXPECT_THAT(models.error(), HasSubstr("file.json")) << bad.what;
  }
}

TEST(CostJson, APlainStepIsThereForEveryContextOrNotAtAll) {
  const auto parse = [](const std::string& plain) {
    return parse_cost_json(R"({"schema":"cost-profile/1","kind":"measured","context":[0,64],"rows":[1,2],)"
                           R"("verify_s":[[1,2],[3,4]],"draft_s":[0,0],"overhead_s":0)" + plain + "}", "p.json");
  };
  EXPECT_TRUE(parse("")->plain_s.empty()) << "a profile of before";
  EXPECT_EQ(parse(R"(,"plain_s":[0.5,2.5])")->plain_s, (std::vector<double>{0.5, 2.5}));
  EXPECT_EQ(parse(R"(,"plain_s":[])").error(), "p.json: plain_s: expected 2 values, found none");
  EXPECT_EQ(parse(R"(,"plain_s":[1])").error(), "p.json: cost model: plain_s: expected 2 values, found 1");
  EXPECT_EQ(parse(R"(,"plain_s":[1,0])").error(),
            "p.json: cost model: plain_s[1]: expected a finite positive number of seconds, 1e-100 to 100000, found 0");
  EXPECT_THAT(parse(R"(,"plain_s":[1,null])").error(), HasSubstr("plain_s[1]: expected a finite number, found null"));
  EXPECT_THAT(parse(R"(,"plain_s":3)").error(), HasSubstr("p.json: plain_s: expected"));
}

TEST(CostJson, ACurveNeedsTwoPoints) {
  const std::string head = R"({"schema":"cost-curve/1","draft_seconds":0,"context":[0],)";
  const Result<CostModel> two = parse_cost_json(head + R"("nodes":[3,4],"verify_seconds":[[0.5,0.5]]})", "two.json");
  ASSERT_TRUE(two.ok()) << two.error();
  EXPECT_EQ(two->kind, CostKind::kMeasured);
  EXPECT_EQ(round_cost(*two, 10, 2).verify_s, std::vector<double>(3, 0.5));
  const Result<CostModel> one = parse_cost_json(head + R"("nodes":[3],"verify_seconds":[[0.5]]})", "one.json");
  ASSERT_FALSE(one.ok());
  EXPECT_EQ(one.error(), "one.json: expected passes of at least two sizes to make a curve, found one of 3 rows");
}

}  // namespace
}  // namespace draftscope
