// batch: answer several prompts at once, all on one budget.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include "app/batch_run.h"
#include "app/commands.h"
#include "app/options.h"
#include "app/round_text.h"
#include "app/validators.h"
#include "engine/start_checks.h"

namespace draftscope {
namespace {

struct Options {
  DecodeOptions decode;
  std::string prompts, trace;
  int32_t concurrency = 8, arrival = 0, limit = 0;
  bool json = false;
};

/// Every prompt as a request, refused here where it can be, so that nothing is decoded before.
Result<std::vector<BatchRequest>> read_requests(const Pair& pair, const Options& options, const std::string& path,
                                                const SessionOptions& session) {
  Result<std::vector<std::string>> prompts = read_prompt_lines(path, options.limit);
  if (!prompts) return Error{prompts.error()};
  std::vector<BatchRequest> requests;
  for (const std::string& prompt : *prompts) {
    const auto number = static_cast<int64_t>(requests.size()) + 1;
    Result<std::vector<int32_t>> ids = encode_prompt(pair, prompt, options.decode.raw, options.decode.thinking);
    if (!ids) return Error{ids.error()};
    BatchRequest request{*std::move(ids),
                         {number, session.max_tokens, session.sampling, session.stop_ids, prompt}};
    if (Status ok = check_text(pair, request.prompt, request.options); !ok) {
      return fail("{}: prompt {}: {}", path, number, ok.error());
    }
    requests.push_back(std::move(request));
  }
  return requests;
}

BatchOptions batch_options(const Options& options, const SessionOptions& session, CostModel cost,
                           const std::vector<BatchRequest>& requests) {
  BatchOptions batch;
  batch.rule = session.rule;
  batch.n_slots = std::min(options.concurrency, static_cast<int32_t>(requests.size()));
  batch.slot_tokens = 0;
  for (const BatchRequest& request : requests) {
    const auto n_prompt = static_cast<int64_t>(request.prompt.size());
    batch.slot_tokens = static_cast<int32_t>(
        std::min<int64_t>(1 << 30, std::max<int64_t>(batch.slot_tokens, n_prompt + session.max_tokens)));
  }
  batch.cost = std::move(cost);
  batch.whole_curves = options.json || !options.trace.empty();
  return batch;
}

/// Tokens of the requests so far, of as many as they may all become; a text that ended early counts whole.
class Progress {
 public:
  Progress(size_t n_requests, int64_t max_tokens)
      : total_(static_cast<int64_t>(n_requests) * max_tokens), max_tokens_(max_tokens) {}

  void add(const RoundRecord& round) {
    n_tokens_[round.session] += static_cast<int64_t>(round.accepted.path.size());
    if (round.shared->pass == pass_) return;
    pass_ = round.shared->pass;
    int64_t sum = 0;
    for (const auto& [session, n_tokens] : n_tokens_) sum += std::min(n_tokens, max_tokens_);
    show_progress("batch, tokens", std::min(sum, total_ - 1), total_);
  }
  void end(int64_t session) {
    n_tokens_[session] = max_tokens_;
    show_progress("batch, tokens", total_, total_);  // a text comes where the line was
  }

 private:
  int64_t total_, max_tokens_, pass_ = -1;
  std::map<int64_t, int64_t> n_tokens_;  // by session
};

BatchEvents events_of(const Options& options, size_t n_requests) {
  BatchEvents events;
  events.keep_going = [] { return !interrupted(); };
  if (options.json) {
    const auto print = [](const Message& message) {
      std::printf("%s\n", message_json(message).c_str());
      std::fflush(stdout);
    };
    events.on_start = print, events.on_round = print, events.on_end = print;
    return events;
  }
  auto progress = std::make_shared<Progress>(n_requests, std::max(1, options.decode.max_tokens));
  events.on_round = [progress](const RoundRecord& round) { progress->add(round); };
  events.on_end = [progress](const SessionEnd& end) {
    progress->end(end.session);
    std::printf("[%lld] %s\n", static_cast<long long>(end.session), end.output_utf8.c_str());
    std::fflush(stdout);
  };
  return events;
}

int batch(const Options& options) {
  catch_interrupts();
  Result<std::string> path = options.prompts.empty() ? find_asset("prompts.jsonl") : Result<std::string>(options.prompts);
  if (!path) return report(path.error());
  Result<SessionOptions> session = session_options(options.decode, "");
  if (!session) return report(session.error());
  Result<Pair> pair = open_models(options.decode.models);
  if (!pair) return report(pair.error());
  Result<std::vector<BatchRequest>> requests = read_requests(*pair, options, *path, *session);
  if (!requests) return report(requests.error());
  Result<CostModel> cost = cost_for(*pair, options.decode.cost_file);
  if (!cost) return interrupted() ? kInterruptedStatus : report(cost.error());
  Result<Batch> batch = Batch::start(*pair, batch_options(options, *session, *std::move(cost), *requests));
  if (!batch) return report(batch.error());
  Result<Recorder> recorder = Recorder::open(options.trace, nullptr);
  if (!recorder) return report(recorder.error());

  Result<BatchFigures> figures = run_batch(*batch, *requests, options.arrival, *recorder, events_of(options, requests->size()));
  const Status closed = recorder->close();
  if (!figures) return report(figures.error());
  if (options.json) {
    std::printf("%s\n", figures_json(*figures).c_str());
  } else {
    std::fputs(figures_text(*figures).c_str(), stderr);
  }
  if (!closed) return report(closed.error());
  return interrupted() ? kInterruptedStatus : 0;
}

}  // namespace

Run bind_batch(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_model_options(app, options->decode.models);
  app.add_option("--prompts", options->prompts, "one prompt per line, or .jsonl (default: the demo prompts)")->type_name("FILE");
  app.add_option("--limit", options->limit, "only so many prompts; 0: all")->check(number_in(0))->capture_default_str();
  app.add_option("-c,--concurrency", options->concurrency, "requests in flight at most")
      ->check(CLI::Range(1, 256))->capture_default_str();
  app.add_option("--arrival", options->arrival, "passes between two arrivals; 0: a request comes as soon as a slot is free")
      ->check(number_in(0))->capture_default_str();
  add_decoding_options(app, options->decode);
  app.get_option("--max-nodes")
      ->description("nodes of all trees of a pass together with exact, exact-fill and calibrated; of each request's tree with "
                    "the other methods");
  app.add_option("--trace", options->trace, "keep every round of every request in this file")->type_name("FILE");
  app.add_flag("--json", options->json, "one JSON object per round instead of texts");
  return [options] { return batch(*options); };
}

}  // namespace draftscope
