// calibrate: from recordings to a correction that decoding takes in, on the demo pair.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "engine/speculate/correction.h"
#include "tests/app/program.h"

namespace draftscope {
namespace {

std::vector<std::string> with_prompt(std::vector<std::string> arguments, const char* prompt) {
  const char* cost = DS_SOURCE_DIR "/assets/cost/a800-qwen3-4b-convex.json";
  for (const char* more : {"--cost", cost, "-n", "60", "-p", prompt}) arguments.emplace_back(more);
  return arguments;
}

constexpr const char* kPrompt = "Tom has 12 apples and buys 9 more. How many apples does Tom have?";

TEST(Calibrate, RecordingsBecomeACorrectionThatKeepsTheText) {
  const TempFolder sandbox;
  ASSERT_EQ(run(sandbox, with_prompt({"record", "-o", "rounds.trace", "-m", "ddtree", "-b", "32"}, kPrompt)).status, 0);
  const std::vector<std::string> dense = with_prompt({"record", "-o", "dense.trace", "--dense"}, "Tell me about a cat.");
  ASSERT_EQ(run(sandbox, dense).status, 0);
  const Finished half = run(sandbox, {"calibrate", "dense.trace"});
  ASSERT_EQ(half.status, 0) << half.err;
  for (const char* part : {"all ", "spine", "sibling", "depth 1", "rank 0", "temperature", "isotonic", "off-spine"}) {
    EXPECT_NE(half.out.find(part), std::string::npos) << part;
  }
  const Finished made = run(sandbox, {"calibrate", "rounds.trace", "--judge", "dense.trace", "-o", "fit.json"});
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_NE(made.out.find("judged on --judge"), std::string::npos) << made.out;
  const Result<Correction> correction = parse_correction_json(slurp(sandbox / "fit.json"), "fit.json");
  ASSERT_TRUE(correction.ok()) << correction.error();
  EXPECT_GT(correction->stated.size(), 1u);
  EXPECT_NE(correction->temperature, 1);

  const Finished plain = run(sandbox, with_prompt({"decode", "-m", "plain"}, kPrompt));
  const Finished corrected =
      run(sandbox, with_prompt({"decode", "-m", "calibrated", "--correction", "fit.json"}, kPrompt));
  EXPECT_EQ(corrected.status, 0) << corrected.err;
  EXPECT_EQ(corrected.out, plain.out);
}

TEST(Calibrate, RequestsOfABatchAreTextsOfTheirOwn) {
  const TempFolder sandbox;
  std::ofstream(sandbox / "prompts.txt") << kPrompt << "\nTell me about a cat.\n";
  const char* cost = DS_SOURCE_DIR "/assets/cost/a800-qwen3-4b-convex.json";
  const std::vector<std::string> batch = {"batch", "--prompts", "prompts.txt", "--trace", "both.trace", "-m", "ddtree", "-n", "40",
                                          "--cost", cost};
  ASSERT_EQ(run(sandbox, batch).status, 0);
  Result<TraceReader> both = TraceReader::open(sandbox / "both.trace");
  ASSERT_TRUE(both) << both.error();
  std::vector<std::string> traces;  // in the order of their ends
  std::map<int64_t, std::vector<Message>> messages;
  for (size_t i = 0; i < both->size(); ++i) {
    const Message message = *both->message(i);
    const int64_t session = std::visit([](const auto& one) { return one.session; }, message);
    messages[session].push_back(message);
    if (!std::holds_alternative<SessionEnd>(message)) continue;
    traces.push_back(fmt::format("{}.trace", session));
    Result<TraceWriter> alone = TraceWriter::open(sandbox / traces.back());
    ASSERT_TRUE(alone) << alone.error();
    for (const Message& one : messages[session]) ASSERT_TRUE(alone->append(one));
    ASSERT_TRUE(alone->close());
  }
  ASSERT_EQ(traces.size(), 2u);
  traces.insert(traces.begin(), "calibrate");
  const Finished together = run(sandbox, {"calibrate", "both.trace"}), apart = run(sandbox, traces);
  ASSERT_EQ(together.status, 0) << together.err;
  EXPECT_EQ(together.out, apart.out);
}

TEST(Calibrate, OneFitChangesOnePart) {
  const TempFolder sandbox;
  ASSERT_EQ(run(sandbox, with_prompt({"record", "-o", "rounds.trace", "-m", "ddtree"}, kPrompt)).status, 0);
  for (const std::string fit : {"temperature", "isotonic", "off-spine"}) {
    ASSERT_EQ(run(sandbox, {"calibrate", "rounds.trace", "--fit", fit, "-o", "fit.json"}).status, 0);
    const Result<Correction> correction = parse_correction_json(slurp(sandbox / "fit.json"), fit);
    ASSERT_TRUE(correction.ok()) << correction.error();
    EXPECT_EQ(correction->temperature != 1, fit == "temperature");
    EXPECT_EQ(!correction->stated.empty(), fit == "isotonic");
    EXPECT_TRUE(correction->off_spine == 1 || fit == "off-spine");
  }
}

TEST(Calibrate, BadInputGetsOneSentence) {
  const TempFolder sandbox;
  ASSERT_EQ(run(sandbox, with_prompt({"record", "-o", "plain.trace", "-m", "plain"}, kPrompt)).status, 0);
  std::ofstream(sandbox / "bad.json") << R"({"schema": "draft-correction/1", "temperature": -1})";
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"calibrate", "nowhere.trace"}, "nowhere.trace"},
      {{"calibrate", "plain.trace"}, "plain.trace: expected rounds with a drafted tree or a dense recording"},
      {{"decode", "-p", "x", "-m", "calibrated"}, "expected --correction FILE"},
      {{"decode", "-p", "x", "-m", "calibrated", "--correction", "bad.json"}, "bad.json: missing key \"stated\""},
      {{"decode", "-p", "x", "-m", "calibrated", "--correction", "none.json"}, "none.json"}};
  for (const auto& [arguments, part] : cases) {
    const Finished found = run(sandbox, arguments);
    EXPECT_EQ(found.status, 1) << part;
    EXPECT_NE(found.err.find(part), std::string::npos) << found.err;
    EXPECT_EQ(found.out, "") << part;
  }
}

