#include "app/batch_run.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/bench_run.h"
#include "app/round_text.h"
#include "engine/base/file_map.h"
#include "ui/view/decoded_tokens.h"

namespace draftscope {
namespace {

using Clock = std::chrono::steady_clock;

int64_t ns_since(Clock::time_point began) { return (Clock::now() - began) / std::chrono::nanoseconds(1); }

/// One run at work.
class Run {
 public:
  Run(Batch& batch, Recorder& recorder, const BatchEvents& events) : batch_(batch), recorder_(recorder), events_(events) {}

  Status admit(const BatchRequest& request) {
    Result<SessionInfo> info = batch_.admit(request.prompt, request.options, [this](int32_t, int32_t) { return keep_going(); });
    if (!info) return Error{info.error()};
    recorder_.begin(*info);
    if (events_.on_start) events_.on_start(*info);
    return success();
  }

  void pass() {
    const std::vector<RoundRecord> rounds = batch_.round();
    for (const RoundRecord& round : rounds) {
      recorder_.round(round);
      if (events_.on_round) events_.on_round(round);
    }
    figures.add_pass(rounds);
    batch_.records_sent();
  }

  void take_finished() {
    for (FinishedRequest& finished : batch_.take_finished()) {
      recorder_.end(finished.end);
      if (events_.on_end) events_.on_end(finished.end);
      figures.add_end(std::move(finished.end));
    }
  }

  void stop() {
    batch_.stop();
    take_finished();
  }
  bool keep_going() const { return !events_.keep_going || events_.keep_going(); }

  BatchFigures figures;

 private:
  Batch& batch_;
  Recorder& recorder_;
  const BatchEvents& events_;
};

}  // namespace

Result<std::vector<std::string>> read_prompt_lines(const std::string& path, int32_t n_wanted) {
  std::vector<std::string> lines;
  if (std::filesystem::path(path).extension() == ".jsonl") {
    Result<std::vector<ReportPrompt>> prompts = read_prompts(path, n_wanted);
    if (!prompts) return Error{prompts.error()};
    for (ReportPrompt& prompt : *prompts) lines.push_back(std::move(prompt.text));
    return lines;
  }
  Result<std::string> text = read_text(path);
  if (!text) return Error{text.error()};
  for (size_t begin = 0; begin < text->size() && (n_wanted == 0 || static_cast<int32_t>(lines.size()) < n_wanted);) {
    const size_t end = std::min(text->find('\n', begin), text->size());
    std::string line = text->substr(begin, end - begin);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) lines.push_back(std::move(line));
    begin = end + 1;
  }
  if (lines.empty()) return fail("{}: expected one prompt per line, found none", path);
  return lines;
}

int64_t BatchFigures::n_tokens() const {
  int64_t sum = 0;
  for (const SessionEnd& end : ends) sum += end.n_tokens;
  return sum;
}

int64_t BatchFigures::n_decoded() const {
  int64_t sum = 0;
  for (const SessionEnd& end : ends) sum += decoded_tokens(end);
  return sum;
}

void BatchFigures::add_pass(const std::vector<RoundRecord>& rounds) {
  ++n_passes;
  passes_ns += rounds[0].took.total_ns();
  sizes.add(rounds[0]);
  for (const RoundRecord& round : rounds) {
    InFlight& request = in_flight[round.session];
    request.n_committed += static_cast<int64_t>(round.accepted.path.size());
    request.n_requests = round.shared->n_requests;
  }
}

void BatchFigures::add_end(SessionEnd end) {
  if (const auto request = in_flight.find(end.session); request != in_flight.end()) {
    const int64_t surplus = request->second.n_committed - decoded_tokens(end);
    sizes.take_off(request->second.n_requests, std::max<int64_t>(0, surplus));
    in_flight.erase(request);
  }
  ends.push_back(std::move(end));
}

Result<BatchFigures> run_batch(Batch& batch, const std::vector<BatchRequest>& requests, int32_t arrival, Recorder& recorder,
                               const BatchEvents& events) {
  const auto began = Clock::now();
  Run run(batch, recorder, events);
  size_t next = 0;
  int64_t next_arrival = 0;
  std::string refused;
  while (run.keep_going() && refused.empty() && (next < requests.size() || batch.n_active() > 0)) {
    // An idle device does not wait for an arrival.
    const bool due = run.figures.n_passes >= next_arrival || batch.n_active() == 0;
    if (next < requests.size() && batch.has_room() && due) {
      if (Status admitted = run.admit(requests[next]); !admitted) refused = fmt::format("prompt {}: {}", next + 1, admitted.error());
      ++next;
      next_arrival = run.figures.n_passes + arrival;
    } else {
      run.pass();
    }
    run.take_finished();
  }
  run.stop();
  if (!refused.empty() && run.keep_going()) return Error{refused};
  run.figures.whole_ns = ns_since(began);
  return std::move(run.figures);
}

std::string figures_text(const BatchFigures& figures) {
  std::string text;
  for (const SessionEnd& end : figures.ends) {
    text += fmt::format("request {:>3}: {:>4} tokens, {:>4} decoded in {:>4} rounds, {:.2f} tokens per round, {}\n", end.session,
                        end.n_tokens, decoded_tokens(end), end.n_rounds, tokens_per_round(decoded_tokens(end), end.n_rounds),
                        name(end.reason));
  }
  text += "in flight  passes  nodes each  tokens each per round  tokens/s of all\n";
  for (const BudgetAtSize& size : figures.sizes.figures()) {
    text += fmt::format("{:>9}  {:>6}  {:>10.1f}  {:>21.2f}  {:>15.0f}\n", size.n_requests, size.n_passes, size.nodes, size.tokens,
                        size.tokens_per_s);
  }
  text += fmt::format("{} requests, {} tokens, {} decoded in {} passes: {:.0f} tokens/s measured, {:.0f} with prompts and records\n",
                      figures.ends.size(), figures.n_tokens(), figures.n_decoded(), figures.n_passes,
                      tokens_per_s(figures.n_decoded(), figures.passes_ns), tokens_per_s(figures.n_tokens(), figures.whole_ns));
  return text;
}

std::string figures_json(const BatchFigures& figures) {
  nlohmann::json requests = nlohmann::json::array(), sizes = nlohmann::json::array();
  for (const SessionEnd& end : figures.ends) {
    requests.push_back({{"session", end.session}, {"tokens", end.n_tokens}, {"decoded_tokens", decoded_tokens(end)},
                        {"rounds", end.n_rounds}, {"tokens_per_round", tokens_per_round(decoded_tokens(end), end.n_rounds)},
                        {"reason", name(end.reason)}});
  }
  for (const BudgetAtSize& size : figures.sizes.figures()) {
    sizes.push_back({{"requests", size.n_requests}, {"passes", size.n_passes}, {"nodes_each", size.nodes},
                     {"tokens_each", size.tokens}, {"tokens_per_s", size.tokens_per_s}});
  }
  return nlohmann::json({{"type", "summary"}, {"requests", requests}, {"by_requests_in_flight", sizes},
                         {"passes", figures.n_passes}, {"tokens", figures.n_tokens()},
                         {"decoded_tokens", figures.n_decoded()},
                         {"tokens_per_s", tokens_per_s(figures.n_decoded(), figures.passes_ns)},
                         {"tokens_per_s_with_prompts", tokens_per_s(figures.n_tokens(), figures.whole_ns)}})
      .dump();
}

}  // namespace draftscope
