#include "engine/speculate/machines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace draftscope {
namespace {

using ::testing::HasSubstr;

const Machine& machine_of(const std::string& wanted) {
  for (const Machine& machine : machines()) {
    if (wanted == machine.name) return machine;
  }
  ADD_FAILURE() << "no machine " << wanted;
  return machines().front();
}

const ModelShape& shape_of(const std::string& wanted) {
  for (const ModelShape& shape : model_shapes()) {
    if (wanted == shape.name) return shape;
  }
  ADD_FAILURE() << "no model " << wanted;
  return model_shapes().front();
}

TEST(Machines, EveryMachineAndModelMakesAValidCurveThatNamesItsNumbers) {
  std::set<std::string> labels;
  for (const Machine& machine : machines()) {
    for (const ModelShape& shape : model_shapes()) {
      for (const Launch launch : {Launch::kNone, Launch::kGraph, Launch::kEager}) {
        const CostModel model = machine_cost(machine, shape, launch);
        EXPECT_TRUE(validate(model).ok()) << model.label;
        EXPECT_EQ(model.kind, CostKind::kRoofline);
        EXPECT_THAT(model.source, HasSubstr("illustrative roofline, not measured"));
        EXPECT_THAT(model.source, HasSubstr(machine.source));
        EXPECT_TRUE(labels.insert(model.label).second) << model.label << " twice";
        EXPECT_GT(model.draft_s[0], 0);
        EXPECT_LT(model.draft_s[0], model.verify_s[0]) << "a drafter is cheaper than its target";
      }
    }
  }
  for (const char* wanted : {"A800", "A100", "H100", "H200", "RTX 4090", "RTX 5090"}) machine_of(wanted);
}

TEST(Machines, OneRowReadsTheWeightsAndTheCacheOnce) {
  const CostModel model = machine_cost(machine_of("H200"), shape_of("Qwen3-8B"), Launch::kNone);
  EXPECT_NEAR(model.verify_s.front(), 15.14e9 / 4.8e12, 1e-12);
  const size_t last_context = model.context.size() - 1;
  EXPECT_NEAR(model.verify_s[last_context * model.rows.size()], (15.14e9 + 147456.0 * 32768) / 4.8e12, 1e-12);
}

TEST(Machines, ArithmeticTakesOverWhereTheDataSheetSays) {
  const Machine& h200 = machine_of("H200");
  const CostModel model = machine_cost(h200, shape_of("Qwen3-8B"), Launch::kNone);
  const RoundCost cost = round_cost(model, 0, 400);
  const auto knee = static_cast<size_t>(h200.flops_per_s / h200.bytes_per_s);  // 206 rows
  EXPECT_NEAR(cost.verify_s[knee - 1], cost.verify_s[0], 1e-12) << "free up to here";
  EXPECT_GT(cost.verify_s[knee + 1], cost.verify_s[0] * 1.004);
}

TEST(Machines, LaunchesAddToEveryPass) {
  const ModelShape& shape = shape_of("Qwen3-0.6B");
  const CostModel bare = machine_cost(machine_of("H100"), shape, Launch::kNone);
  for (const Launch launch : {Launch::kGraph, Launch::kEager}) {
    const CostModel model = machine_cost(machine_of("H100"), shape, launch);
    ASSERT_EQ(model.rows, bare.rows);
    for (size_t i = 0; i < model.verify_s.size(); ++i)
      EXPECT_NEAR(model.verify_s[i] - bare.verify_s[i], launch_floor_s(shape, launch), 1e-12);
  }
  EXPECT_GT(launch_floor_s(shape, Launch::kEager), launch_floor_s(shape, Launch::kGraph));
}

TEST(Machines, TheEagerA800IsNearItsPublishedFloor) {
  const CostModel model = machine_cost(machine_of("A800"), shape_of("Qwen3-8B"), Launch::kEager);
  EXPECT_NEAR(model.verify_s.front(), 0.0345, 0.001);
}

}  // namespace
}  // namespace draftscope
