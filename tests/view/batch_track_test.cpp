// A batch along its passes: lanes, budgets by requests in flight, and the store behind them.
#include "ui/view/batch_track.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "tests/record/make_record.h"
#include "ui/view/summary.h"
#include "ui/view/theta_plot.h"
#include "ui/view/timeline.h"
#include "ui/view/transcript.h"

namespace draftscope::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

RecordStore batch_store(int32_t n_requests, int32_t n_rounds) {
  RecordStore store;
  for (Message& message : make_batch(n_requests, n_rounds)) store.append(std::move(message));
  return store;
}

TEST(BatchStore, KeepsEveryRequestAndShowsTheChosenOne) {
  RecordStore store = batch_store(4, 10);
  ASSERT_EQ(store.requests().size(), 4u);
  EXPECT_TRUE(store.errors().empty()) << store.errors()[0];
  for (size_t i = 0; i < 4; ++i) {
    const uint64_t before = store.version();
    store.show_request(i);
    EXPECT_EQ(store.version() != before, i != 0);
    EXPECT_EQ(store.info()->session, static_cast<int64_t>(i) + 1);
    ASSERT_EQ(store.rounds().size(), 10u);
    for (const RoundRecord& round : store.rounds()) EXPECT_EQ(round.session, static_cast<int64_t>(i) + 1);
    EXPECT_TRUE(store.end());
    EXPECT_EQ(store.n_skipped(), 0);
    EXPECT_EQ(transcript(store).spans[0].text, "Prompt number " + std::to_string(i + 1));
  }
  store.show_request(99);
  EXPECT_EQ(store.shown_request(), 3u);
}

TEST(BatchStore, ASessionAloneOrABatchOfItsOwnBeginsAnew) {
  RecordStore store = batch_store(3, 4);
  store.show_request(2);
  store.append(make_info());
  EXPECT_EQ(store.requests().size(), 1u);
  EXPECT_EQ(store.shown_request(), 0u);
  EXPECT_TRUE(store.empty());
  for (Message& message : make_batch(2, 3)) store.append(std::move(message));
  EXPECT_EQ(store.requests().size(), 2u);
  for (Message& message : make_batch(3, 3)) store.append(std::move(message));
  EXPECT_EQ(store.requests().size(), 3u) << "the same session once more is another batch";
  EXPECT_EQ(store.rounds().size(), 3u);
}

TEST(BatchStore, ReportsRoundsOfUnknownRequestsOnceAndCountsGapsPerRequest) {
  RecordStore store;
  SessionInfo info = make_info();
  info.n_slots = 2;
  store.append(info);
  store.append(make_shared_round(0, 4, 1, 0, 2));
  store.append(make_shared_round(0, 4, 9, 0, 2));
  store.append(make_shared_round(1, 4, 9, 1, 2));
  store.append(make_shared_round(3, 4, 1, 3, 2));
  EXPECT_EQ(store.errors().size(), 1u);
  EXPECT_EQ(store.n_skipped(), 2);
  EXPECT_EQ(store.rounds().size(), 2u);
}

TEST(BatchTrack, HasOnePassForTheRoundsThatSharedIt) {
  const RecordStore store = batch_store(4, 10);
  const BatchTrack track = batch_track(store);
  EXPECT_EQ(track.empty_reason, "");
  EXPECT_THAT(track.n_requests, ElementsAre(1, 2, 3, 4, 4, 4, 4, 4, 4, 4, 3, 2, 1));
  ASSERT_EQ(track.lanes.size(), 4u);
  EXPECT_EQ(track.n_rows, 4);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(track.lanes[i].request, i);
    EXPECT_EQ(track.lanes[i].pass.front(), static_cast<int32_t>(i));
    EXPECT_EQ(track.lanes[i].pass.size(), 10u);
    for (size_t round = 0; round < 10; ++round) {
      EXPECT_EQ(track.lanes[i].nodes[round], store.requests()[i].rounds[round].decision.chosen);
    }
  }
  const SharedPass& pass = *store.requests()[0].rounds[2].shared;
  EXPECT_DOUBLE_EQ(track.nodes_each[2], (pass.n_rows - 3) / 3.0);
  EXPECT_EQ(track.n_tokens[2], pass.n_tokens);
}

