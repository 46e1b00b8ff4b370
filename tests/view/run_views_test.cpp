// Views over all rounds: transcript, timeline, summary.
#include <gmock/gmock.h>

#include "tests/record/make_record.h"
#include "ui/view/decoded_tokens.h"
#include "ui/view/summary.h"
#include "ui/view/theta_plot.h"
#include "ui/view/timeline.h"
#include "ui/view/transcript.h"

namespace draftscope::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

RecordStore store_of(int n_rounds, int n_nodes) {
  RecordStore store;
  store.append(make_info());
  for (int i = 0; i < n_rounds; ++i) store.append(make_round(static_cast<uint64_t>(i), n_nodes));
  return store;
}

/// A round whose path commits `accepted` and whose bonus is `bonus`, as bytes of tokens.
RoundRecord round_of(int64_t seq, const std::vector<std::string>& accepted, const std::string& bonus,
                     const std::string& committed) {
  RoundRecord round;
  round.seq = seq;
  round.session = make_info().session;
  round.method = Method::kExact;
  round.tree = {{0}, {-1}, {0}, {0}, {0.0}};
  round.accepted.path = {0};
  std::vector<std::string> texts = {"root"};
  for (const std::string& text : accepted) {
    const auto node = static_cast<int32_t>(texts.size());
    round.tree.token.push_back(node);
    round.tree.parent.push_back(node - 1);
    round.tree.depth.push_back(node);
    round.tree.rank.push_back(0);
    round.tree.path_log_q.push_back(-0.1 * node);
    round.accepted.path.push_back(node);
    texts.push_back(text);
  }
  texts.push_back(bonus);
  round.accepted.bonus = static_cast<int32_t>(texts.size()) - 1;
  round.decision.chosen = static_cast<int32_t>(accepted.size());
  std::vector<int32_t> tokens;
  for (size_t i = 0; i < texts.size(); ++i) tokens.push_back(static_cast<int32_t>(i));
  round.text = TokenText::of(
      tokens, [&](int32_t token) { return std::string(texts[static_cast<size_t>(token)]); });
  round.committed_utf8 = committed;
  return round;
}

const Figure* figure_of(const Summary& view, std::string_view label) {
  const auto found = std::ranges::find(view.figures, label, &Figure::label);
  return found == view.figures.end() ? nullptr : &*found;
}

TEST(Transcript, SpansJoinToTheCommittedText) {
  const RecordStore store = store_of(200, 48);
  std::string committed, joined;
  for (const RoundRecord& round : store.rounds()) committed += round.committed_utf8;
  for (const TranscriptSpan& span : transcript(store).spans) {
    if (span.kind != SpanKind::kPrompt && span.kind != SpanKind::kGap) joined += span.text;
  }
  EXPECT_EQ(joined, committed);
  EXPECT_GT(joined.size(), 200u);
}

TEST(Transcript, AcceptedAndBonusAreToldApart) {
  RecordStore store;
  store.append(make_info());
  store.append(round_of(0, {" a", " b"}, " c", " a b c"));
  store.append(round_of(1, {}, " d", " d"));
  const Transcript text = transcript(store);
  ASSERT_EQ(text.spans.size(), 4u);
  EXPECT_EQ(text.spans[0].kind, SpanKind::kPrompt);
  EXPECT_EQ(text.spans[1].kind, SpanKind::kAccepted);
  EXPECT_EQ(text.spans[1].text, " a b");
  EXPECT_EQ(text.spans[1].n_tokens, 2);
  EXPECT_EQ(text.spans[2].kind, SpanKind::kBonus);
  EXPECT_EQ(text.spans[2].text, " c");
  EXPECT_EQ(text.spans[2].round, 0);
  EXPECT_EQ(text.spans[3].text, " d");
  EXPECT_EQ(text.spans[3].round, 1);
}

