// The engine's own thread: commands in, frames out, in order, whatever the front end does.
#include "app/engine_thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <new>
#include <thread>

#include "app/options.h"
#include "ui/source.h"

namespace {

/// The next large allocation of a thread other than this one fails, once; empty: none does.
std::atomic<std::thread::id> spared_thread;
constexpr size_t kLargeBytes = 1024;

void* allocate(size_t n_bytes) {
  std::thread::id spared = spared_thread.load();
  const bool starved =
      n_bytes >= kLargeBytes && spared != std::thread::id() && spared != std::this_thread::get_id();
  if (starved && spared_thread.compare_exchange_strong(spared, std::thread::id())) return nullptr;
  return std::malloc(n_bytes);
}

}  // namespace

// All that allocate and free one object, so that sanitizers see matching pairs; a compiler that saw into one
// of a pair would take it for a mismatch.
[[gnu::noinline]] void* operator new(size_t n_bytes) {
  if (void* memory = allocate(n_bytes)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(size_t n_bytes, const std::nothrow_t&) noexcept {
  return allocate(n_bytes);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

namespace draftscope {
namespace {

using namespace std::chrono_literals;

CostModel any_cost() {
  CostModel cost;
  cost.kind = CostKind::kByHand;
  cost.label = "test";
  cost.context = {0};
  cost.rows = {1, 64};
  cost.verify_s = {0.001, 0.002};
  cost.draft_s = {0.001};
  return cost;
}

EngineOptions any_options() {
  EngineOptions options;
  options.session.cost = any_cost();
  return options;
}

StartCommand start_command(int32_t max_tokens) {
  StartCommand start;
  start.prompt_utf8 = "Tom has 12 apples and buys 9 more. How many apples does Tom have?";
  start.max_tokens = max_tokens;
  return start;
}

class EngineThreadTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    setenv("DRAFTSCOPE_ASSETS", DS_SOURCE_DIR "/assets", 1);
    ModelOptions models;
    models.n_threads = 1;  // no worker finds itself without memory in the middle of an operation
    pair_ = new Pair(open_models(models).value());
  }
  static void TearDownTestSuite() { delete pair_, pair_ = nullptr; }

  /// Polls until `enough`, at most 20 s.
  template <class Enough>
  bool poll_until(Enough enough) {
    for (int i = 0; i < 4000; ++i) {
      source_.poll(store_);
      if (enough()) return true;
      std::this_thread::sleep_for(5ms);
    }
    return false;
  }
  bool poll_for(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    return poll_until([&] { return std::chrono::steady_clock::now() > end; });
  }

  static Pair* pair_;
  LiveQueue live_{4096};
  LiveSource source_{live_};
  RecordStore store_;
  EngineThread engine_{*pair_, any_options(), Recorder::open("", &live_).value()};
};
Pair* EngineThreadTest::pair_ = nullptr;

TEST_F(EngineThreadTest, AGenerationArrivesWhole) {
  engine_.send(start_command(30));
  ASSERT_TRUE(poll_until([&] { return store_.end().has_value(); }));
  EXPECT_EQ(store_.n_skipped(), 0);
  EXPECT_EQ(static_cast<int64_t>(store_.rounds().size()), store_.end()->n_rounds);
  std::string text;
  for (const RoundRecord& round : store_.rounds()) text += round.committed_utf8;
  EXPECT_EQ(text, store_.end()->output_utf8);
  EXPECT_TRUE(store_.errors().empty());
}

TEST_F(EngineThreadTest, PausedItStepsOneRoundAtATime) {
  engine_.send(PauseCommand{});
  engine_.send(start_command(200));
  ASSERT_TRUE(poll_until([&] { return store_.info().has_value(); }));
  poll_for(100ms);
  EXPECT_EQ(store_.rounds().size(), 0u);
  for (size_t n = 1; n <= 3; ++n) {
    engine_.send(StepCommand{});
    ASSERT_TRUE(poll_until([&] { return store_.rounds().size() == n; }));
    poll_for(50ms);
    EXPECT_EQ(store_.rounds().size(), n);
  }
  engine_.send(ResumeCommand{});
  EXPECT_TRUE(poll_until([&] { return store_.end().has_value(); }));
}

TEST_F(EngineThreadTest, PausedStoppedAndResumedANewRunDecodes) {
  engine_.send(PauseCommand{});
  engine_.send(start_command(200));
  engine_.send(StopCommand{});
  engine_.send(ResumeCommand{});
  engine_.send(start_command(5));
  ASSERT_TRUE(
      poll_until([&] { return store_.info() && store_.info()->session == 1 && store_.end().has_value(); }));
  EXPECT_EQ(store_.end()->n_tokens, 5);
}

TEST_F(EngineThreadTest, ARoundWithoutMemoryEndsTheGenerationAndTheNextOneRuns) {
  engine_.send(PauseCommand{});
  engine_.send(start_command(200));
  engine_.send(StepCommand{});
  ASSERT_TRUE(poll_until([&] { return store_.rounds().size() == 1; }));
  spared_thread = std::this_thread::get_id();
  engine_.send(StepCommand{});
  ASSERT_TRUE(poll_until([&] { return store_.end().has_value(); }));
  EXPECT_EQ(store_.end()->reason, EndReason::kError);
  EXPECT_EQ(store_.end()->message.find("out of memory"), 0u) << store_.end()->message;
  engine_.send(ResumeCommand{});
  engine_.send(start_command(5));
  ASSERT_TRUE(poll_until([&] { return store_.info()->session == 1 && store_.end().has_value(); }));
  EXPECT_EQ(store_.end()->n_tokens, 5);
}

TEST_F(EngineThreadTest, AStartWithoutMemoryIsSaidAndTheNextOneRuns) {
  const StartCommand start = start_command(5);
  spared_thread = std::this_thread::get_id();
  engine_.send(start);
  ASSERT_TRUE(poll_until([&] { return store_.end().has_value(); }));
  EXPECT_EQ(store_.end()->reason, EndReason::kError);
  EXPECT_EQ(store_.end()->message.find("out of memory"), 0u) << store_.end()->message;
  EXPECT_EQ(store_.info()->prompt_utf8, start.prompt_utf8);
  engine_.send(start);
  ASSERT_TRUE(poll_until([&] { return store_.info()->session == 1 && store_.end().has_value(); }));
  EXPECT_EQ(store_.end()->n_tokens, 5);
}

TEST_F(EngineThreadTest, ItDecodesAsTheCommandLineSays) {
  DecodeOptions options;
  options.raw = options.ignore_end = true;
  options.temperature = 1.5f;
  options.top_k = 3;
  options.top_p = 0.6f;
  options.seed = 4;
  options.max_nodes = 5;
  options.max_tokens = 40;
  StartCommand start = start_command(options.max_tokens);
  start.temperature = options.temperature;
  start.seed = options.seed;
  EngineOptions engine_options{session_options(options, start.prompt_utf8).value(), options.raw,
                               options.thinking};
  engine_options.session.cost = any_cost();
  const std::vector<int32_t> ids = encode_prompt(*pair_, start.prompt_utf8, true, false).value();
  Session alone = Session::start(*pair_, ids, engine_options.session).value();
  while (!alone.done()) (void)alone.round();

  EngineThread engine(*pair_, engine_options, Recorder::open("", &live_).value());
  engine.send(start);
  ASSERT_TRUE(poll_until([&] { return store_.end().has_value(); }));
  EXPECT_EQ(store_.end()->output_utf8, alone.end().output_utf8);
  EXPECT_EQ(store_.end()->n_tokens, 40);
  EXPECT_EQ(store_.info()->max_nodes, 5);
  start.method = Method::kDdtree;  // a fixed tree is as large as it was asked to be
  start.budget = 9;
  engine.send(start);
  ASSERT_TRUE(poll_until([&] { return store_.info()->session == 1 && store_.end().has_value(); }));
  EXPECT_EQ(store_.info()->max_nodes, 9);
  EXPECT_EQ(store_.end()->output_utf8, alone.end().output_utf8);
}

TEST_F(EngineThreadTest, ADraggedCostCurveDecidesTheNextRound) {
  engine_.send(PauseCommand{});
  engine_.send(start_command(200));
  engine_.send(StepCommand{});
  ASSERT_TRUE(poll_until([&] { return store_.rounds().size() == 1; }));
  CostModel steep = any_cost();
  steep.verify_s = {0.001, 60.0};
  engine_.send(SetCostCommand{steep});
  engine_.send(StepCommand{});
  ASSERT_TRUE(poll_until([&] { return store_.rounds().size() == 2; }));
  EXPECT_EQ(store_.rounds()[1].decision.chosen, 0);
  engine_.send(SetMethodCommand{Method::kDdtree, 7});
  engine_.send(StepCommand{});
  ASSERT_TRUE(poll_until([&] { return store_.rounds().size() == 3; }));
  EXPECT_EQ(store_.rounds()[2].decision.chosen, 7);
  EXPECT_EQ(store_.rounds()[2].method, Method::kDdtree);
}

TEST_F(EngineThreadTest, ACorrectionMakesTheCalibratedMethodDecode) {
  StartCommand start = start_command(200);
  start.method = Method::kCalibrated;
  engine_.send(PauseCommand{});
  engine_.send(start);
  ASSERT_TRUE(poll_until([&] { return store_.end().has_value(); }));
  EXPECT_EQ(store_.end()->reason, EndReason::kError) << "there is none yet";

  engine_.send(SetCorrectionCommand{{.temperature = 2}, "a test"});
  engine_.send(start);
  engine_.send(StepCommand{});
  ASSERT_TRUE(poll_until([&] { return store_.rounds().size() == 1; }));
  EXPECT_EQ(store_.rounds()[0].method, Method::kCalibrated);

  engine_.send(SetCorrectionCommand{{.temperature = -1}, "nonsense"});  // leaves the one before in place
  engine_.send(StepCommand{});
  ASSERT_TRUE(poll_until([&] { return store_.rounds().size() == 2; }));
  engine_.send(SetMethodCommand{Method::kExact, 64});
  engine_.send(StepCommand{});
  ASSERT_TRUE(poll_until([&] { return store_.rounds().size() == 3; }));
  EXPECT_EQ(store_.rounds()[2].method, Method::kExact);
}

TEST_F(EngineThreadTest, StopEndsAndANewRunBegins) {
  engine_.send(SetSpeedCommand{5});
  engine_.send(start_command(200));
  ASSERT_TRUE(poll_until([&] { return !store_.rounds().empty(); }));
  engine_.send(StopCommand{});
  ASSERT_TRUE(poll_until([&] { return store_.end().has_value(); }));
  EXPECT_EQ(store_.end()->reason, EndReason::kStopped);
  engine_.send(SetSpeedCommand{0});
  engine_.send(start_command(5));
  ASSERT_TRUE(poll_until([&] { return store_.info()->session == 1 && store_.end().has_value(); }));
  EXPECT_EQ(store_.end()->n_tokens, 5);
}

TEST_F(EngineThreadTest, APromptThatDoesNotFitIsSaidNotLost) {
  StartCommand start = start_command(5);
  for (int i = 0; i < 3000; ++i) start.prompt_utf8 += " apples";
  engine_.send(start);
  ASSERT_TRUE(poll_until([&] { return store_.end().has_value(); }));
  EXPECT_EQ(store_.end()->reason, EndReason::kError);
  EXPECT_NE(store_.end()->message.find("context"), std::string::npos) << store_.end()->message;
}

TEST_F(EngineThreadTest, ClosingInTheMiddleOfARunEndsIt) {
  engine_.send(start_command(2000));
  ASSERT_TRUE(poll_until([&] { return store_.rounds().size() > 2; }));
  EXPECT_TRUE(engine_.close());
  ASSERT_TRUE(poll_until([&] { return store_.end().has_value(); }));
}

/// A measurement that lasts until it is told to end, or to stop.
class EngineMeasuringTest : public EngineThreadTest {
 protected:
  ~EngineMeasuringTest() override { may_end_ = true; }

  std::shared_ptr<FirstProfile> profile_ = std::make_shared<FirstProfile>(
      "", [this](const FirstProfile::Progress& progress) -> Result<CostModel> {
        while (!may_end_) {
          if (!progress({1, 2, {}})) return fail("stopped");
          std::this_thread::yield();
        }
        return any_cost();
      });
  std::atomic<bool> may_end_ = false;
  EngineThread measuring_{*pair_, EngineOptions{{}, false, false, profile_}, Recorder::open("", &live_).value()};
};

TEST_F(EngineMeasuringTest, CommandsWaitInOrderAndTheLastStartCounts) {
  measuring_.send(start_command(200));
  measuring_.send(PauseCommand{});
  measuring_.send(start_command(30));
  measuring_.send(SetMethodCommand{Method::kDdtree, 7});
  measuring_.send(StepCommand{});
  ASSERT_TRUE(poll_until([&] { return profile_->now().n_total == 2; }));
  EXPECT_TRUE(profile_->now().running);
  EXPECT_FALSE(store_.info());
  may_end_ = true;
  ASSERT_TRUE(poll_until([&] { return store_.rounds().size() == 1; }));
  EXPECT_FALSE(profile_->now().running);
  EXPECT_EQ(store_.info()->session, 0) << "the first start was replaced, not run";
  EXPECT_EQ(store_.info()->max_tokens, 30);
  EXPECT_EQ(store_.info()->cost.label, "test");
  EXPECT_EQ(store_.rounds()[0].method, Method::kDdtree);
  measuring_.send(ResumeCommand{});
  ASSERT_TRUE(poll_until([&] { return store_.end().has_value(); }));
}

TEST_F(EngineMeasuringTest, StoppedItDecodesWithACurveThatSaysItIsMadeUp) {
  measuring_.send(start_command(5));
  measuring_.send(StopMeasuringCommand{});
  ASSERT_TRUE(poll_until([&] { return store_.end().has_value(); }));
  EXPECT_EQ(store_.end()->n_tokens, 5);
  EXPECT_NE(store_.info()->cost.label.find("made up"), std::string::npos) << store_.info()->cost.label;
  EXPECT_NE(profile_->now().outcome, "");
  measuring_.send(StopMeasuringCommand{});  // too late: it stops no generation
  measuring_.send(start_command(6));
  ASSERT_TRUE(poll_until([&] { return store_.info()->session == 1 && store_.end().has_value(); }));
  EXPECT_EQ(store_.end()->n_tokens, 6);
}

TEST_F(EngineMeasuringTest, ClosingEndsItWithoutAGeneration) {
  measuring_.send(start_command(200));
  EXPECT_TRUE(measuring_.close());
  source_.poll(store_);
  EXPECT_FALSE(store_.info());
}

}  // namespace
}  // namespace draftscope
