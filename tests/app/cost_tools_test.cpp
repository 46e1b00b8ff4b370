// What the window may start from and what it reads and writes.
#include "app/cost_tools.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>

#include "app/cost_file.h"
#include "engine/speculate/cost.h"
#include "tests/temp_folder.h"

namespace draftscope {
namespace {

using ::testing::HasSubstr;

CostModel session_cost() {
  CostModel model;
  model.kind = CostKind::kMeasured;
  model.label = "measured here";
  model.source = "a test";
  model.context = {0, 1000};
  for (int32_t row = 1; row <= 64; ++row) model.rows.push_back(row);
  for (size_t i = 0; i < 128; ++i)
    model.verify_s.push_back(0.01 + 0.001 * static_cast<double>((i % 64) / 16));
  model.draft_s = {0.002, 0.002};
  return model;
}

class CostToolsTest : public ::testing::Test {
 protected:
  CostToolsTest() {
    setenv("DRAFTSCOPE_ASSETS", DS_SOURCE_DIR "/assets", 1);
  }
  ~CostToolsTest() override { unsetenv("DRAFTSCOPE_ASSETS"); }
  std::string file(const std::string& name) const { return folder_ / name; }

 private:
  TempFolder folder_;
};

TEST_F(CostToolsTest, EveryPresetIsValidAndNamesItsSource) {
  const std::vector<CostPreset> presets = cost_presets(session_cost());
  std::set<std::string> groups;
  std::string last;
  for (const CostPreset& preset : presets) {
    EXPECT_TRUE(validate(preset.cost).ok()) << preset.name;
    EXPECT_FALSE(preset.cost.source.empty()) << preset.name;
    EXPECT_FALSE(preset.name.empty());
    const bool is_new = groups.insert(preset.group).second;
    EXPECT_EQ(is_new, preset.group != last) << preset.group << " is split";
    last = preset.group;
  }
  for (const char* group :
       {"this session", "published", "A800, data sheet", "A100, data sheet", "H100, data sheet",
        "H200, data sheet", "RTX 4090, data sheet", "RTX 5090, data sheet"})
    EXPECT_TRUE(groups.contains(group)) << group;
  EXPECT_EQ(presets[0].cost.label, "measured here");
  EXPECT_EQ(presets[0].provenance, Provenance::kMeasured);
  for (const CostPreset& preset : presets) {
    const Provenance expected = preset.group.ends_with("data sheet")   ? Provenance::kIllustrative
                                : preset.group == "published"          ? Provenance::kImported
                                : preset.cost.label == "measured here" ? Provenance::kMeasured
                                                                       : Provenance::kDerived;
    EXPECT_EQ(preset.provenance, expected) << preset.name;
  }
}

TEST_F(CostToolsTest, AnInvalidSessionCurveOffersItselfAlone) {
  CostModel broken = session_cost();
  broken.verify_s[3] = -1;
  const std::vector<CostPreset> presets = cost_presets(broken);
  EXPECT_EQ(std::ranges::count(presets, "this session", &CostPreset::group), 1);
  EXPECT_TRUE(cost_tools().knees(broken, 0).empty());
}

TEST_F(CostToolsTest, KneesAreThoseOfTheCurve) {
  const std::vector<CostKnee> found = cost_tools().knees(session_cost(), 1);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].rows, 17);
  EXPECT_EQ(found[0].cause, "tile of 16");
}

TEST_F(CostToolsTest, WhatWasWrittenComesBack) {
  const std::string path = file("cost.json");
  ASSERT_TRUE(export_cost(path, session_cost()).ok());
  const Result<std::vector<CostModel>> read = read_costs(path);
  ASSERT_TRUE(read.ok()) << read.error();
  ASSERT_EQ(read->size(), 1u);
  EXPECT_EQ(read->front().verify_s, session_cost().verify_s);
  CostModel other = session_cost();
  other.verify_s[0] = 0.5;
  EXPECT_TRUE(export_cost(path, other).ok()) << "an older curve is replaced";
  EXPECT_EQ(read_costs(path)->front().verify_s[0], 0.5);
}

TEST_F(CostToolsTest, OtherFilesAreNotReplaced) {
  const std::string path = file("notes.json");
  std::ofstream(path) << "{}";
  const Status status = export_cost(path, session_cost());
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error(),
            path + ": expected a new file or an older cost curve to replace, found something else");
  std::string kept;
  std::getline(std::ifstream(path), kept);
  EXPECT_EQ(kept, "{}");
}

TEST_F(CostToolsTest, FilesThatCannotBeUsedGetOneSentence) {
  const auto curve = [](const char* middle) {
    return fmt::format(R"({{"schema":"cost-curve/1","draft_seconds":0,{}}})", middle);
  };
  const std::pair<std::string, const char*> cases[] = {
      {"no JSON", "not valid JSON"},
      {curve(R"("context":[0],"nodes":[1,2],"verify_seconds":[[1]])"),
       "expected 2 numbers, found 1 (a gap?)"},
      {curve(R"("context":[0],"nodes":[1,2],"verify_seconds":[[1,-1]])"),
       "expected a finite positive number of seconds"},
      {curve(R"("context":[0],"nodes":[1,2],"verify_seconds":[[1,NaN]])"), "not valid JSON"},
      {curve(R"("context":[0],"nodes":[1],"verify_seconds":[[1]])"), "at least two sizes to make a curve"},
      {curve(R"("context":[5,0],"nodes":[1,2],"verify_seconds":[[1,2],[1,2]])"),
       "strictly ascending values, found 0 after 5"},
  };
  const std::string path = file("bad.json");
  for (const auto& [text, sentence] : cases) {
    std::ofstream(path, std::ios::trunc) << text;
    const Result<std::vector<CostModel>> read = read_costs(path);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_THAT(read.error(), HasSubstr(sentence)) << text;
    EXPECT_THAT(read.error(), HasSubstr(path)) << text;
    EXPECT_EQ(read.error().find('\n'), std::string::npos) << text;
  }
  EXPECT_FALSE(read_costs(file("missing.json")).ok());
}

}  // namespace
}  // namespace draftscope