TEST(Transcript, TheTokenOfThePromptsPassIsNoDraft) {
  RecordStore store;
  store.append(make_info());
  store.append(round_of(0, {" a"}, " b", "root a b"));
  store.append(round_of(1, {" c"}, "<|im_end|>", " c"));
  const Transcript text = transcript(store);
  ASSERT_EQ(text.spans.size(), 5u);
  EXPECT_EQ(text.spans[1].kind, SpanKind::kTarget);
  EXPECT_EQ(text.spans[1].text, "root");
  EXPECT_EQ(text.spans[2].kind, SpanKind::kAccepted);
  EXPECT_EQ(text.spans[2].text, " a");
  EXPECT_EQ(text.spans[3].kind, SpanKind::kBonus);
  EXPECT_EQ(text.spans[3].text, " b");
  EXPECT_EQ(text.spans[4].kind, SpanKind::kAccepted);
}

TEST(Transcript, PlainDecodingHasNoDraftAndNoBonus) {
  RecordStore store = store_of(0, 0);
  store.append(round_of(0, {}, " b", "root b"));
  RoundRecord plain = round_of(0, {}, " b", "root b");
  plain.method = Method::kPlain;
  EXPECT_EQ(transcript(store).spans.back().kind, SpanKind::kBonus);
  RecordStore plain_store = store_of(0, 0);
  plain_store.append(plain);
  ASSERT_EQ(transcript(plain_store).spans.size(), 2u);
  EXPECT_EQ(transcript(plain_store).spans[1].kind, SpanKind::kTarget);
  EXPECT_EQ(transcript(plain_store).spans[1].text, "root b");
}

TEST(Transcript, ACharacterSplitOverRoundsBelongsToWhoCompletesIt) {
  RecordStore store;
  store.append(make_info());
  store.append(round_of(0, {"x"}, "\xE4\xBD", "x"));          // the bonus begins a character
  store.append(round_of(1, {"\xA0", "y"}, "z", "\u4F60yz"));  // the next round's draft completes it
  const Transcript text = transcript(store);
  ASSERT_EQ(text.spans.size(), 4u);
  EXPECT_EQ(text.spans[1].text, "x");
  EXPECT_EQ(text.spans[2].kind, SpanKind::kAccepted);
  EXPECT_EQ(text.spans[2].text, "\u4F60y");
  EXPECT_EQ(text.spans[3].text, "z");
}

TEST(Transcript, SpecialTokensThatCommitNoTextDoNotShiftTheSplit) {
  std::string pending;
  EXPECT_EQ(bonus_offset(round_of(0, {"a"}, "<|im_end|>", "a"), pending), 1u);
  pending.clear();
  EXPECT_EQ(bonus_offset(round_of(0, {"\xff"}, "b",
                                  "\uFFFD"
                                  "b"),
                         pending),
            3u)
      << "a replaced byte";
  pending.clear();
  EXPECT_EQ(bonus_offset(round_of(0, {}, "b", "q"), pending), 0u)
      << "nothing was drafted, so it is the target's";
}

TEST(Transcript, MissingRoundsAreNamed) {
  RecordStore store;
  store.append(make_info());
  store.append(make_round(0, 16));
  store.append(make_round(4, 16));
  bool found = false;
  for (const TranscriptSpan& span : transcript(store).spans) {
    if (span.kind == SpanKind::kGap) found = span.text == "[3 rounds were not received]";
  }
  EXPECT_TRUE(found);
}

TEST(Transcript, RoundsMissingAtTheEndAreNamedToo) {
  RecordStore store = store_of(2, 16);
  store.append(make_end(7));
  ASSERT_FALSE(transcript(store).spans.empty());
  EXPECT_EQ(transcript(store).spans.back().kind, SpanKind::kGap);
  EXPECT_EQ(transcript(store).spans.back().text, "[5 rounds were not received]");
}

TEST(Transcript, EmptyStoresSaySo) {
  EXPECT_NE(transcript(RecordStore{}).empty_reason.find("write a prompt and press Run, or open"), std::string::npos);
  const std::string measuring = transcript(RecordStore{}, {.running = true}).empty_reason;
  EXPECT_NE(measuring.find("is being measured. Then decoding begins"), std::string::npos) << measuring;
  EXPECT_EQ(transcript(store_of(0, 0), {.running = true}).empty_reason, transcript(store_of(0, 0)).empty_reason);
  const Transcript waiting = transcript(store_of(0, 0));
  EXPECT_EQ(waiting.spans.size(), 1u) << "the prompt";
  EXPECT_THAT(waiting.empty_reason, HasSubstr("first round"));
}

