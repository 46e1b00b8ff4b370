// Batches of requests that differ in everything, run with staggered arrivals, and the same requests alone.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "engine/batch.h"
#include "tests/engine/test_pair.h"

namespace draftscope {

inline CostModel rising_cost() {
  CostModel cost;
  cost.label = "made up for a test";
  cost.context = {0, 512};
  cost.rows = {1, 8, 64, 512};
  cost.verify_s = {0.004, 0.0042, 0.007, 0.04, 0.0045, 0.0048, 0.008, 0.05};
  cost.draft_s = {0.001, 0.0012};
  cost.overhead_s = 0.0001;
  return cost;
}

inline BatchOptions batch_options(Method method, int32_t n_slots) {
  BatchOptions options;
  options.rule = make_options(method, 1).rule;
  options.n_slots = n_slots;
  options.slot_tokens = 256;
  options.cost = rising_cost();
  options.whole_curves = false;
  return options;
}

struct Asked {
  std::vector<int32_t> prompt;
  TextOptions options;
};

/// Request i: its own prompt, length, seed and sampling.
inline Asked ask(int64_t i, float temperature) {
  Asked asked;
  asked.prompt = make_prompt(100 + static_cast<uint64_t>(i), static_cast<int32_t>(3 + 17 * i % 140));
  asked.options.session = i + 1;
  asked.options.max_tokens = static_cast<int32_t>(8 + 13 * i % 60);
  asked.options.sampling = {temperature, i % 3 == 0 ? 0 : 20, i % 2 == 0 ? 1.0f : 0.9f, static_cast<uint64_t>(i)};
  asked.options.stop_ids = std::vector<int32_t>{257};
  return asked;
}

inline std::vector<int32_t> alone(const Pair& pair, const Asked& asked, Method method) {
  SessionOptions options = make_options(method, asked.options.max_tokens);
  options.cost = rising_cost();
  options.sampling = asked.options.sampling;
  options.stop_ids = asked.options.stop_ids;
  return generate(pair, asked.prompt, std::move(options)).output;
}

struct Outcome {
  std::map<int64_t, std::vector<int32_t>> output;
  std::map<int64_t, SessionEnd> end;
  std::vector<std::vector<RoundRecord>> passes;
};

inline void take(Batch& batch, Outcome& outcome) {
  for (FinishedRequest& finished : batch.take_finished()) {
    outcome.output[finished.end.session] = std::move(finished.output);
    outcome.end[finished.end.session] = std::move(finished.end);
  }
}

/// Admits a request every `stagger` passes while there is room, until all have ended.
inline Outcome run_batch(const Pair& pair, BatchOptions options, const std::vector<Asked>& asked, int stagger) {
  Batch batch = golden::must(Batch::start(pair, std::move(options)));
  Outcome outcome;
  size_t next = 0;
  for (int pass = 0; next < asked.size() || batch.n_active() > 0; ++pass) {
    while (next < asked.size() && batch.has_room() && (stagger == 0 || pass % stagger == 0)) {
      const SessionInfo info = golden::must(batch.admit(asked[next].prompt, asked[next].options));
      EXPECT_EQ(info.session, asked[next].options.session);
      ++next;
      if (stagger != 0) break;
    }
    take(batch, outcome);
    if (batch.n_active() > 0) outcome.passes.push_back(batch.round());
    take(batch, outcome);
  }
  return outcome;
}

inline std::vector<Asked> ask_all(int n_requests, float temperature) {
  std::vector<Asked> asked;
  for (int i = 0; i < n_requests; ++i) asked.push_back(ask(i, temperature));
  return asked;
}

}  // namespace draftscope
