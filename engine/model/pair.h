// Pair: a target, perhaps its drafter, and the tokenizer: all that a session reads.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/chat.h"
#include "engine/model/drafter.h"
#include "engine/model/target.h"
#include "engine/model/tokenizer.h"

namespace draftscope {

/// Where the operations run. kAuto: on a GPU if there is one; Pair::backend_note says why not.
enum class BackendChoice : uint8_t { kAuto, kCpu, kCuda };

struct PairOptions {
  std::string target_dir;
  std::string drafter_dir;             // empty: plain decoding only
  std::optional<Precision> precision;  // empty: bf16 for bf16 weights, else f32
  BackendChoice backend = BackendChoice::kCpu;
  Numerics numerics = Numerics::kInvariant;  // kFastest needs a GPU
  std::string cache_folder;            // where a backend keeps what it timed; empty: nowhere
  int32_t n_threads = 0;               // of the CPU; 0: every core the process may use
  std::string note;                    // shown wherever the pair is named, e.g. "small demo pair"
  bool needs_tokenizer = true;         // false: token ids in and out
};

class SpareMemory;  // engine/spare_memory.h
std::shared_ptr<SpareMemory> make_spare_memory();

struct Pair {
  std::unique_ptr<Backend> backend;    // first member: the models point to it
  Target target;
  std::optional<Drafter> drafter;
  std::optional<Tokenizer> tokenizer;
  ChatTemplate chat;                   // how a prompt is written for the target
  std::vector<int32_t> eos_ids;        // what ends a text: the target's config and its tokenizer's together
  std::string target_name, drafter_name;  // last part of the folders' paths
  std::string note;
  std::string backend_note;               // why kAuto took the CPU, or what else is not as asked for; empty: all is
  std::shared_ptr<SpareMemory> spare = make_spare_memory();  // of the last session; last member: it goes before the models

  /// Raw bytes of a token; its number in angle brackets without a tokenizer.
  std::string bytes_of(int32_t token) const;
};

/// Opens both folders. One sentence on the first thing that does not fit.
Result<Pair> open_pair(const PairOptions& options);

/// Name of the processor, as the system tells it.
std::string machine_name();

}  // namespace draftscope
