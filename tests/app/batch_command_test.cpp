// draftscope batch as a person meets it: texts as decode gives them, records that can be looked at, bad input, Ctrl-C.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "app/batch_run.h"
#include "engine/record/trace_file.h"
#include "tests/app/program.h"

namespace draftscope {
namespace {

std::string cost_file() { return DS_SOURCE_DIR "/assets/cost/a800-qwen3-4b-convex.json"; }

const std::vector<std::string>& prompts() {
  static const std::vector<std::string> kPrompts = {"Tom has 12 apples and buys 9 more. How many apples does Tom have?",
                                                    "Tell me a story about a fox.", "What is your name?",
                                                    "Ben has 26 apples and buys 2 more. How many apples are there?"};
  return kPrompts;
}

std::string write_prompts(const TempFolder& sandbox) {
  std::ofstream file(sandbox / "prompts.txt");
  for (const std::string& prompt : prompts()) file << prompt << "\n\n";
  return sandbox / "prompts.txt";
}

std::vector<std::string> batch(const TempFolder& sandbox, std::vector<std::string> more) {
  std::vector<std::string> arguments = {"batch", "--cost", cost_file(), "--prompts", write_prompts(sandbox), "-n", "30"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(BatchCommand, PrintsEveryTextAsDecodeDoes) {
  const TempFolder sandbox;
  for (const std::vector<std::string>& how : {std::vector<std::string>{"-t", "0"}, {"-t", "1", "--seed", "3"}}) {
    std::vector<std::string> arguments = {"-c", "3", "--arrival", "2"};
    arguments.insert(arguments.end(), how.begin(), how.end());
    const Finished found = run(sandbox, batch(sandbox, arguments));
    ASSERT_EQ(found.status, 0) << found.err;
    for (size_t i = 0; i < prompts().size(); ++i) {
      std::vector<std::string> alone = {"decode", "--cost", cost_file(), "-p", prompts()[i], "-n", "30"};
      alone.insert(alone.end(), how.begin(), how.end());
      const std::string text = run(sandbox, alone).out;
      EXPECT_NE(("\n" + found.out).find(fmt::format("\n[{}] {}", i + 1, text)), std::string::npos) << text << found.out;
    }
    EXPECT_NE(found.err.find("4 requests, "), std::string::npos) << found.err;
    EXPECT_NE(found.err.find("in flight"), std::string::npos);
  }
}

TEST(BatchCommand, JsonLinesNameTheRequestAndEndWithTheSum) {
  const TempFolder sandbox;
  const Finished found = run(sandbox, batch(sandbox, {"--json", "--backend", "cpu"}));
  ASSERT_EQ(found.status, 0) << found.err;
  EXPECT_EQ(found.err, "");
  std::map<int64_t, std::string> text, whole;
  nlohmann::json summary;
  int64_t n_tokens = 0, n_decoded = 0;
  for (size_t begin = 0; begin < found.out.size();) {
    const size_t end = found.out.find('\n', begin);
    const nlohmann::json line = nlohmann::json::parse(found.out.substr(begin, end - begin));
    if (line["type"] == "round") {
      text[line["session"]] += line["text"];
      EXPECT_GE(line["shared"]["requests"], 1);
    }
    if (line["type"] == "end") {
      whole[line["session"]] = line["text"];
      n_tokens += line["tokens"].get<int64_t>();
      n_decoded += line["decoded_tokens"].get<int64_t>();
    }
    if (line["type"] == "summary") summary = line;
    begin = end + 1;
  }
  EXPECT_EQ(whole.size(), prompts().size());
  EXPECT_EQ(text, whole);
  EXPECT_EQ(summary["requests"].size(), prompts().size());
  EXPECT_GT(summary["tokens_per_s"], 0);
  EXPECT_EQ(summary["tokens"], n_tokens) << "the sum is the sum of what is summed";
  EXPECT_EQ(summary["decoded_tokens"], n_decoded);
  EXPECT_FALSE(summary["by_requests_in_flight"].empty());
  double n_in_flight = 0;
  for (const nlohmann::json& size : summary["by_requests_in_flight"]) {
    n_in_flight += size["passes"].get<double>() * size["requests"].get<double>() * size["tokens_each"].get<double>();
  }
  EXPECT_NEAR(n_in_flight, static_cast<double>(n_decoded), 1e-6) << "what was accepted behind an end is in no sum";
}

TEST(BatchCommand, PlainDecodingMakesOneTokenARound) {
  const TempFolder sandbox;
  const std::string trace = sandbox / "p.trace";
  const Finished found = run(sandbox, batch(sandbox, {"-m", "plain", "--ignore-end", "--trace", trace}));
  ASSERT_EQ(found.status, 0) << found.err;
  EXPECT_NE(found.err.find("30 tokens,   29 decoded in   29 rounds, 1.00 tokens per round"), std::string::npos) << found.err;
  EXPECT_NE(found.err.find("4 requests, 120 tokens, 116 decoded in 29 passes"), std::string::npos) << found.err;
  const Finished replayed = run(sandbox, {"replay", trace});
  EXPECT_NE(replayed.out.find("30 tokens, 29 decoded in 29 rounds, 1.00 tokens per round"), std::string::npos);
}

TEST(BatchCommand, ItsTraceCanBeReplayedDescribedAndDrawn) {
  const TempFolder sandbox;
  const std::string trace = sandbox / "b.trace";
  const Finished found = run(sandbox, batch(sandbox, {"--trace", trace}));
  ASSERT_EQ(found.status, 0) << found.err;
  const Finished replayed = run(sandbox, {"replay", trace});
  EXPECT_EQ(replayed.status, 0) << replayed.err;
  EXPECT_NE(replayed.out.find("request 4 of a batch"), std::string::npos);
  EXPECT_NE(replayed.out.find("in pass 0 of 4 requests"), std::string::npos);
  EXPECT_EQ(run(sandbox, {"info", trace}).status, 0);
  for (const char* panel : {"batch", "window", "tree"}) {
    const Finished drawn = run(sandbox, {"render", "--trace", trace, "--panel", panel, "--request", "3", "-o", sandbox / "x.png"});
    EXPECT_EQ(drawn.status, 0) << drawn.err;
    EXPECT_EQ(slurp(sandbox / "x.png").substr(1, 3), "PNG");
  }
  const Finished no_such = run(sandbox, {"render", "--trace", trace, "--request", "5", "-o", sandbox / "x.png"});
  EXPECT_EQ(no_such.status, 1);
  EXPECT_NE(no_such.err.find("--request: expected 1 to 4, found 5"), std::string::npos) << no_such.err;
}

TEST(BatchCommand, BadInputGetsOneSentence) {
  const TempFolder sandbox;
  const auto expect_sentence = [&](std::vector<std::string> more, int status, const std::string& part) {
    const Finished found = run(sandbox, batch(sandbox, std::move(more)));
    EXPECT_EQ(found.status, status) << found.err;
    EXPECT_NE(found.err.find(part), std::string::npos) << found.err;
    EXPECT_EQ(found.out, "");
  };
  expect_sentence({"-c", "0"}, 2, "--concurrency");
  expect_sentence({"--method", "fast"}, 2, "--method");
  expect_sentence({"--arrival", "-1"}, 2, "--arrival");
  expect_sentence({"-m", "ddtree", "-b", "0"}, 2, "--budget");
  expect_sentence({"-m", "calibrated"}, 1, "--correction");
  expect_sentence({"--trace", "/nowhere/at/all.trace"}, 1, "/nowhere/at/all.trace");
  const auto prompts_error = [&](const std::string& name, const std::string& content) {
    std::ofstream(sandbox / name) << content;
    const Finished found = run(sandbox, {"batch", "--cost", cost_file(), "--prompts", sandbox / name});
    EXPECT_EQ(found.status, 1);
    return found.err;
  };
  EXPECT_NE(prompts_error("none.txt", "\n\n").find("none.txt: expected one prompt per line, found none"), std::string::npos);
  EXPECT_NE(prompts_error("bad.jsonl", "{\"prompt\": 3}\n").find("bad.jsonl"), std::string::npos);
  std::string long_prompt = "short\n";
  for (int i = 0; i < 20000; ++i) long_prompt += "word ";
  EXPECT_NE(prompts_error("long.txt", long_prompt).find("long.txt: prompt 2: prompt: expected fewer than"), std::string::npos);
  const Finished missing = run(sandbox, {"batch", "--prompts", sandbox / "missing.txt"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_NE(missing.err.find("missing.txt"), std::string::npos);
}

TEST(BatchCommand, CtrlCEndsEveryRequestWithAReadableTrace) {
  const TempFolder sandbox;
  const std::string trace = sandbox / "c.trace";
  std::vector<std::string> arguments = batch(sandbox, {"--ignore-end", "-m", "plain", "--precision", "f32", "--threads", "1",
                                                       "--trace", trace});
  arguments[6] = "1900";
  const Program program(sandbox, arguments);
  EXPECT_TRUE(program.records(trace, 12));
  program.send(SIGINT);
  const Finished found = program.wait();
  EXPECT_EQ(found.status, 130) << found.err;
  EXPECT_NE(found.out.find("[4] "), std::string::npos) << "what was decoded stays";
  Result<TraceReader> reader = TraceReader::open(trace);
  ASSERT_TRUE(reader) << reader.error();
  EXPECT_TRUE(reader->complete());
  int n_ends = 0;
  for (size_t i = 0; i < reader->size(); ++i) {
    const Result<Message> message = reader->message(i);
    ASSERT_TRUE(message) << message.error();
    if (const auto* end = std::get_if<SessionEnd>(&*message)) {
      ++n_ends;
      EXPECT_EQ(end->reason, EndReason::kStopped);
    }
  }
  EXPECT_EQ(n_ends, 4);
}

}  // namespace
}  // namespace draftscope