TEST(BatchTrack, RequestsThatFollowEachOtherShareARow) {
  RecordStore store;
  for (int64_t request = 0; request < 3; ++request) {
    SessionInfo info = make_info();
    info.session = request + 1;
    info.n_slots = 2;
    store.append(info);
  }
  const auto round = [&](int64_t session, int64_t pass, uint64_t seq) { store.append(make_shared_round(seq, 8, session, pass, 2)); };
  for (uint64_t i = 0; i < 6; ++i) round(1, static_cast<int64_t>(i), i);
  for (uint64_t i = 0; i < 2; ++i) round(2, static_cast<int64_t>(i), i);
  for (uint64_t i = 0; i < 2; ++i) round(3, static_cast<int64_t>(i) + 2, i);
  const BatchTrack track = batch_track(store);
  EXPECT_EQ(track.n_rows, 2);
  EXPECT_EQ(track.lanes[0].row, 0);
  EXPECT_EQ(track.lanes[1].row, 1);
  EXPECT_EQ(track.lanes[2].row, 1);
}

TEST(BatchTrack, BudgetsBySizeAreMeansOverRequestsAndPasses) {
  RecordStore store = batch_store(2, 3);  // passes of 1, 2, 2 and 1 requests
  const BatchTrack track = batch_track(store);
  ASSERT_EQ(track.by_size.size(), 2u);
  EXPECT_EQ(track.by_size[0].n_requests, 1);
  EXPECT_EQ(track.by_size[0].n_passes, 2);
  EXPECT_EQ(track.by_size[1].n_passes, 2);
  EXPECT_DOUBLE_EQ(track.by_size[0].nodes, (track.nodes_each[0] + track.nodes_each[3]) / 2);
  EXPECT_DOUBLE_EQ(track.by_size[1].nodes, (track.nodes_each[1] + track.nodes_each[2]) / 2);
  EXPECT_NEAR(track.by_size[1].tokens_per_s,
              1000 * (track.n_tokens[1] + track.n_tokens[2]) / (track.took_ms[1] + track.took_ms[2]), 1e-6);
}

TEST(BatchTrack, WhatWasAcceptedBehindTheEndOfATextIsNobodys) {
  std::vector<Message> messages = make_batch(2, 3);  // the second request is alone in the last pass
  RecordStore before, after;
  std::map<int64_t, int32_t> committed;  // by session
  for (Message& message : messages) {
    if (auto* round = std::get_if<RoundRecord>(&message)) {
      round->context_len = make_info().prompt_tokens + committed[round->session];
      committed[round->session] += static_cast<int32_t>(round->accepted.path.size());
    }
    if (auto* end = std::get_if<SessionEnd>(&message)) end->n_tokens = 1000;
    before.append(message);
    if (auto* end = std::get_if<SessionEnd>(&message); end != nullptr && end->session == 2) {
      end->n_tokens = committed[2];  // one of them by the prompt's pass: the rounds decoded one less than they committed
    }
    after.append(std::move(message));
  }
  const BatchTrack whole = batch_track(before), cut = batch_track(after);
  EXPECT_EQ(whole.lanes[1].tokens.back(), static_cast<int32_t>(before.requests()[1].rounds.back().accepted.path.size()));
  EXPECT_EQ(cut.lanes[1].tokens.back(), whole.lanes[1].tokens.back() - 1);
  EXPECT_EQ(cut.n_tokens.back(), whole.n_tokens.back() - 1);
  EXPECT_EQ(cut.lanes[0].tokens, whole.lanes[0].tokens);
  EXPECT_DOUBLE_EQ(cut.by_size[0].tokens, whole.by_size[0].tokens - 0.5) << "two passes of one request";
  EXPECT_DOUBLE_EQ(cut.by_size[1].tokens, whole.by_size[1].tokens);

  before.show_request(1), after.show_request(1);
  EXPECT_EQ(theta_plot(after, 2).realised_tokens, theta_plot(before, 2).realised_tokens - 1);
  EXPECT_EQ(theta_plot(after, 1).realised_tokens, theta_plot(before, 1).realised_tokens);
  const auto all_requests = [](const RecordStore& store) {
    double tokens = 0, seconds = 0;
    for (const RoundRecord& round : store.rounds())
      tokens += round.shared->n_tokens, seconds += 1e-9 * static_cast<double>(round.took.total_ns());
    if (store.end()->n_tokens < 1000) tokens -= 1;
    return fmt::format("{:.1f} tokens/s", tokens / seconds);
  };
  for (const RecordStore* store : {&before, &after}) {
    const std::vector<Figure> figures = summary(*store).figures;
    const auto figure = std::ranges::find(figures, "speed of all requests", &Figure::label);
    ASSERT_NE(figure, figures.end());
    EXPECT_EQ(figure->value, all_requests(*store));
  }
}

