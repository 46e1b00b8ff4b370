// Requests in flight together: passes of a batch whose rounds stay on the device, and of one that the host decides.
#include <algorithm>
#include <chrono>
#include <map>

#include "engine/batch.h"
#include "engine/spread.h"
#include "tests/bench/gpu_figures.h"

namespace draftscope {
namespace {

struct BatchFigures {
  std::map<int64_t, std::vector<int32_t>> text;  // by request
  std::vector<double> pass_s;                    // wall time of every pass
  int64_t n_tokens = 0;
  std::string backend;
};

Result<BatchFigures> run(const Pair& pair, const std::vector<std::vector<int32_t>>& prompts, const CostModel& cost,
                         Method method, int32_t n_requests, const GpuBenchOptions& options) {
  BatchOptions batch_options;
  batch_options.rule.method = method;
  batch_options.rule.max_nodes = std::max(1, *std::max_element(options.rows.begin(), options.rows.end()) - n_requests);
  batch_options.rule.correction = std::make_shared<Correction>();  // changes nothing: the same budgets, decided on the host
  batch_options.n_slots = n_requests;
  batch_options.cost = cost;
  batch_options.whole_curves = false;
  Result<Batch> batch = Batch::start(pair, std::move(batch_options));
  if (!batch) return Error{batch.error()};
  BatchFigures figures;
  for (int32_t i = 0; i < n_requests; ++i) {
    TextOptions text;
    text.session = i;
    text.max_tokens = options.max_tokens;
    Result<SessionInfo> info = batch->admit(prompts[static_cast<size_t>(i) % prompts.size()], std::move(text));
    if (!info) return Error{info.error()};
    figures.backend = info->backend;
  }
  while (batch->n_active() > 0) {
    const auto began = std::chrono::steady_clock::now();
    const std::vector<RoundRecord> rounds = batch->round();
    figures.pass_s.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    figures.n_tokens += rounds[0].shared->n_tokens;
  }
  for (FinishedRequest& finished : batch->take_finished()) figures.text[finished.end.session] = std::move(finished.output);
  return figures;
}

nlohmann::json figures_of(const BatchFigures& f, const BatchFigures& plain) {
  double seconds = 0;
  for (const double pass_s : f.pass_s) seconds += pass_s;
  int32_t n_exact = 0;
  for (const auto& [request, text] : f.text) n_exact += plain.text.at(request) == text;
  return {{"backend", f.backend}, {"tokens", f.n_tokens}, {"passes", f.pass_s.size()}, {"texts", f.text.size()},
          {"exact", n_exact}, {"tokens_per_s", static_cast<double>(f.n_tokens) / seconds},
          {"median_pass_ms", spread_of(f.pass_s).median_s * 1e3}};
}

}  // namespace

Result<nlohmann::json> measure_batches(const Pair& pair, const std::vector<std::vector<int32_t>>& prompts,
                                       const CostModel& cost, const GpuBenchOptions& options) {
  nlohmann::json found = nlohmann::json::array();
  for (const int32_t n_requests : options.batch_sizes) {
    nlohmann::json& at = found.emplace_back(nlohmann::json{{"requests", n_requests}});
    BatchFigures plain;
    for (const auto& [where, method] :
         {std::pair{"plain", Method::kPlain}, {"device", Method::kExact}, {"host", Method::kCalibrated}}) {
      Result<BatchFigures> figures = run(pair, prompts, cost, method, n_requests, options);
      if (!figures) return Error{figures.error()};
      if (method == Method::kPlain) plain = *figures;
      at[where] = figures_of(*figures, plain);
    }
  }
  return found;
}

}  // namespace draftscope
