// The measurement before the first generation: what is left of it when it ends, is stopped, or fails.
#include "app/first_profile.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "app/options.h"
#include "app/profile_cache.h"
#include "tests/temp_folder.h"

namespace draftscope {
namespace {

CostModel cost_of(std::vector<int32_t> contexts) {
  CostModel cost;
  cost.label = "a test's";
  cost.rows = {1, 64};
  for (const int32_t context : contexts) {
    cost.context.push_back(context);
    cost.draft_s.push_back(0.001);
    cost.verify_s.insert(cost.verify_s.end(), {0.001, 0.002});
  }
  return cost;
}

/// Four passes, two for each of two contexts.
Result<CostModel> measure_two_contexts(const FirstProfile::Progress& progress) {
  for (int32_t n_done = 0; n_done < 4; ++n_done) {
    const CostModel so_far = n_done < 2 ? cost_of({}) : cost_of({32});
    if (!progress({n_done, 4, so_far})) return fail("stopped after {} of 4 passes", n_done);
  }
  return cost_of({32, 256});
}

TEST(FirstProfileTest, AWholeMeasurementNeedsNoWords) {
  FirstProfile profile("what and why", measure_two_contexts);
  EXPECT_TRUE(profile.now().running);
  std::vector<int32_t> seen;
  const auto found = profile.run([&] { return seen.push_back(profile.now().n_done), true; });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->context, (std::vector<int32_t>{32, 256}));
  EXPECT_EQ(seen, (std::vector<int32_t>{0, 1, 2, 3}));
  EXPECT_FALSE(profile.now().running);
  EXPECT_EQ(profile.now().n_total, 4);
  EXPECT_EQ(profile.now().what, "what and why");
  EXPECT_EQ(profile.now().outcome, "");
}

TEST(FirstProfileTest, StoppedItLeavesTheContextsThatWereWhole) {
  FirstProfile profile("", measure_two_contexts);
  const auto found = profile.run([&] { return profile.now().n_done < 3; });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->context, std::vector<int32_t>{32});
  EXPECT_EQ(profile.now().outcome,
            "Measuring was stopped: budgets follow what was measured by then, contexts up to 32 tokens. The next start "
            "measures again.");
}

TEST(FirstProfileTest, StoppedBeforeAnyContextItSaysThatTheCurveIsMadeUp) {
  FirstProfile profile("", measure_two_contexts);
  EXPECT_FALSE(profile.run([] { return false; }));
  EXPECT_FALSE(profile.now().running);
  EXPECT_EQ(profile.now().outcome.find("Measuring was stopped before anything was whole: budgets follow a made-up"), 0u);
}

TEST(FirstProfileTest, AFailureIsSaidWithItsReason) {
  FirstProfile failing("", [](const FirstProfile::Progress&) -> Result<CostModel> { return fail("no such rows"); });
  EXPECT_FALSE(failing.run([] { return true; }));
  EXPECT_EQ(failing.now().outcome.find("Measuring failed (no such rows) before anything was whole"), 0u);
  FirstProfile starving("", [](const FirstProfile::Progress& progress) -> Result<CostModel> {
    progress({2, 4, cost_of({32})});
    throw std::bad_alloc();
  });
  EXPECT_TRUE(starving.run([] { return true; })) << "the first context was whole";
  EXPECT_EQ(starving.now().outcome.find("Measuring failed (out of memory"), 0u) << starving.now().outcome;
}

TEST(FirstProfileTest, AStoppedProfileIsNotKept) {
  const TempFolder cache;
  setenv("XDG_CACHE_HOME", cache.path().c_str(), 1);
  setenv("DRAFTSCOPE_ASSETS", DS_SOURCE_DIR "/assets", 1);
  ModelOptions models;
  models.backend = "cpu";
  const Pair pair = open_models(models).value();
  EXPECT_FALSE(kept_profile(pair));
  int n_passes = 0;
  EXPECT_FALSE(measure_and_keep(pair, [&](const ProfileProgress&) { return ++n_passes < 3; }));
  EXPECT_EQ(n_passes, 3);
  EXPECT_FALSE(kept_profile(pair));
  ASSERT_TRUE(save_cost(cost_of({32}), profile_path(pair)));
  EXPECT_TRUE(kept_profile(pair));
}

}  // namespace
}  // namespace draftscope
