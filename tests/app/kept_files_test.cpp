// What is on disk stays: bad options, other programs, closed streams and damage cost no recording, and nobody
// writes over what he reads.
#include <gtest/gtest.h>

#include <filesystem>

#include "app/options.h"
#include "engine/base/file_map.h"
#include "tests/app/program.h"

namespace draftscope {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> record(const std::string& trace, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"record", "--cost",
                                        DS_SOURCE_DIR "/assets/cost/a800-qwen3-4b-convex.json", "-o", trace};
  if (more.empty()) more = {"-p", "Tell me a story.", "-n", "30"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(KeptFiles, BadOptionsLeaveAnOlderRecording) {
  const TempFolder sandbox;
  const std::string trace = sandbox / "old.dst";
  ASSERT_EQ(run(sandbox, record(trace)).status, 0);
  const std::string before = slurp(trace);
  using Words = std::vector<std::string>;
  for (const Words& words :
       {Words{"-p", "Hi", "-n", "0"}, Words{"-p", "Hi", "-t", "nan"}, Words{"-p", "Hi", "-b", "-3"},
        Words{"-p", "Hi", "--seed", "-1"}, Words{"-p", "Hi", "-m", "ddtree", "-b", "5000"},
        Words{"-p", "Hi", "--prompt-file", "p"}, Words{"-p", ""}}) {
    const Finished refused = run(sandbox, record(trace, words));
    EXPECT_NE(refused.status, 0) << words.back();
    EXPECT_FALSE(refused.err.empty()) << words.back();
    EXPECT_EQ(slurp(trace), before) << words.back();
  }
}

TEST(KeptFiles, ASecondRecorderIsRefused) {
  const TempFolder sandbox;
  const std::string trace = sandbox / "both.dst";
  const Program first(sandbox, record(trace, {"-p", "Hi", "-n", "2000", "--ignore-end"}));
  ASSERT_TRUE(first.records(trace, 2));
  const Finished second = run(sandbox, record(trace));
  EXPECT_EQ(second.status, 1);
  EXPECT_NE(second.err.find("another program recording into it"), std::string::npos) << second.err;
  first.send(SIGINT);
  first.wait();
  const Result<TraceReader> reader = TraceReader::open(trace);
  ASSERT_TRUE(reader) << reader.error();
  EXPECT_TRUE(reader->complete()) << reader->note();
}

TEST(KeptFiles, NothingIsWrittenOverWhatIsRead) {
  const TempFolder sandbox;
  const std::string trace = sandbox / "t.dst", prompt = sandbox / "prompt.txt", cost = sandbox / "cost.json";
  ASSERT_EQ(run(sandbox, record(trace)).status, 0);
  sandbox.write("prompt.txt", "Tell me a story.");
  sandbox.write("cost.json", slurp(DS_SOURCE_DIR "/assets/cost/published-probes.json"));
  const std::string before = slurp(trace);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"render", "--trace", trace, "-o", trace},
        {"calibrate", trace, "-o", trace},
        record(prompt, {"--prompt-file", prompt}),
        {"record", "-o", cost, "-p", "Hi", "--cost", cost + ":1"}}) {
    const Finished refused = run(sandbox, words);
    EXPECT_EQ(refused.status, 1);
    EXPECT_NE(refused.err.find("expected a file of its own"), std::string::npos) << refused.err;
  }
  EXPECT_EQ(slurp(trace), before);
  EXPECT_EQ(slurp(prompt), "Tell me a story.");
}

TEST(KeptFiles, OneFileHasSeveralNames) {
  const TempFolder sandbox;
  sandbox.write("c.json", "{}");
  fs::create_symlink(sandbox / "c.json", sandbox / "link");
  EXPECT_TRUE(same_file(sandbox / "c.json", sandbox / "./c.json"));
  EXPECT_TRUE(same_file(sandbox / "c.json", sandbox / "c.json:2")) << "its second cost model";
  EXPECT_TRUE(same_file(sandbox / "link", sandbox / "c.json"));
  EXPECT_TRUE(same_file(sandbox / "new", sandbox / "./new")) << "though neither is there yet";
  EXPECT_FALSE(same_file(sandbox / "new", sandbox / "c.json"));
  EXPECT_FALSE(same_file("", ""));
}

