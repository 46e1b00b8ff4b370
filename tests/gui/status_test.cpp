// The status bar says what matters first, and never hides what went wrong.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "tests/record/make_record.h"
#include "ui/gui/status_bar.h"
#include "ui/gui/studio.h"

namespace draftscope::test {
namespace {

bool has(const std::vector<StatusItem>& items, const std::string& text, bool warning) {
  return std::ranges::any_of(items, [&](const StatusItem& item) {
    return item.text.find(text) != std::string::npos && item.warning == warning && !item.explanation.empty();
  });
}

const StatusFacts kLive = {.live = true};

TEST(GuiStatus, SaysThatTheEngineWaitsUntilItsEnd) {
  RecordStore store;
  const StatusFacts paused = {.live = true, .paused = true};
  store.append(make_info());
  EXPECT_EQ(status_items(store, kLive)[0].text, "LIVE, decoding");
  EXPECT_EQ(status_items(store, paused)[0].text, "LIVE, paused between rounds");
  store.append(make_end());
  EXPECT_EQ(status_items(store, paused)[0].text.find("LIVE, ended"), 0u);
}

TEST(GuiStatus, NamesTheRecordingAndWarnsOfWhatDidNotOpen) {
  RecordStore store;
  store.append(make_info());
  const auto items =
      status_items(store, {.file = "a.trace", .notice = "b.trace: cannot be read", .notice_warns = true});
  EXPECT_EQ(items[0].text, "RECORDING a.trace");
  EXPECT_TRUE(has(items, "b.trace: cannot be read", true));
}

TEST(GuiStatus, NamesModelMachineAndSpeed) {
  RecordStore store;
  store.append(make_info());
  for (uint64_t i = 0; i < 3; ++i) store.append(make_round(i, 16));
  const auto items = status_items(store, kLive);
  for (const char* text : {"LIVE, decoding", "Qwen3-4B + Qwen3-4B-DFlash-b16", "cpu avx2, 2 threads", "bf16",
                           "a test machine", "exact", "tokens/s measured", "tokens/round"}) {
    EXPECT_TRUE(has(items, text, false)) << text;
  }
  EXPECT_TRUE(has(items, "made up for a test", true)) << "the note";
}

TEST(GuiStatus, TokensPerRoundCountsTheBonus) {
  RecordStore store;
  store.append(make_info());
  store.append(make_round(0, 0));  // plain decoding commits one token per round
  store.append(make_round(1, 0));
  EXPECT_TRUE(has(status_items(store, kLive), "1.00 tokens/round", false));
}

TEST(GuiStatus, GapsUnreadableFramesAndErrorsAreWarnings) {
  RecordStore store;
  store.append(make_info());
  store.append(make_round(0, 16));
  store.append(make_round(5, 16));
  store.report("frame 3: checksum differs");
  store.append(make_end());
  const auto items = status_items(store, kLive);
  EXPECT_TRUE(has(items, "4 rounds not shown", true));
  EXPECT_TRUE(has(items, "1 unreadable frame", true));
  EXPECT_TRUE(has(items, make_end().message, true));
}

TEST(GuiStatus, ADriftOfTheCostIsAWarningWhileItLasts) {
  RecordStore store;
  store.append(make_info());
  RoundRecord round = make_round(0, 16);
  round.cost_drift = 1.31;
  round.drift_alarm = true;
  store.append(round);
  EXPECT_TRUE(has(status_items(store, kLive), "passes take 1.31 x the profile", true));
  round.seq = 1;
  round.drift_alarm = false;
  store.append(round);
  EXPECT_FALSE(has(status_items(store, kLive), "the profile", true));
}

TEST(GuiStatus, NoticeComesRightAfterTheState) {
  const RecordStore store;
  const auto items = status_items(store, {.notice = "saved x.png"});
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].text, "NO RECORDING");
  EXPECT_EQ(items[1].text, "saved x.png");
}

std::string line_of(const std::vector<StatusItem>& items) {
  std::string line;
  for (const StatusItem& item : items) line += item.text + "|";
  return line;
}

TEST(GuiStatus, LittleRoomKeepsWhatMattersMost) {
  const std::vector<StatusItem> items = {{"LIVE", "", false, true},
                                         {"a long sentence", "", true},
                                         {"9 tokens/s", "", false, true},
                                         {"model", ""},
                                         {"", ""},
                                         {"machine", ""}};
  const auto width_of = [](std::string_view text) { return static_cast<float>(text.size()); };
  const auto shown = [&](float room) { return line_of(fitting_items(items, room, 1, width_of)); };
  EXPECT_EQ(shown(100), "LIVE|a long sentence|9 tokens/s|model|machine|");
  EXPECT_EQ(shown(40), "LIVE|a long sentence|9 tokens/s|model|");
  EXPECT_EQ(shown(30), "LIVE|a long sen...|9 tokens/s|") << "elided, and nothing less important after it";
  EXPECT_EQ(shown(20), "LIVE|9 tokens/s|");
  EXPECT_EQ(shown(8), "LIVE|");
}

TEST(GuiWindow, NoDisplayIsOneSentence) {
  // This test runs in a process of its own under ctest; the variables matter to nothing else.
  unsetenv("DISPLAY");
  unsetenv("WAYLAND_DISPLAY");
  StudioOptions options;
  options.remember_layout = false;
  const Status shown = run_studio_window([](RecordStore&) { return false; }, [](const Command&) {}, false, options);
  ASSERT_FALSE(shown.ok());
  EXPECT_NE(shown.error().find("no display"), std::string::npos) << shown.error();
  EXPECT_EQ(shown.error().find('\n'), std::string::npos);
}

}  // namespace
}  // namespace draftscope::test
