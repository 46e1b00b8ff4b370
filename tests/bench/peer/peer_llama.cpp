// Times llama.cpp's passes the way ds_bench_qwen3 times ours: n rows at once with the logits of all n, and
// one token at a time. Reads no text: fixed tokens, so the peer pays for neither sampling nor a search for
// the maximum.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "llama.h"

namespace {

[[noreturn]] void stop(const std::string& sentence) {
  std::fprintf(stderr, "peer_llama: %s\n", sentence.c_str());
  std::exit(2);
}

struct Options {
  std::string model, json;
  std::vector<int32_t> rows{1, 64}, contexts{0, 512};
  int32_t repeats = 5, n_threads = 1, n_decode_tokens = 32;
  llama_flash_attn_type flash_attention = LLAMA_FLASH_ATTN_TYPE_AUTO;
  llama_load_mode load = LLAMA_LOAD_MODE_MMAP;
};

std::vector<int32_t> ints(const std::string& text) {
  std::vector<int32_t> values;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) values.push_back(std::atoi(part.c_str()));
  return values;
}

Options read_options(int argc, char** argv) {
  std::map<std::string, std::string> given;
  for (int i = 1; i + 1 < argc; i += 2) given[argv[i]] = argv[i + 1];
  if (argc % 2 == 0 || !given.count("--model") || !given.count("--json")) {
    stop(
        "usage: peer_llama --model FILE.gguf --json FILE [--rows 1,64] [--context 0,512] [--repeats N] "
        "[--threads T] [--decode-tokens N] [--flash-attention auto|on|off] [--load mmap|memory]");
  }
  Options options;
  for (const auto& [key, value] : given) {
    if (key == "--model")
      options.model = value;
    else if (key == "--json")
      options.json = value;
    else if (key == "--rows")
      options.rows = ints(value);
    else if (key == "--context")
      options.contexts = ints(value);
    else if (key == "--repeats")
      options.repeats = std::max(1, std::atoi(value.c_str()));
    else if (key == "--threads")
      options.n_threads = std::max(1, std::atoi(value.c_str()));
    else if (key == "--decode-tokens")
      options.n_decode_tokens = std::max(1, std::atoi(value.c_str()));
    else if (key == "--flash-attention") {
      options.flash_attention = value == "on"    ? LLAMA_FLASH_ATTN_TYPE_ENABLED
                                : value == "off" ? LLAMA_FLASH_ATTN_TYPE_DISABLED
                                                 : LLAMA_FLASH_ATTN_TYPE_AUTO;
    } else if (key == "--load")
      options.load = value == "memory" ? LLAMA_LOAD_MODE_NONE : LLAMA_LOAD_MODE_MMAP;
    else
      stop(key + ": expected one of the options in the usage line, found none of them");
  }
  return options;
}

