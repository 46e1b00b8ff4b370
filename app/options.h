// Options that several commands share, and how they become models, prompts and sessions.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "engine/model/pair.h"
#include "engine/session.h"

namespace CLI {
class App;
}

namespace draftscope {

struct ModelOptions {
  std::string target_dir, drafter_dir;  // empty: the demo pair
  std::string precision = "auto";
  std::string backend = "auto";
  std::string numerics = "invariant";
  int32_t n_threads = 0;
};

struct DecodeOptions {
  ModelOptions models;
  std::string prompt, prompt_file;
  bool raw = false, thinking = false, ignore_end = false;
  std::string method = "exact";
  int32_t budget = 64, bucket_rows = 32, max_nodes = 256, max_tokens = 256;
  float temperature = 0, top_p = 1;
  int32_t top_k = 50;
  uint64_t seed = 0;
  std::string cost_file;
  std::string correction_file;
  bool online_cost = false;
};

void add_model_options(CLI::App& app, ModelOptions& options);
/// How prompts are decoded, whatever they are.
void add_decoding_options(CLI::App& app, DecodeOptions& options);
/// The same, the models and one prompt.
void add_decode_options(CLI::App& app, DecodeOptions& options);

/// Prints "draftscope: SENTENCE" on standard error; the exit status for errors, 1.
int report(const std::string& sentence);

/// What to tell people of an exception: the kernels' own say what was missing, a bare one nothing.
std::string sentence_of(const std::exception& error);

/// Whether both name one file, which need not exist yet; FILE:N is FILE, an empty name none.
bool same_file(const std::string& one, const std::string& other);
/// What is written may take the place of nothing that is read; empty names are no files.
Status check_output(const std::string& output, std::initializer_list<std::string> inputs);

/// The file or folder `relative` among the program's assets: in $DRAFTSCOPE_ASSETS if that is set, else beside the
/// program or above it. An Error says where it was looked for.
Result<std::string> find_asset(const std::string& relative);

/// Opens the chosen folders, or the demo pair when none was given. `drafter_optional`: a target alone will do.
Result<Pair> open_models(const ModelOptions& options);

Result<Method> parse_method(const std::string& word);
std::vector<std::string> method_words();
/// What --methods names, simulated policies included; every policy without words. The calibrated one needs a correction.
Result<std::vector<Method>> parse_methods(const std::vector<std::string>& words, bool has_correction);

/// --prompt, --prompt-file, or standard input when it is not a terminal; empty when there is none of these.
Result<std::string> read_prompt(const DecodeOptions& options);
/// Token ids of a prompt: as one user turn, or as it stands with --raw. An Error where the target's template allows neither
/// a turn of ours nor the thinking asked for.
Result<std::vector<int32_t>> encode_prompt(const Pair& pair, const std::string& prompt, bool raw, bool thinking);

/// The correction in a file that `draftscope calibrate` wrote.
Result<Correction> read_correction(const std::string& path);

/// Everything of a session but its cost model.
Result<SessionOptions> session_options(const DecodeOptions& options, const std::string& prompt);

/// The cost model of --cost (FILE, or FILE:N where a file has several), else the machine's cached profile, measured now if
/// there is none yet.
Result<CostModel> cost_for(const Pair& pair, const std::string& cost_file);

/// True once the person pressed Ctrl-C; long work asks between steps and ends in order. The second press ends at once.
bool interrupted();
void catch_interrupts();
constexpr int kInterruptedStatus = 130;

/// A progress line on standard error when that is a terminal; nothing otherwise.
void show_progress(const std::string& what, int64_t done, int64_t total);

}  // namespace draftscope
