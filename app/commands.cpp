#include "app/commands.h"

namespace draftscope {

std::span<const CommandRow> command_rows() {
  static constexpr CommandRow kRows[] = {
      {"decode", "answer a prompt: the text on standard output, nothing else", bind_decode},
      {"record", "answer a prompt and keep every round in a trace file", bind_record},
      {"batch", "answer several prompts at once, all on one budget, as requests come and go", bind_batch},
      {"replay", "print a trace round by round", bind_replay},
      {"simulate", "decide a dense recording again by every policy, under any cost model", bind_simulate},
      {"calibrate", "compare the drafter's probabilities with what was accepted, and fit a correction", bind_calibrate},
      {"render", "draw the window or one panel of a trace to a PNG, without a display", bind_render},
      {"bench", "compare all methods on a set of prompts", bind_bench},
      {"profile", "measure what verifying and drafting cost on this machine", bind_profile},
      {"info", "say what this machine, a model folder, a trace or a cost file is", bind_info},
  };
  return kRows;
}

}  // namespace draftscope
