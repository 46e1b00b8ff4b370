// bench --report as a person runs it: two short prompts, all policies, every file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "app/bench_run.h"
#include "app/options.h"
#include "tests/app/markup.h"
#include "tests/app/program.h"

namespace draftscope {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string two_prompts(const TempFolder& sandbox) {
  const std::string path = sandbox / "prompts.jsonl";
  std::ofstream(path) << R"({"prompt": "Add 2 and 3. <b> & \"c\"", "domain": "math"})" << '\n'
                      << R"({"prompt": "Tell a story.", "domain": "story"})" << '\n';
  return path;
}

std::vector<std::string> bench(const TempFolder& sandbox, std::vector<std::string> more) {
  std::vector<std::string> arguments = {"bench", "--cost", DS_SOURCE_DIR "/assets/cost/a800-qwen3-4b-convex.json",
                                        "--prompts", two_prompts(sandbox), "-n", "12", "--max-nodes", "32", "-b", "16"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(BenchReport, WritesAPageCsvAndJsonOfLiveAndSimulatedSections) {
  const TempFolder sandbox;
  const std::string html = sandbox / "r.html", csv = sandbox / "r.csv", json = sandbox / "r.json";
  const Finished found = run(sandbox, bench(sandbox, {"--fixed", "4,16", "--report", html, "--csv", csv, "--json", json}));
  ASSERT_EQ(found.status, 0) << found.err;
  EXPECT_THAT(found.out, HasSubstr("Signature: "));

  const std::string page = slurp(html);
  EXPECT_EQ(markup_fault(page), "");
  EXPECT_THAT(page, Not(HasSubstr("http")));
  EXPECT_THAT(page, HasSubstr("small demo pair"));
  EXPECT_THAT(page, HasSubstr("Add 2 and 3. &lt;b&gt; &amp; &quot;c&quot;"));

  const nlohmann::json report = nlohmann::json::parse(slurp(json));
  ASSERT_EQ(report["sections"].size(), 10u);  // live, its own cost, a staircase, two curves, five probes
  EXPECT_EQ(report["sections"][0]["provenance"], "measured");
  const nlohmann::json& live = report["sections"][0]["policies"];
  const nlohmann::json& simulated = report["sections"][1]["policies"];
  ASSERT_EQ(simulated.size(), live.size() + 1);
  EXPECT_EQ(simulated.back()["label"], "oracle");
  for (size_t i = 0; i < live.size(); ++i) {
    EXPECT_EQ(live[i]["exact"], 2) << live[i]["label"];
    for (const char* same : {"label", "tokens", "rounds", "nodes", "chosen"}) {
      EXPECT_EQ(simulated[i][same], live[i][same]) << live[i]["label"];
    }
  }
  for (const nlohmann::json& part : report["sections"]) {
    if (part["provenance"] == "measured") continue;
    const nlohmann::json& margin = part["expected_exact_over_caddtree"];
    EXPECT_GT(margin["positions"], 0) << part["title"];
    EXPECT_GE(margin["worst_position"].get<double>(), 1 - 1e-9) << part["title"];
    EXPECT_GE(margin["ratio"].get<double>(), 1 - 1e-9) << part["title"];
  }

  const std::string table = slurp(csv);
  for (const char* label : {"plain", "dflash", "ddtree 4", "ddtree 16", "caddtree", "exact", "spine 16", "bastion", "cast",
                            "exact-fill", "oracle"}) {
    for (const char* prompt : {"math 1", "story 1"}) {
      EXPECT_THAT(table, testing::ContainsRegex("\"" + std::string(label) + "\",[a-z-]+,[0-9]+,\"" + prompt + "\""));
    }
  }
}

TEST(BenchReport, SimulateOnlyNeedsNoLiveRuns) {
  const TempFolder sandbox;
  const std::string json = sandbox / "r.json";
  const Finished found = run(sandbox, bench(sandbox, {"--simulate-only", "--json", json, "--methods", "caddtree,exact"}));
  ASSERT_EQ(found.status, 0) << found.err;
  EXPECT_THAT(found.out, Not(HasSubstr("Signature")));
  const nlohmann::json report = nlohmann::json::parse(slurp(json));
  ASSERT_EQ(report["sections"].size(), 9u);
  ASSERT_EQ(report["sections"][0]["policies"].size(), 3u);
  EXPECT_EQ(report["sections"][0]["policies"][0]["label"], "plain");
  EXPECT_EQ(report["sections"][0]["policies"][1]["label"], "caddtree");
}

TEST(BenchReport, BadInputGetsOneSentence) {
  const TempFolder sandbox;
  const auto expect_sentence = [&](std::vector<std::string> more, const std::string& part) {
    const Finished found = run(sandbox, bench(sandbox, std::move(more)));
    EXPECT_EQ(found.status, 1) << found.err;
    EXPECT_THAT(found.err, HasSubstr(part));
    EXPECT_EQ(found.out, "");
  };
  expect_sentence({"--methods", "exact,magic"}, "magic");
  expect_sentence({"--methods", "calibrated"}, "--correction");
  expect_sentence({"--report", "/nowhere/at/all.html"}, "/nowhere/at/all.html");
  expect_sentence({"--correction", sandbox / "none.json"}, "none.json");
  expect_sentence({"--methods", "oracle"}, "--methods: oracle: expected --report");
  expect_sentence({"--csv", "a.csv", "--json", "./a.csv"}, "--json: expected a file of its own");
  expect_sentence({"--csv", "prompts.jsonl"}, "which is that of --prompts too");
  for (const char* of_one_run : {"-p", "--prompt-file", "-m"}) {
    const Finished found = run(sandbox, bench(sandbox, {of_one_run, "exact"}));
    EXPECT_EQ(found.status, 2) << of_one_run;
    EXPECT_THAT(found.err, HasSubstr(of_one_run));
  }
}

TEST(BenchReport, ABadPromptIsNamedBeforeTheFirstRunAndLeavesNoFile) {
  const TempFolder sandbox;
  std::string words;
  for (int i = 0; i < 20000; ++i) words += "word ";
  std::ofstream(sandbox / "long.jsonl") << "{\"prompt\": \"Hi\"}\n\n{\"prompt\": \"" << words << "\"}\n";
  const Finished found = run(sandbox, {"bench", "--cost", DS_SOURCE_DIR "/assets/cost/a800-qwen3-4b-convex.json", "--prompts",
                                       "long.jsonl", "--csv", "r.csv"});
  EXPECT_EQ(found.status, 1);
  EXPECT_THAT(found.err, HasSubstr("long.jsonl:3: prompt: expected fewer than"));
  EXPECT_FALSE(std::filesystem::exists(sandbox / "r.csv"));
}

TEST(BenchReport, OnePromptGivesNoIntervalAndOneDomainNoSecondTable) {
  const TempFolder sandbox;
  const std::string html = sandbox / "r.html";
  const Finished found = run(sandbox, bench(sandbox, {"--n-prompts", "1", "--methods", "exact", "--report", html}));
  ASSERT_EQ(found.status, 0) << found.err;
  EXPECT_THAT(found.out, HasSubstr("one prompt, which gives no interval"));
  EXPECT_THAT(found.out, Not(HasSubstr("95 % interval")));
  EXPECT_THAT(found.out, Not(HasSubstr("\nmath "))) << "the rows of all again";
}

/// Rounds of a live run when the person has stopped before it.
int rounds_when_interrupted() {
  setenv("DRAFTSCOPE_ASSETS", DS_SOURCE_DIR "/assets", 1);
  catch_interrupts();
  raise(SIGINT);
  const Result<Pair> pair = open_models({.backend = "cpu"});
  if (!pair) return 99;
  SessionOptions options;
  options.max_tokens = 8;
  const std::vector<BenchPolicy> policies = bench_policies({}, {}, {}, false);
  const Result<std::vector<LiveRun>> runs = run_live(*pair, {1, 2, 3}, options, policies, 0);
  return runs ? static_cast<int>((*runs)[0].figures.n_rounds) : 98;
}

TEST(BenchReport, CtrlCEndsARunBetweenRounds) {
  EXPECT_EXIT(std::exit(rounds_when_interrupted()), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace draftscope
