#include "ui/view/summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "ui/view/decoded_tokens.h"

namespace draftscope {
namespace {

/// Index of the grid interval that holds x, and where in it, both clamped.
std::pair<size_t, double> locate(const std::vector<int32_t>& grid, double x) {
  if (grid.size() < 2 || x <= grid.front()) return {0, 0.0};
  size_t i = 0;
  while (i + 2 < grid.size() && x > grid[i + 1]) ++i;
  return {i, std::clamp((x - grid[i]) / static_cast<double>(grid[i + 1] - grid[i]), 0.0, 1.0)};
}

struct Totals {
  int64_t tokens = 0, took_ns = 0;
  double predicted_s = 0, predicted_took_s = 0, telemetry_s = 0;
  double one_row_s = 0;  // predicted, of a pass of one row for every token
  double verified = 0, accepted = 0;
  double pass_tokens = 0;  // of every request in the passes of a batch
};

Totals add_up(const RecordStore& store) {
  Totals totals;
  totals.tokens = decoded_tokens(store.rounds(), store.end());
  int64_t left = totals.tokens;
  for (const RoundRecord& record : store.rounds()) {
    const auto n_path = static_cast<int64_t>(record.accepted.path.size());
    const int64_t kept = std::min(n_path, left);
    left -= kept;
    totals.accepted += static_cast<double>(std::max<int64_t>(0, n_path - 1));
    totals.verified += record.decision.chosen;
    if (record.shared) totals.pass_tokens += record.shared->n_tokens;
    totals.took_ns += record.took.total_ns();
    totals.telemetry_s += 1e-9 * static_cast<double>(record.telemetry_ns);
    if (record.predicted.total_ns() > 0) {
      totals.predicted_s += 1e-9 * static_cast<double>(record.predicted.total_ns());
      totals.predicted_took_s += 1e-9 * static_cast<double>(record.took.total_ns());
    }
    if (store.info()) {
      totals.one_row_s += static_cast<double>(kept) * verify_seconds(store.info()->cost, record.context_len, 1);
    }
  }
  return totals;
}

void check(const RecordStore& store, Summary& out) {
  std::string output;
  for (size_t i = 0; i < store.rounds().size(); ++i) {
    const RoundRecord& record = store.rounds()[i];
    output += record.committed_utf8;
    const auto n_path = static_cast<int64_t>(record.accepted.path.size());
    if (n_path - 1 > record.decision.chosen) {
      out.problems.push_back(fmt::format("Round {} accepts {} tokens but verified only {}.", i, n_path - 1,
                                         record.decision.chosen));
    }
  }
  if (store.n_skipped() > 0) {
    out.problems.push_back(
        fmt::format("{} rounds were not received; figures cover the others.", store.n_skipped()));
  } else if (store.end() && store.end()->output_utf8 != output) {
    out.problems.push_back("The rounds' text does not join to the output of the run.");
  }
}

std::vector<Figure> figures_of(const Totals& totals, const Summary& out, size_t n_rounds) {
  std::vector<Figure> figures;
  const double seconds = 1e-9 * static_cast<double>(totals.took_ns);
  figures.push_back({"speed", fmt::format("{:.1f} tokens/s", out.tokens_per_s), "measured",
                     "Tokens that rounds decoded over the wall time of all phases. The prompt's pass, which makes the first "
                     "token, is left out, and so is what was accepted behind the end of the text."});
  if (totals.pass_tokens > 0 && seconds > 0) {
    figures.push_back({"speed of all requests", fmt::format("{:.1f} tokens/s", totals.pass_tokens / seconds), "measured",
                       "Committed tokens of every request in the passes that this one took part in, over their wall time."});
  }
  figures.push_back({"tokens per round", fmt::format("{:.2f}", out.tokens_per_round), "measured",
                     "Accepted tokens plus the bonus, mean over rounds."});
  if (out.over_one_row) {
    figures.push_back(
        {"over passes of one row", fmt::format("{:.2f}x", *out.over_one_row), "measured / predicted",
         "Measured speed over one token per pass of one row as the cost model predicts it. A profile may have timed "
         "that pass behind a drafter block; plain decoding, which has none, can be faster. draftscope bench measures it."});
  }
  if (totals.verified > 0) {
    figures.push_back({"accepted of verified",
                       fmt::format("{:.1f} %", 100 * totals.accepted / totals.verified), "measured",
                       "Accepted nodes over verified nodes; a wide tree lowers it and may still be faster."});
  }
  if (totals.predicted_s > 0) {
    figures.push_back({"prediction error",
                       fmt::format("{:+.1f} %", 100 * (totals.predicted_s / totals.predicted_took_s - 1)),
                       "predicted / measured",
                       "Predicted over measured round time, minus one, over all rounds."});
  }
  figures.push_back(
      {"telemetry",
       fmt::format("{:.2f} %", seconds > 0 ? 100 * totals.telemetry_s / seconds : 0.0),
       "measured",
       "Time for making and encoding records, over the time of the rounds; outside every phase."});
  figures.push_back({"rounds", fmt::format("{}", n_rounds), "measured", "Rounds received."});
  return figures;
}

}  // namespace

double verify_seconds(const CostModel& model, int32_t context, int32_t rows) {
  const size_t n_contexts = model.context.size(), n_rows = model.rows.size();
  if (n_contexts == 0 || n_rows == 0 || model.verify_s.size() < n_contexts * n_rows) return 0;
  const auto [c, tc] = locate(model.context, context);
  const auto [r, tr] = locate(model.rows, rows);
  const auto at = [&](size_t i, size_t j) {
    return model.verify_s[std::min(i, n_contexts - 1) * n_rows + std::min(j, n_rows - 1)];
  };
  const double here = at(c, r) * (1 - tr) + at(c, r + 1) * tr;
  const double next = at(c + 1, r) * (1 - tr) + at(c + 1, r + 1) * tr;
  return here * (1 - tc) + next * tc;
}

Summary summary(const RecordStore& store) {
  Summary out;
  if (store.empty()) {
    out.empty_reason = "No rounds yet, so there is nothing to sum up.";
    return out;
  }
  const Totals totals = add_up(store);
  out.tokens_per_round = tokens_per_round(totals.tokens, static_cast<int64_t>(store.rounds().size()));
  out.tokens_per_s = tokens_per_s(totals.tokens, totals.took_ns);
  if (totals.one_row_s > 0 && totals.took_ns > 0) {
    out.over_one_row = totals.one_row_s / (1e-9 * static_cast<double>(totals.took_ns));
  }
  out.figures = figures_of(totals, out, store.rounds().size());
  check(store, out);
  return out;
}

}  // namespace draftscope