TEST(KeptFiles, AClosedStandardOutputIsNotTheTrace) {
  const TempFolder sandbox;
  const std::string trace = sandbox / "t.dst";
  const std::string command = std::string("\"") + DS_PROGRAM +
                              "\" decode --cost \"" DS_SOURCE_DIR
                              "/assets/cost/a800-qwen3-4b-convex.json\" -p Hi -n 20 --trace \"" +
                              trace + "\" <&- >&- 2>&-";
  ASSERT_EQ(std::system(("DRAFTSCOPE_ASSETS=\"" DS_SOURCE_DIR "/assets\" " + command).c_str()), 0);
  const Result<TraceReader> reader = TraceReader::open(trace);
  ASSERT_TRUE(reader) << reader.error();
  EXPECT_TRUE(reader->complete());
}

TEST(KeptFiles, AFullStandardOutputIsSaid) {
  const TempFolder sandbox;
  const std::string trace = sandbox / "t.dst", said = sandbox / "said";
  ASSERT_EQ(run(sandbox, record(trace)).status, 0);
  const std::string command =
      std::string("\"") + DS_PROGRAM + "\" replay \"" + trace + "\" > /dev/full 2> \"" + said + "\"";
  EXPECT_NE(std::system(command.c_str()), 0);
  EXPECT_NE(slurp(said).find("standard output: expected to write all of it"), std::string::npos);
}

TEST(KeptFiles, AnOptionBeforeTheCommandIsNotDropped) {
  const TempFolder sandbox;
  const Finished refused = run(sandbox, {"--target", "/nonexistent", "decode", "-p", "Hi"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_EQ(refused.err, "draftscope: --target: expected after the command decode, found before it\n");
}

TEST(KeptFiles, FramesBehindADamagedOneAreShown) {
  const TempFolder sandbox;
  const std::string trace = sandbox / "t.dst";
  ASSERT_EQ(run(sandbox, record(trace)).status, 0);
  std::string bytes = slurp(trace);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  sandbox.write("damaged.dst", bytes);
  const Finished whole = run(sandbox, {"replay", trace}),
                 damaged = run(sandbox, {"replay", sandbox / "damaged.dst"});
  EXPECT_EQ(damaged.status, 1);
  EXPECT_NE(damaged.err.find("damaged"), std::string::npos) << damaged.err;
  const std::string last = whole.out.substr(whole.out.rfind("token limit"));
  EXPECT_NE(damaged.out.find(last), std::string::npos) << "the end, behind the damage";
  EXPECT_EQ(run(sandbox, {"info", sandbox / "damaged.dst"}).status, 1);
}

TEST(KeptFiles, DevicesAreWrittenNotReplaced) {
  const TempFolder sandbox;
  EXPECT_TRUE(replace_text("/dev/null", "text"));
  EXPECT_EQ(fs::status("/dev/null").type(), fs::file_type::character);
  const std::string link = sandbox / "full";
  fs::create_symlink("/dev/full", link);
  EXPECT_FALSE(replace_text(link, "text"));
  EXPECT_TRUE(fs::is_symlink(link));
  sandbox.write("target", "old");
  fs::create_symlink(sandbox / "target", sandbox / "link");
  EXPECT_TRUE(replace_text(sandbox / "link", "new"));
  EXPECT_EQ(slurp(sandbox / "target"), "new") << "through the link";
  EXPECT_TRUE(fs::is_symlink(sandbox / "link"));
  EXPECT_TRUE(replace_text(sandbox / "new/file", "text"));
  EXPECT_EQ(slurp(sandbox / "new/file"), "text");
  EXPECT_EQ(std::distance(fs::directory_iterator(sandbox / "new"), {}), 1) << "no half is left";
}

}  // namespace
}  // namespace draftscope
