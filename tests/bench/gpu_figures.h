// The parts of the GPU benchmark; each returns what it measured as JSON, times in milliseconds.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/model/pair.h"
#include "tests/bench/family_backend.h"

namespace draftscope {

struct GpuBenchOptions {
  std::vector<int32_t> rows{1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256}, contexts{0, 2048, 8192};
  int32_t n_repeats = 20;      // replays per figure; their median counts
  int32_t n_rounds = 40;       // of the overhead's session, after a few to warm up
  int32_t round_nodes = 63;    // of its trees
  int32_t round_context = 512;
  std::string launches = "overlap";     // or in-order
  std::string numerics = "invariant";   // or fastest: cuBLASLt for passes of many rows
  int64_t copy_bytes = int64_t{1} << 31;
  std::string pair_dir;        // a target and its drafter, with DIR/target and DIR/drafter or DIR/draft
  std::string prompts_file;    // JSON lines with a prompt each
  int32_t n_prompts = 8, max_tokens = 128, n_turns = 3;
  std::vector<int32_t> batch_sizes{1, 4, 8};  // requests in flight together
};

/// What the device itself does: name, versions, bytes per second that a large copy reads and writes.
nlohmann::json measure_device(const GpuBenchOptions& options);

/// Verify passes by rows and context with the bytes that each must read, drafter blocks, families of operations, and
/// rounds of a session. The pair's backend is `families`.
nlohmann::json measure_pair(const Pair& pair, FamilyBackend& families, const GpuBenchOptions& options);

/// Stages of a session's rounds, and the host's share of them.
nlohmann::json measure_rounds(const Pair& pair, const GpuBenchOptions& options);

/// Chain against trees on options.pair_dir, under a profile measured first: tokens per second and per round by method, and
/// whether the text is that of plain decoding; then batches. An Error when the pair or the prompts cannot be read.
Result<nlohmann::json> measure_methods(const GpuBenchOptions& options);

/// The same prompts as batches: plain, exact decided on the device, and the same budgets decided on the host.
Result<nlohmann::json> measure_batches(const Pair& pair, const std::vector<std::vector<int32_t>>& prompts,
                                       const CostModel& cost, const GpuBenchOptions& options);

}  // namespace draftscope
