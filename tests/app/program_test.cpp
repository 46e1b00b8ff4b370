// The program as a person meets it: every command on the demo pair, good and bad input, Ctrl-C and SIGKILL.
#include "tests/app/program.h"

#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/commands.h"
#include "engine/record/trace_file.h"

namespace draftscope {
namespace {

constexpr const char* kPrompt = "Tom has 12 apples and buys 9 more. How many apples does Tom have?";

/// A cost file, so that no test waits for a profile.
std::string cost_file() { return DS_SOURCE_DIR "/assets/cost/a800-qwen3-4b-convex.json"; }

std::vector<std::string> decode(std::vector<std::string> more) {
  std::vector<std::string> arguments = {"decode", "--cost", cost_file(), "-p", kPrompt, "-n", "40"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(Program, EveryCommandHasHelp) {
  const TempFolder sandbox;
  const Finished all = run(sandbox, {"--help"});
  EXPECT_EQ(all.status, 0);
  for (const CommandRow& row : command_rows()) {
    EXPECT_NE(all.out.find(row.name), std::string::npos) << row.name;
    const Finished one = run(sandbox, {row.name, "--help"});
    EXPECT_EQ(one.status, 0) << row.name;
    EXPECT_NE(one.out.find(row.summary), std::string::npos) << row.name;
  }
}

TEST(Program, DecodePrintsTheSameTextAndNothingElseForEveryMethod) {
  const TempFolder sandbox;
  const Finished plain = run(sandbox, decode({"--method", "plain", "--backend", "cpu"}));
  EXPECT_EQ(plain.status, 0) << plain.err;
  EXPECT_GT(plain.out.size(), 20u);
  EXPECT_EQ(plain.err, "");
  for (const char* method : {"dflash", "ddtree", "caddtree", "exact"}) {
    EXPECT_EQ(run(sandbox, decode({"--method", method})).out, plain.out) << method;
  }
  const Finished drawn = run(sandbox, decode({"--method", "plain", "-t", "1", "--seed", "5"}));
  EXPECT_EQ(run(sandbox, decode({"--method", "exact", "-t", "1", "--seed", "5"})).out, drawn.out);
}

TEST(Program, FastestNumericsNeedAGpu) {
  const TempFolder sandbox;
  const Finished refused = run(sandbox, decode({"--numerics", "fastest", "--backend", "cpu"}));
  EXPECT_EQ(refused.status, 1);
  EXPECT_EQ(refused.out, "");
  EXPECT_EQ(refused.err, "draftscope: numerics fastest: expected a GPU, found the CPU backend, whose numerics are "
                         "always invariant\n");
}

TEST(Program, ACostModelOfSeveralIsChosenByItsNumber) {
  const TempFolder sandbox;
  const std::string file = DS_SOURCE_DIR "/assets/cost/published-probes.json";
  const auto label = [&](const std::string& cost) {
    const std::string trace = sandbox / "trace.dst";
    const Finished found = run(sandbox, {"record", "-o", trace, "--cost", cost, "-p", kPrompt, "-n", "5"});
    EXPECT_EQ(found.status, 0) << found.err;
    return run(sandbox, {"info", trace}).out;
  };
  EXPECT_NE(run(sandbox, {"info", file}).out.find("\n2. published probe"), std::string::npos);
  EXPECT_EQ(run(sandbox, {"info", file + ":2"}).out.find("published probe"), 0u);
  EXPECT_NE(label(file + ":1"), label(file + ":2"));
  EXPECT_NE(label(file + ":2").find("published probe"), std::string::npos);
  const auto refused = [&](const std::string& cost) {
    return run(sandbox, {"decode", "--backend", "cpu", "-p", kPrompt, "--cost", cost}).err;
  };
  EXPECT_EQ(refused(file), "draftscope: " + file + ": expected one cost model, found 5; add :1 to :5 to choose one\n");
  EXPECT_EQ(refused(file + ":6"),
            "draftscope: " + file + ": expected a number up to 5, the cost models in the file, found 6\n");
  EXPECT_NE(refused(file + ":0").find("published-probes.json:0"), std::string::npos);
}

TEST(Program, JsonLinesJoinToTheText) {
  const TempFolder sandbox;
  const Finished found = run(sandbox, decode({"--json"}));
  ASSERT_EQ(found.status, 0) << found.err;
  std::string text, whole;
  size_t n_rounds = 0;
  for (size_t begin = 0; begin < found.out.size();) {
    const size_t end = found.out.find('\n', begin);
    const nlohmann::json line = nlohmann::json::parse(found.out.substr(begin, end - begin));
    if (line["type"] == "round") text += line["text"], ++n_rounds;
    if (line["type"] == "end") whole = line["text"];
    begin = end + 1;
  }
  EXPECT_GT(n_rounds, 3u);
  EXPECT_EQ(text, whole);
}

TEST(Program, InfoSaysWhatAModelFolderIs) {
  const TempFolder sandbox;
  const Finished found = run(sandbox, {"info", DS_SOURCE_DIR "/assets/demo/target"});
  EXPECT_EQ(found.status, 0) << found.err;
  EXPECT_NE(found.out.find("no drafter"), std::string::npos) << found.out;
  EXPECT_NE(found.out.find("vocabulary"), std::string::npos) << found.out;
}

TEST(Program, BadInputGetsOneSentence) {
  const TempFolder sandbox;
  const auto expect_sentence = [&](std::vector<std::string> arguments, int status, const std::string& part) {
    const Finished found = run(sandbox, std::move(arguments));
    EXPECT_EQ(found.status, status) << found.err;
    EXPECT_NE(found.err.find(part), std::string::npos) << found.err;
    EXPECT_EQ(found.out, "");
  };
  expect_sentence({"decode", "--cost", cost_file()}, 1, "prompt: expected");
  expect_sentence(decode({"--method", "fast"}), 2, "--method");
  expect_sentence(decode({"--target", sandbox / "nowhere"}), 1, "nowhere");
  expect_sentence(decode({"--drafter", "x"}), 1, "--target");
  expect_sentence({"decode", "-p", kPrompt, "--cost", sandbox / "none.json"}, 1, "none.json");
  expect_sentence(decode({"--trace", "/nowhere/at/all.trace"}), 1, "/nowhere/at/all.trace");
  expect_sentence(decode({"--budget", "0", "--method", "ddtree"}), 2, "budget");
  expect_sentence(decode({"--budget", "300", "--max-nodes", "4097"}), 2, "--max-nodes");
  std::ofstream(sandbox / "not.trace") << "hello";
  expect_sentence({"replay", sandbox / "not.trace"}, 1, "not.trace");
  expect_sentence({"render", "--trace", sandbox / "not.trace", "-o", sandbox / "x.png"}, 1, "not.trace");
}

TEST(Program, RecordReplayRender) {
  const TempFolder sandbox;
  const std::string trace = sandbox / "a.trace";
  std::vector<std::string> arguments = decode({"--trace", trace});
  arguments[0] = "record";
  const Finished recorded = run(sandbox, arguments);
  ASSERT_EQ(recorded.status, 0) << recorded.err;
  EXPECT_EQ(recorded.out, "");
  const Finished replayed = run(sandbox, {"replay", trace});
  EXPECT_EQ(replayed.status, 0);
  EXPECT_NE(replayed.out.find("round    0"), std::string::npos);
  EXPECT_NE(replayed.out.find("tokens per round"), std::string::npos);
  EXPECT_EQ(run(sandbox, {"info", trace}).status, 0);
  const Finished drawn = run(sandbox, {"render", "--trace", trace, "--panel", "tree", "-o", sandbox / "tree.png"});
  EXPECT_EQ(drawn.status, 0) << drawn.err;
  EXPECT_EQ(slurp(sandbox / "tree.png").substr(1, 3), "PNG");
}

TEST(Program, WithoutADisplayItDecodesRecordsAndDraws) {
  const TempFolder sandbox;
  const Finished found = run(sandbox, {"--cost", cost_file(), "-p", kPrompt, "-n", "30"});
  ASSERT_EQ(found.status, 0) << found.err;
  EXPECT_NE(found.out.find("draftscope.trace"), std::string::npos);
  EXPECT_NE(found.out.find("draftscope.png"), std::string::npos);
  EXPECT_EQ(slurp(sandbox / "draftscope.png").substr(1, 3), "PNG");
  EXPECT_TRUE(TraceReader::open(sandbox / "draftscope.trace")->complete());
}

TEST(Program, WithoutADisplayABadOptionLeavesTheLastTrace) {
  const TempFolder sandbox;
  std::ofstream(sandbox / "draftscope.trace") << "the last one";
  const Finished found =
      run(sandbox, {"--cost", cost_file(), "-p", kPrompt, "--max-tokens", "0"});
  EXPECT_EQ(found.status, 1);
  EXPECT_NE(found.err.find("max tokens"), std::string::npos) << found.err;
  EXPECT_EQ(slurp(sandbox / "draftscope.trace"), "the last one");
}

TEST(Program, ADisplayThatDoesNotAnswerIsSaidAndItDecodesInTheTerminal) {
  const TempFolder sandbox;
  const Finished found =
      Program(sandbox, {"--cost", cost_file(), "-p", kPrompt, "-n", "5", "--picture", "x.png"}, ":9999")
          .wait();
  EXPECT_EQ(found.status, 0) << found.err;
  EXPECT_NE(found.err.find("no display to open it on"), std::string::npos) << found.err;
  EXPECT_NE(found.err.find("decoding in the terminal\n"), std::string::npos) << found.err;
  EXPECT_NE(found.out.find("x.png"), std::string::npos);
}

/// A generation that lasts until somebody ends it, once its trace holds some rounds.
Program start_endless(const TempFolder& sandbox, const std::string& trace) {
  Program program(sandbox, {"decode", "--cost", cost_file(), "-p", "Tell a story.", "-n", "1900", "--ignore-end", "--trace",
                            trace, "-m", "plain", "--precision", "f32", "--threads", "1"});
  EXPECT_TRUE(program.records(trace, 4));
  return program;
}

TEST(Program, CtrlCEndsCleanlyWithAReadableTrace) {
  const TempFolder sandbox;
  const std::string trace = sandbox / "c.trace";
  const Program program = start_endless(sandbox, trace);
  program.send(SIGINT);
  const Finished found = program.wait();
  EXPECT_EQ(found.status, 130) << found.err;
  EXPECT_GT(found.out.size(), 1u) << "what was decoded stays";
  Result<TraceReader> reader = TraceReader::open(trace);
  ASSERT_TRUE(reader) << reader.error();
  EXPECT_TRUE(reader->complete());
  const Result<Message> last = reader->message(reader->size() - 1);
  ASSERT_TRUE(last) << last.error();
  EXPECT_EQ(std::get<SessionEnd>(*last).reason, EndReason::kStopped);
}

TEST(Program, KilledAtAnyMomentItsTraceOpens) {
  for (int i = 0; i < 5; ++i) {
    const TempFolder sandbox;
    const std::string trace = sandbox / "k.trace";
    const Program program = start_endless(sandbox, trace);
    std::this_thread::sleep_for(std::chrono::milliseconds(7 * i));
    program.send(SIGKILL);
    EXPECT_EQ(program.wait().status, 128 + SIGKILL);
    Result<TraceReader> reader = TraceReader::open(trace);
    ASSERT_TRUE(reader) << reader.error();
    EXPECT_GT(reader->size(), 2u);
    EXPECT_FALSE(reader->complete());
    for (size_t frame = 0; frame < reader->size(); ++frame) EXPECT_TRUE(reader->message(frame)) << frame;
  }
}

TEST(Program, ProfileMeasuresIsKeptAndUsed) {
  const TempFolder sandbox;
  const Finished found = run(sandbox, {"profile", "--contexts", "8,32", "--max-rows", "17", "--repeats", "1", "--backend", "cpu"});
  ASSERT_EQ(found.status, 0) << found.err;
  EXPECT_NE(found.out.find("saved: "), std::string::npos);
  const Finished decoded = run(sandbox, {"decode", "-p", kPrompt, "-n", "10", "--json", "--backend", "cpu"});
  EXPECT_EQ(decoded.status, 0);
  EXPECT_EQ(decoded.err, "") << "nothing is measured again";
  EXPECT_NE(decoded.out.find("measured on this machine"), std::string::npos);
}

TEST(Program, ProfileShowsWhatItMeasuredAndKnowsFirstWhereItGoes) {
  const TempFolder sandbox;
  std::vector<std::string> arguments = {"profile", "--contexts", "8", "--max-rows", "2", "--repeats", "1", "--backend", "cpu",
                                        "-o", "p.json"};
  const Finished found = run(sandbox, arguments);
  ASSERT_EQ(found.status, 0) << found.err;
  EXPECT_NE(found.out.find("   2 rows   (verify ms"), std::string::npos) << found.out;
  EXPECT_EQ(found.out.find("   4 rows"), std::string::npos) << "nobody measured these";
  arguments.back() = "/proc/nowhere/p.json";
  const Finished nowhere = run(sandbox, arguments);
  EXPECT_EQ(nowhere.status, 1);
  EXPECT_EQ(nowhere.out, "");
  EXPECT_NE(nowhere.err.find("/proc/nowhere/p.json: expected to write"), std::string::npos) << nowhere.err;
}

TEST(Program, BenchComparesAllMethodsAndChecksExactness) {
  const TempFolder sandbox;
  const std::string out = sandbox / "bench.json";
  const Finished found = run(sandbox, {"bench", "--cost", cost_file(), "--n-prompts", "3", "-n", "24", "-o", out});
  ASSERT_EQ(found.status, 0) << found.err;
  EXPECT_NE(found.out.find("Signature: "), std::string::npos);
  const nlohmann::json figures = nlohmann::json::parse(slurp(out));
  for (const char* method : {"plain", "dflash", "ddtree", "caddtree", "exact"}) {
    EXPECT_EQ(figures["domains"]["all"][method]["exact"], 3) << method;
  }
  EXPECT_EQ(figures["domains"]["all"]["plain"]["tokens_per_round"], 1.0);
  const Finished again = run(sandbox, {"bench", "--cost", cost_file(), "--n-prompts", "3", "-n", "24"});
  EXPECT_EQ(again.out.substr(again.out.find("Signature")), found.out.substr(found.out.find("Signature")));
}

}  // namespace
}  // namespace draftscope