// Processor time of this process when one thread works alone, which a busy machine disturbs less; else wall
// time.
double now_ms(bool one_thread) {
  if (one_thread) return static_cast<double>(std::clock()) * 1e3 / CLOCKS_PER_SEC;
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

// One context with one sequence, a cache from position 0.
class Peer {
 public:
  explicit Peer(const Options& options) : one_thread_(options.n_threads == 1) {
    llama_log_set(
        [](ggml_log_level level, const char* text, void*) {
          if (level == GGML_LOG_LEVEL_ERROR) std::fputs(text, stderr);
        },
        nullptr);
    llama_backend_init();
    llama_model_params model = llama_model_default_params();
    model.load_mode = options.load;
    model_ = llama_model_load_from_file(options.model.c_str(), model);
    if (model_ == nullptr) stop(options.model + ": expected a GGUF model that llama.cpp loads");
    const int32_t longest = *std::max_element(options.contexts.begin(), options.contexts.end());
    const int32_t widest = *std::max_element(options.rows.begin(), options.rows.end());
    llama_context_params context = llama_context_default_params();
    context.n_ctx = static_cast<uint32_t>(longest + std::max(widest, options.n_decode_tokens));
    context.n_batch = context.n_ubatch = 512;
    context.n_seq_max = 1;
    context.n_threads = context.n_threads_batch = options.n_threads;
    context.flash_attn_type = options.flash_attention;
    context_ = llama_init_from_model(model_, context);
    if (context_ == nullptr) stop("expected a context of the wanted length, llama.cpp made none");
    n_vocab_ = llama_vocab_n_tokens(llama_model_get_vocab(model_));
    batch_ = llama_batch_init(512, 0, 1);
  }
  ~Peer() {
    llama_batch_free(batch_);
    llama_free(context_);
    llama_model_free(model_);
    llama_backend_free();
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  /// Forgets every position from `first` on.
  void cut(int32_t first) { llama_memory_seq_rm(llama_get_memory(context_), 0, first, -1); }

  /// A pass of n rows from position `first`; returns milliseconds until the logits (of all rows) can be read.
  double pass(int32_t n, int32_t first, bool wants_logits) {
    batch_.n_tokens = n;
    for (int32_t i = 0; i < n; ++i) {
      batch_.token[i] = static_cast<llama_token>((first + i) * int64_t{7919} % n_vocab_);
      batch_.pos[i] = first + i;
      batch_.n_seq_id[i] = 1;
      batch_.seq_id[i][0] = 0;
      batch_.logits[i] = wants_logits;
    }
    const double start = now_ms(one_thread_);
    if (llama_decode(context_, batch_) != 0) stop("expected llama_decode to succeed, it did not");
    if (wants_logits) {
      const float* last = llama_get_logits_ith(context_, n - 1);
      if (last == nullptr || last[0] != last[0]) stop("expected finite logits of the last row");
    }
    return now_ms(one_thread_) - start;
  }
  void fill(int32_t context) {
    cut(0);
    for (int32_t first = 0; first < context; first += 512) pass(std::min(512, context - first), first, false);
  }
  /// Most likely token of each row of the last pass.
  std::vector<int32_t> answers(int32_t rows) const {
    std::vector<int32_t> tokens;
    for (int32_t row = 0; row < rows; ++row) {
      const float* logits = llama_get_logits_ith(context_, row);
      tokens.push_back(static_cast<int32_t>(std::max_element(logits, logits + n_vocab_) - logits));
    }
    return tokens;
  }
  uint64_t weight_bytes() const { return llama_model_size(model_); }

 private:
  bool one_thread_;
  llama_model* model_ = nullptr;
  llama_context* context_ = nullptr;
  llama_batch batch_{};
  int64_t n_vocab_ = 0;
};

double peak_rss_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

void measure(const Options& options, Peer& peer, std::ostream& out) {
  std::ostringstream passes, decodes, answered;
  for (const int32_t context : options.contexts) {
    peer.fill(context);
    std::vector<int32_t> answers;
    for (const int32_t rows : options.rows) {
      std::vector<double> ms;
      for (int32_t i = 0; i <= options.repeats; ++i) {  // the first warms up
        ms.push_back(peer.pass(rows, context, true));
        peer.cut(context);
      }
      ms.erase(ms.begin());
      answers = peer.answers(rows);
      passes << (passes.tellp() > 0 ? ",\n  " : "\n  ") << "{\"context\": " << context
             << ", \"rows\": " << rows << ", \"median_ms\": " << median(ms)
             << ", \"min_ms\": " << *std::min_element(ms.begin(), ms.end()) << "}";
    }
    answered << (answered.tellp() > 0 ? ",\n  " : "\n  ") << "{\"context\": " << context << ", \"token\": [";
    for (size_t i = 0; i < answers.size(); ++i) answered << (i > 0 ? ", " : "") << answers[i];
    answered << "]}";
    std::vector<double> ms;
    for (int32_t i = 0; i < options.n_decode_tokens; ++i) ms.push_back(peer.pass(1, context + i, true));
    decodes << (decodes.tellp() > 0 ? ",\n  " : "\n  ") << "{\"context\": " << context
            << ", \"tokens_per_s\": " << 1e3 / median(ms) << "}";
  }
  out << "{\"program\": \"llama.cpp\", \"version\": \"" << llama_version()
      << "\", \"threads\": " << options.n_threads << ",\n \"passes\": [" << passes.str()
      << "],\n \"decode\": [" << decodes.str() << "],\n \"answers_of_last_pass\": [" << answered.str()
      << "],\n \"weight_bytes\": " << peer.weight_bytes()
      << ", \"peak_rss_bytes\": " << std::llround(peak_rss_bytes()) << "}\n";
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  Peer peer(options);
  std::ofstream out(options.json);
  measure(options, peer, out);
  if (!out.flush()) stop(options.json + ": expected to write the figures, found no room or no permission");
  return 0;
}