TEST(Timeline, TotalsAreTheSumOfPhasesAndGapsShow) {
  RecordStore store;
  store.append(make_info());
  store.append(make_round(0, 16));
  store.append(make_round(1, 16));
  store.append(make_round(5, 16));
  const Timeline view = timeline(store);
  ASSERT_EQ(view.round.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    double sum = 0;
    for (size_t phase = 0; phase < kPhases; ++phase) sum += view.took_ms[phase][i];
    EXPECT_NEAR(sum, view.took_total_ms[i], 1e-9);
    EXPECT_EQ(view.committed[i], view.accepted[i] + 1);
    EXPECT_EQ(view.verified[i], store.rounds()[i].decision.chosen);
  }
  EXPECT_THAT(view.gap_before, testing::ElementsAre(0, 0, 3));
  EXPECT_THAT(view.took_origin, testing::Each(Provenance::kMeasured));
  EXPECT_EQ(view.predicted_origins, "predicted");
  EXPECT_THAT(round_line(view, 2), HasSubstr("3 rounds missing before it"));
  EXPECT_THAT(round_line(view, 0), HasSubstr("ms measured"));
  EXPECT_EQ(round_line(view, 3), "");
  EXPECT_EQ(round_line(view, -1), "");
}

TEST(Timeline, EveryRoundSaysWhereItsPredictionComesFrom) {
  RecordStore store = store_of(0, 0);
  for (int i = 0; i < 3; ++i) {
    RoundRecord round = make_round(static_cast<uint64_t>(i), 16);
    if (i == 0) round.predicted = {.provenance = Provenance::kDerived};  // nothing
    if (i == 1) round.predicted.provenance = Provenance::kIllustrative;  // until another cost curve was applied
    store.append(round);
  }
  const Timeline view = timeline(store);
  EXPECT_THAT(round_line(view, 0), testing::EndsWith(" ms measured"));
  EXPECT_THAT(round_line(view, 1), testing::EndsWith(" ms illustrative"));
  EXPECT_THAT(round_line(view, 2), testing::EndsWith(" ms predicted"));
  EXPECT_EQ(view.predicted_origins, "illustrative or predicted");
  EXPECT_EQ(figure_of(summary(store), "prediction error")->origin, "illustrative or predicted / measured");
}

TEST(Timeline, PlainDecodingHasNoBonus) {
  EXPECT_THAT(round_line(timeline(store_of(1, 0)), 0), testing::StartsWith("round 0: 1 token, plain, "));
}

TEST(Timeline, RoundsInSightAreNamedWhereThereAreMore) {
  EXPECT_EQ(rounds_in_sight(784, 125, 909), "rounds 784 to 908 of 909");
  EXPECT_EQ(rounds_in_sight(0, 12, 12), "");
}

