// Batch run: prompts in, requests admitted as slots fall free, records and texts out.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "app/recorder.h"
#include "engine/batch.h"
#include "ui/view/batch_track.h"

namespace draftscope {

/// One prompt a line, empty lines left out; of a .jsonl file the "prompt" of every line's object. The first n_wanted, or
/// all when 0; at least one.
Result<std::vector<std::string>> read_prompt_lines(const std::string& path, int32_t n_wanted);

struct BatchRequest {
  std::vector<int32_t> prompt;
  TextOptions options;
};

/// What a run came to.
struct BatchFigures {
  std::vector<SessionEnd> ends;  // in the order in which requests ended
  BudgetsBySize sizes;
  struct InFlight {
    int64_t n_committed = 0;  // by its rounds so far
    int32_t n_requests = 1;   // of its last pass
  };
  std::map<int64_t, InFlight> in_flight;  // by session
  int64_t n_passes = 0;
  int64_t passes_ns = 0, whole_ns = 0; // of the passes alone; with prompts, records and waiting

  int64_t n_tokens() const;   // of the texts that ended, end of text excluded
  int64_t n_decoded() const;  // by passes, see decoded_tokens
  void add_pass(const std::vector<RoundRecord>& rounds);
  void add_end(SessionEnd end);
};

/// Called as things happen; any may be empty.
struct BatchEvents {
  std::function<void(const SessionInfo&)> on_start;
  std::function<void(const RoundRecord&)> on_round;
  std::function<void(const SessionEnd&)> on_end;
  std::function<bool()> keep_going;  // false: every request ends after the passes so far
};

/// Runs all requests to their end, each admitted once a slot is free and `arrival` passes after the one before (0: as
/// soon as there is room). An Error of a request ends the others in order first.
Result<BatchFigures> run_batch(Batch& batch, const std::vector<BatchRequest>& requests, int32_t arrival, Recorder& recorder,
                               const BatchEvents& events);

/// The whole run and every request, for people and as one JSON object.
std::string figures_text(const BatchFigures& figures);
std::string figures_json(const BatchFigures& figures);

}  // namespace draftscope