TEST(BatchTrack, SaysWhatItCannotShow) {
  RecordStore store;
  EXPECT_THAT(batch_track(store).empty_reason, HasSubstr("draftscope batch"));
  store.append(make_info());
  store.append(make_round(0, 8));
  EXPECT_THAT(batch_track(store).empty_reason, HasSubstr("share no budget"));
  SessionInfo info = make_info();
  info.n_slots = 3;
  store.append(info);
  EXPECT_THAT(batch_track(store).empty_reason, HasSubstr("No rounds yet"));
}

TEST(BatchTrack, LinesNamePassAndRequest) {
  const RecordStore store = batch_store(4, 10);
  const BatchTrack track = batch_track(store);
  EXPECT_THAT(pass_line(track, 5), HasSubstr("pass 5: 4 requests in flight, "));
  EXPECT_THAT(pass_line(track, 0), HasSubstr("1 request in flight"));
  EXPECT_EQ(pass_line(track, 13), "");
  EXPECT_EQ(pass_line(track, -1), "");
  EXPECT_THAT(lane_line(store, track.lanes[2], 5), HasSubstr("request 3: "));
  EXPECT_THAT(lane_line(store, track.lanes[2], 5), HasSubstr("Prompt number 3"));
  EXPECT_EQ(lane_line(store, track.lanes[2], 0), "request 3; Prompt number 3");
}

TEST(BatchTrack, FindsTheRoundOfAPassAndThePassOfARound) {
  const RecordStore store = batch_store(4, 10);
  const BatchTrack track = batch_track(store);
  const RequestHistory& second = store.requests()[1];
  EXPECT_EQ(pass_of(track, second.rounds[4]), 5);
  EXPECT_EQ(pass_of(track, make_round(0, 4)), -1);
  EXPECT_EQ(round_at_pass(second, 5), 4);
  EXPECT_EQ(round_at_pass(second, 0), 0);
  EXPECT_EQ(round_at_pass(second, 1000), 9);
  EXPECT_EQ(round_at_pass(RequestHistory{}, 3), 0);
}

TEST(BatchViews, SayThatTimesAndCurvesAreTheWholePass) {
  const RecordStore store = batch_store(4, 10);
  EXPECT_THAT(round_line(timeline(store), 5), HasSubstr("the whole pass of 4 requests"));
  const RoundRecord& round = store.rounds()[5];
  const ThetaPlot plot = theta_plot(store, 5);
  EXPECT_THAT(plot.verdict, HasSubstr("shared with 3 other requests"));
  EXPECT_EQ(plot.realised_tokens, round.shared->n_tokens);
  bool found = false;
  for (const Figure& figure : summary(store).figures) found |= figure.label == "speed of all requests";
  EXPECT_TRUE(found);
  EXPECT_THAT(theta_plot(batch_store(1, 2), 1).verdict, HasSubstr("No other request"));
}

}  // namespace
}  // namespace draftscope::test