TEST(Timeline, TicksAreRoundNumbersAndNoMoreThanFit) {
  EXPECT_THAT(round_ticks(0, 12, 12), testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
  EXPECT_THAT(round_ticks(0, 12, 4), testing::ElementsAre(0, 5, 10));
  EXPECT_THAT(round_ticks(784, 125, 8), testing::ElementsAre(800, 820, 840, 860, 880, 900));
  EXPECT_THAT(round_ticks(3, 1, 0), testing::ElementsAre(3));
}

TEST(Timeline, EmptyStoreSaysSo) { EXPECT_FALSE(timeline(RecordStore{}).empty_reason.empty()); }

/// A session whose passes take 10 ms for a row and 20 ms for 8.
RecordStore store_with_costs() {
  RecordStore store;
  SessionInfo info = make_info();
  info.cost.context = {0};
  info.cost.rows = {1, 8};
  info.cost.verify_s = {0.010, 0.020};
  info.cost.plain_s.clear();
  store.append(info);
  return store;
}

TEST(Summary, FiguresFollowFromTheRounds) {
  RecordStore store = store_with_costs();
  for (int i = 0; i < 4; ++i) {
    RoundRecord round = round_of(i, {"a", "b"}, "c", "abc");
    round.took = {.draft_ns = 2'000'000, .verify_ns = 10'000'000};
    round.predicted = {.draft_ns = 3'000'000, .verify_ns = 10'200'000, .provenance = Provenance::kPredicted};
    store.append(round);
  }
  const Summary view = summary(store);
  EXPECT_DOUBLE_EQ(view.tokens_per_round, 3.0);
  EXPECT_NEAR(view.tokens_per_s, 3 / 0.012, 1e-9);
  ASSERT_TRUE(view.over_plain);
  EXPECT_NEAR(*view.over_plain, 3 * 0.010 / 0.012, 1e-9);
  EXPECT_THAT(view.problems, IsEmpty());
  bool found_error = false;
  for (const Figure& figure : view.figures) {
    EXPECT_FALSE(figure.origin.empty()) << figure.label;
    EXPECT_FALSE(figure.definition.empty()) << figure.label;
    EXPECT_NE(figure.label, "speedup") << "nobody measured plain decoding";
    if (figure.label != "prediction error") continue;
    found_error = true;
    EXPECT_EQ(figure.value, "+10.0 %");
  }
  EXPECT_TRUE(found_error);
}

/// Two rounds that accept "a" and "b" and add "c"; the text ends after the first of the second.
RecordStore store_cut_short() {
  RecordStore store = store_with_costs();
  for (int i = 0; i < 2; ++i) {
    RoundRecord round = round_of(i, {"a", "b"}, "c", i == 0 ? "abc" : "a");
    round.context_len = make_info().prompt_tokens + 3 * i;
    round.took = {.verify_ns = 10'000'000};
    store.append(round);
  }
  return store;
}
SessionEnd end_of_4_tokens() {
  SessionEnd end;
  end.session = make_info().session;
  end.reason = EndReason::kMaxTokens;
  end.n_tokens = 5;  // the prompt's pass made one of them
  end.n_rounds = 2;
  end.decode_ns = 20'000'000;
  end.output_utf8 = "abca";
  return end;
}

TEST(Summary, TokensBehindTheEndAreNoOutput) {
  RecordStore store = store_cut_short();
  SessionEnd end = end_of_4_tokens();
  EXPECT_DOUBLE_EQ(summary(store).tokens_per_round, 3.0) << "as far as is known before the end";
  EXPECT_EQ(figure_of(summary(store), "accepted of verified")->value, "100.0 %");
  store.append(end);
  const Summary view = summary(store);
  EXPECT_EQ(figure_of(view, "accepted of verified")->value, "75.0 %");
  EXPECT_DOUBLE_EQ(view.tokens_per_round, 2.0);
  EXPECT_DOUBLE_EQ(view.tokens_per_s, tokens_per_s(decoded_tokens(end), end.decode_ns)) << "as text and JSON say";
  EXPECT_DOUBLE_EQ(view.tokens_per_s, 200.0);
  EXPECT_NEAR(*view.over_plain, 4 * 0.010 / 0.020, 1e-12);
  end.reason = EndReason::kEos;
  EXPECT_EQ(decoded_tokens(end), 5) << "the end of text was decoded too";
  end.n_tokens = 0;
  end.reason = EndReason::kStopped;
  EXPECT_EQ(decoded_tokens(end), 0);
}

TEST(RunViews, CountWhatTheTextKept) {
  RecordStore store = store_cut_short();
  EXPECT_EQ(theta_plot(store, 1).realised_tokens, 3) << "as far as is known before the end";
  store.append(end_of_4_tokens());
  const Timeline bars = timeline(store);
  EXPECT_THAT(bars.accepted, testing::ElementsAre(2, 1));
  EXPECT_THAT(bars.committed, testing::ElementsAre(3, 1));
  EXPECT_THAT(round_line(bars, 0), testing::StartsWith("round 0: 2 accepted + bonus, 2 verified, "));
  EXPECT_THAT(round_line(bars, 1), testing::StartsWith("round 1: 1 accepted, 2 more behind the end of the text, 2 verified, "));
  const std::vector<TranscriptSpan> spans = transcript(store).spans;
  EXPECT_EQ(span_line(spans.back(), false), "round 1: 1 drafted token accepted");
  EXPECT_EQ(span_line(spans[1], false), "round 0: 2 drafted tokens accepted");
  EXPECT_EQ(theta_plot(store, 0).realised_tokens, 3);
  EXPECT_EQ(theta_plot(store, 1).realised_tokens, 1);
  EXPECT_EQ(realised_sentence(theta_plot(store, 1)),
            "This round made 1 token in 10.00 ms (measured), and 2 more behind the end of the text.");
}

TEST(RunViews, FindTheEndBehindMissingRounds) {
  RecordStore store = store_with_costs();
  for (const int i : {0, 2}) {
    RoundRecord round = round_of(i, {"a", "b"}, "c", "abc");
    round.context_len = make_info().prompt_tokens + 3 * i;
    store.append(round);
  }
  SessionEnd end = end_of_4_tokens();
  end.n_tokens = 8, end.n_rounds = 3;  // of the last round "a"
  RecordStore last_is_missing = store;
  store.append(end);
  EXPECT_THAT(timeline(store).committed, testing::ElementsAre(3, 1));
  end.n_rounds = 4;
  last_is_missing.append(end);
  EXPECT_THAT(timeline(last_is_missing).committed, testing::ElementsAre(3, 3));
}

TEST(Summary, ProblemsAreSentences) {
  RecordStore gap = store_of(1, 16);
  gap.append(make_round(9, 16));
  EXPECT_THAT(summary(gap).problems, testing::ElementsAre(HasSubstr("8 rounds were not received")));
  RecordStore wrong = store_of(2, 16);
  SessionEnd end = make_end(2);
  wrong.append(end);
  EXPECT_THAT(summary(wrong).problems, testing::ElementsAre(HasSubstr("does not join")));
  RecordStore too_many;
  too_many.append(make_info());
  RoundRecord round = round_of(0, {"a", "b"}, "c", "abc");
  round.decision.chosen = 1;
  too_many.append(round);
  EXPECT_THAT(summary(too_many).problems,
              testing::ElementsAre("Round 0 accepts 2 tokens but verified only 1."));
  EXPECT_FALSE(summary(RecordStore{}).empty_reason.empty());
}

TEST(Summary, ComparesWithThePlainStepWhereOneWasMeasured) {
  RecordStore unknown = store_with_costs(), known, elsewhere, nothing;
  SessionInfo info = *unknown.info();
  info.cost.plain_s = {0.008};
  known.append(info);
  info.machine = "another machine";
  elsewhere.append(info);
  info.cost = {};
  nothing.append(info);
  for (RecordStore* store : {&unknown, &known, &elsewhere, &nothing}) {
    RoundRecord round = round_of(0, {"a", "b"}, "c", "abc");
    round.took = {.verify_ns = 12'000'000};
    store->append(round);
  }
  const Summary by_row = summary(unknown), by_step = summary(known), from_far = summary(elsewhere);
  ASSERT_TRUE(figure_of(by_row, "over passes of one row"));
  EXPECT_EQ(figure_of(by_row, "over passes of one row")->value, "2.50x");
  EXPECT_EQ(figure_of(by_row, "over passes of one row")->origin, "measured / predicted");
  EXPECT_FALSE(figure_of(by_row, "x plain decoding"));
  ASSERT_TRUE(figure_of(by_step, "x plain decoding"));
  EXPECT_EQ(figure_of(by_step, "x plain decoding")->value, "2.00x");
  EXPECT_EQ(figure_of(by_step, "x plain decoding")->origin, "measured");
  EXPECT_FALSE(figure_of(by_step, "over passes of one row"));
  ASSERT_TRUE(figure_of(from_far, "x plain decoding"));
  EXPECT_EQ(figure_of(from_far, "x plain decoding")->origin, "measured / imported");
  EXPECT_FALSE(summary(nothing).over_plain) << "no costs, nothing to compare with";
}

}  // namespace
}  // namespace draftscope::test