TEST(Simulate, ARecordingWithoutACostModelGetsOneSentence) {
  const TempFolder sandbox;
  ASSERT_EQ(run(sandbox, with_prompt({"record", "-o", "dense.trace", "--dense"}, kPrompt)).status, 0);
  Result<TraceReader> reader = TraceReader::open(sandbox / "dense.trace");
  Result<TraceWriter> writer = TraceWriter::open(sandbox / "no-cost.trace");
  ASSERT_TRUE(reader && writer);
  for (size_t i = 0; i < reader->size(); ++i) {
    Result<Message> message = reader->message(i);
    ASSERT_TRUE(message) << message.error();
    if (auto* info = std::get_if<SessionInfo>(&*message)) info->cost = {};
    ASSERT_TRUE(writer->append(*message));
  }
  ASSERT_TRUE(writer->close());
  const Finished found = run(sandbox, {"simulate", "no-cost.trace"});
  EXPECT_EQ(found.status, 1);
  EXPECT_NE(found.err.find("no-cost.trace: cost model: context: expected at least one value"), std::string::npos) << found.err;
  const Finished with_cost = run(sandbox, {"simulate", "no-cost.trace", "--cost", DS_SOURCE_DIR "/assets/cost/a800-qwen3-4b-convex.json"});
  EXPECT_EQ(with_cost.status, 0) << with_cost.err;

  const std::string several = DS_SOURCE_DIR "/assets/cost/published-probes.json";
  const std::string all = run(sandbox, {"simulate", "no-cost.trace", "--json", "-m", "exact", "--cost", several}).out;
  const std::string second = run(sandbox, {"simulate", "no-cost.trace", "--json", "-m", "exact", "--cost", several + ":2"}).out;
  EXPECT_EQ(std::ranges::count(all, '\n'), 5);
  EXPECT_EQ(std::ranges::count(second, '\n'), 1);
  EXPECT_NE(all.find(second), std::string::npos);
}

}  // namespace
}  // namespace draftscope
