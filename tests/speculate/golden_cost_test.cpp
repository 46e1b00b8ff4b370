// Convex regression, profile pipelines and look-ups of the public CaDDTree code. Fits are compared with the
// exact optimum to 1e-9 of the data's range (the reference's own solver is coarser), look-ups on given curves
// to 1e-14.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/speculate/caddtree_curves.h"
#include "engine/speculate/cost.h"
#include "tests/speculate/golden_files.h"

namespace draftscope {
namespace {

double range_of(const std::vector<double>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return *high - *low;
}

void expect_all_near(const std::vector<double>& found, const std::vector<double>& expected,
                     double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], tolerance) << "at " << i;
}

// The profile of one context as a cost model, of as many tokens as the pipeline looks at.
CostModel profile_of(const Json& pipeline, int32_t context) {
  const Json points = golden::get(golden::get(golden::get(pipeline, "profile"), "medians_s"), std::to_string(context));
  std::map<int32_t, double> seconds;  // by tokens
  for (size_t i = 0; i < points.size(); ++i) {
    const std::vector<double> point = golden::must(points.at(i).as_numbers());
    if (point[0] <= golden::whole(pipeline, "max_nodes")) seconds[static_cast<int32_t>(point[0])] = point[1];
  }
  CostModel model;
  model.context = {context};
  model.draft_s = {0};
  for (const auto& [n, time] : seconds) {
    model.rows.push_back(n);
    model.verify_s.push_back(time);
  }
  return model;
}

// Curves as the files give them: seconds at 0, 1, 2, ... by context.
CostCurves given_curves(const std::vector<int32_t>& context, const Json& by_context) {
  CostCurves curves;
  curves.context = context;
  for (const int32_t tokens : context) {
    PiecewiseLinear curve;
    curve.seconds = golden::numbers(by_context, std::to_string(tokens));
    for (size_t n = 0; n < curve.seconds.size(); ++n) curve.x.push_back(static_cast<int32_t>(n));
    curves.curve.push_back(std::move(curve));
  }
  return curves;
}

// Negative n counts as 0 in the reference.
double look_up(const CostCurves& curves, double context, double n) {
  return curves.at(static_cast<int32_t>(context), std::max(static_cast<int32_t>(n), 0));
}

TEST(GoldenCost, RegressionFindsTheExactOptimum) {
  const Json regressions = golden::get(golden::read_json("cost/cost.json"), "regressions");
  ASSERT_GT(regressions.size(), 0u);
  for (size_t r = 0; r < regressions.size(); ++r) {
    SCOPED_TRACE(golden::text(regressions.at(r), "name"));
    const std::vector<double> y = golden::numbers(regressions.at(r), "y");
    expect_all_near(monotone_convex_fit(y), golden::numbers(regressions.at(r), "own_exact_fit"),
                    1e-9 * range_of(y));
  }
}

TEST(GoldenCost, ProfilesBecomeTheSameCurves) {
  const Json pipelines = golden::get(golden::read_json("cost/cost.json"), "pipelines");
  ASSERT_GT(pipelines.size(), 0u);
  for (size_t p = 0; p < pipelines.size(); ++p) {
    const Json pipeline = pipelines.at(p);
    SCOPED_TRACE(golden::text(pipeline, "name"));
    const Json exact = golden::get(pipeline, "own_exact_curves_s");
    for (const int32_t context : golden::wholes(golden::get(pipeline, "official"), "context_lengths")) {
      const CostCurves curves = caddtree_curves(profile_of(pipeline, context));
      const std::vector<double> expected = golden::numbers(exact, std::to_string(context));
      const std::vector<double> found = curves.curve[0].sample(0, static_cast<int32_t>(expected.size()));
      expect_all_near(found, expected, 1e-9 * std::max(range_of(expected), expected.back()));
    }
  }
}

TEST(GoldenCost, LookUpsOnGivenCurvesAgree) {
  const Json pipelines = golden::get(golden::read_json("cost/cost.json"), "pipelines");
  for (size_t p = 0; p < pipelines.size(); ++p) {
    const Json pipeline = pipelines.at(p);
    SCOPED_TRACE(golden::text(pipeline, "name"));
    const Json official = golden::get(pipeline, "official");
    const std::vector<int32_t> context = golden::wholes(official, "context_lengths");
    const CostCurves curves = given_curves(context, golden::get(official, "fitted_curves_s"));
    const CostCurves exact = given_curves(context, golden::get(pipeline, "own_exact_curves_s"));
    const Json queries = golden::get(pipeline, "queries_ctx_n_officialCv_ownExactCv");
    ASSERT_GT(queries.size(), 0u);
    for (size_t i = 0; i < queries.size(); ++i) {
      const std::vector<double> query = golden::must(queries.at(i).as_numbers());
      EXPECT_NEAR(look_up(curves, query[0], query[1]), query[2], 1e-14 * query[2])
          << query[0] << ", " << query[1];
      EXPECT_NEAR(look_up(exact, query[0], query[1]), query[3], 1e-14 * query[3])
          << query[0] << ", " << query[1];
    }
    const Json thetas = golden::get(pipeline, "theta_star_queries_ctx_n_phi_value");
    for (size_t i = 0; i < thetas.size(); ++i) {
      const std::vector<double> query = golden::must(thetas.at(i).as_numbers());
      const double seconds = golden::number(pipeline, "draft_cost_s") + look_up(curves, query[0], query[1]);
      EXPECT_NEAR((1 + query[2]) / seconds, query[3], 1e-14 * query[3]);
    }
  }
}

TEST(GoldenCost, PublishedCurvesReadAsTheReferenceReadsThem) {
  const Json all = golden::get(golden::read_json("cost/cost.json"), "official_prefitted");
  ASSERT_GT(all.size(), 0u);
  for (size_t p = 0; p < all.size(); ++p) {
    const Json one = all.at(p);
    SCOPED_TRACE(golden::text(one, "name"));
    const std::string place = golden::text(one, "curves_in");  // ../FILE:TENSOR, relative to this folder
    const size_t colon = place.rfind(':');
    const golden::Tensors tensors("cost/" + place.substr(0, colon));
    const std::vector<double> seconds = tensors.values<double>(place.substr(colon + 1));
    CostModel model{.kind = CostKind::kConvexFit, .context = golden::wholes(one, "context_lengths")};
    const size_t length = seconds.size() / model.context.size();
    for (size_t n = 1; n < length; ++n) model.rows.push_back(static_cast<int32_t>(n));
    for (size_t i = 0; i < seconds.size(); ++i) {
      if (i % length != 0) model.verify_s.push_back(seconds[i]);  // C_v(0) repeats C_v(1)
    }
    model.draft_s.assign(model.context.size(), golden::number(one, "Cd_s"));
    const CostTable table(model);
    const Json queries = golden::get(one, "queries_ctx_n_Cv");
    for (size_t i = 0; i < queries.size(); ++i) {
      const std::vector<double> query = golden::must(queries.at(i).as_numbers());
      const int32_t n = std::max(static_cast<int32_t>(query[1]), 0);
      const RoundCost cost = table.at(static_cast<int32_t>(query[0]), n);
      EXPECT_NEAR(cost.faithful_s.back(), query[2], 1e-14 * query[2]) << query[0] << ", " << n;
      // The pass over that tree has one row more.
      EXPECT_DOUBLE_EQ(cost.verify_s.back(),
                       table.at(static_cast<int32_t>(query[0]), n + 1).faithful_s.back());
    }
  }
}

}  // namespace
}  // namespace draftscope
