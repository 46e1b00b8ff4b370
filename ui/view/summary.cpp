#include "ui/view/summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/record/cost_curves.h"
#include "ui/view/cost_shape.h"
#include "ui/view/decoded_tokens.h"
#include "ui/view/timeline.h"

namespace draftscope {
namespace {

struct Totals {
  int64_t tokens = 0, took_ns = 0;
  double predicted_s = 0, predicted_took_s = 0, telemetry_s = 0;
  double plain_s = 0;      // of a step of plain decoding for every token
  double verified = 0, accepted = 0;
  double pass_tokens = 0;  // of every request in the passes of a batch
};

Totals add_up(const RecordStore& store) {
  Totals totals;
  const RequestHistory& request = store.requests()[store.shown_request()];
  std::map<int64_t, int64_t> behind = behind_by_pass(store);
  for (size_t i = 0; i < request.rounds.size(); ++i) {
    const RoundRecord& record = request.rounds[i];
    const int64_t kept = kept_tokens(request, i);
    totals.tokens += kept;
    totals.accepted += static_cast<double>(kept_drafts(record, kept));
    totals.verified += record.decision.chosen;
    if (record.shared) totals.pass_tokens += static_cast<double>(record.shared->n_tokens - behind[record.shared->pass]);
    totals.took_ns += record.took.total_ns();
    totals.telemetry_s += 1e-9 * static_cast<double>(record.telemetry_ns);
    if (record.predicted.total_ns() > 0) {
      totals.predicted_s += 1e-9 * static_cast<double>(record.predicted.total_ns());
      totals.predicted_took_s += 1e-9 * static_cast<double>(record.took.total_ns());
    }
    if (store.info() && is_drawable(store.info()->cost)) {
      totals.plain_s += static_cast<double>(kept) * plain_step_s(store.info()->cost, record.context_len);
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

/// A profile of this machine measured the other half of the ratio too; a curve from elsewhere says what it is.
Figure plain_figure(double ratio, const SessionInfo& info) {
  const std::string value = fmt::format("{:.2f}x", ratio);
  if (info.cost.plain_s.empty()) {
    return {"over passes of one row", value, "measured / predicted",
            "Measured speed over one token per pass of one row as the cost model predicts it. A profile may have timed "
            "that pass behind a drafter block; plain decoding, which has none, can be faster. draftscope bench measures it."};
  }
  const bool own = info.cost.kind == CostKind::kMeasured && info.cost.machine == info.machine;
  return {"x plain decoding", value, own ? "measured" : "measured / imported",
          "Measured speed over one token per step of plain decoding, which the profile timed by itself: passes of one row "
          "behind one another, no drafter between."};
}

std::vector<Figure> figures_of(const Totals& totals, const Summary& out, const RecordStore& store) {
  std::vector<Figure> figures;
  const double seconds = 1e-9 * static_cast<double>(totals.took_ns);
  figures.push_back({"speed", fmt::format("{:.1f} tokens/s", out.tokens_per_s), "measured",
                     "Tokens that rounds decoded over the wall time of all phases. The prompt's pass, which makes the first "
                     "token, is left out, and so is what was accepted behind the end of the text."});
  if (totals.pass_tokens > 0 && seconds > 0) {
    figures.push_back({"speed of all requests", fmt::format("{:.1f} tokens/s", totals.pass_tokens / seconds), "measured",
                       "Tokens that every request decoded in the passes that this one took part in, over their wall time."});
  }
  figures.push_back({"tokens per round", fmt::format("{:.2f}", out.tokens_per_round), "measured",
                     "Accepted tokens plus the bonus, as far as the text kept them, mean over rounds."});
  if (out.over_plain) figures.push_back(plain_figure(*out.over_plain, *store.info()));
  if (totals.verified > 0) {
    figures.push_back({"accepted of verified",
                       fmt::format("{:.1f} %", 100 * totals.accepted / totals.verified), "measured",
                       "Accepted nodes that the text kept over verified nodes; a wide tree lowers it and may still be "
                       "faster."});
  }
  if (totals.predicted_s > 0) {
    figures.push_back({"prediction error",
                       fmt::format("{:+.1f} %", 100 * (totals.predicted_s / totals.predicted_took_s - 1)),
                       predicted_origins(store) + " / measured",
                       "Predicted over measured round time, minus one, over all rounds."});
  }
  figures.push_back(
      {"telemetry",
       fmt::format("{:.2f} %", seconds > 0 ? 100 * totals.telemetry_s / seconds : 0.0),
       "measured",
       "Time for making and encoding records, over the time of the rounds; outside every phase."});
  figures.push_back({"rounds", fmt::format("{}", store.rounds().size()), "measured", "Rounds received."});
  return figures;
}

}  // namespace

Summary summary(const RecordStore& store) {
  Summary out;
  if (store.empty()) {
    out.empty_reason = "No rounds yet, so there is nothing to sum up.";
    return out;
  }
  const Totals totals = add_up(store);
  out.tokens_per_round = tokens_per_round(totals.tokens, static_cast<int64_t>(store.rounds().size()));
  out.tokens_per_s = tokens_per_s(totals.tokens, totals.took_ns);
  if (totals.plain_s > 0 && totals.took_ns > 0) {
    out.over_plain = totals.plain_s / (1e-9 * static_cast<double>(totals.took_ns));
  }
  out.figures = figures_of(totals, out, store);
  check(store, out);
  return out;
}

}  // namespace draftscope
