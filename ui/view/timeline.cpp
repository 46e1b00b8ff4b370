#include "ui/view/timeline.h"

#include <fmt/format.h>

#include <algorithm>

namespace draftscope {

std::array<double, kPhases> phases_ms(const StageTimes& times) {
  const auto ms = [](int64_t ns) { return 1e-6 * static_cast<double>(ns); };
  return {ms(times.draft_ns), ms(times.grow_ns), ms(times.verify_ns), ms(times.accept_ns),
          ms(times.commit_ns)};
}

Timeline timeline(const RecordStore& store) {
  Timeline out;
  if (store.empty()) {
    out.empty_reason = "No rounds yet: bars appear here, one per round.";
    return out;
  }
  int64_t expected_seq = 0;
  for (const RoundRecord& record : store.rounds()) {
    out.round.push_back(static_cast<double>(out.round.size()));
    const double n_path = static_cast<double>(record.accepted.path.size());
    out.accepted.push_back(std::max(0.0, n_path - 1));
    out.committed.push_back(n_path);
    out.verified.push_back(record.decision.chosen);
    const auto took = phases_ms(record.took);
    for (size_t phase = 0; phase < kPhases; ++phase) out.took_ms[phase].push_back(took[phase]);
    out.took_total_ms.push_back(1e-6 * static_cast<double>(record.took.total_ns()));
    out.predicted_total_ms.push_back(1e-6 * static_cast<double>(record.predicted.total_ns()));
    out.n_requests.push_back(record.shared ? record.shared->n_requests : 1);
    out.gap_before.push_back(static_cast<double>(std::max<int64_t>(0, record.seq - expected_seq)));
    out.plain.push_back(record.method == Method::kPlain);
    expected_seq = record.seq + 1;
  }
  out.took_origin = name(store.rounds().back().took.provenance);
  out.predicted_origin = name(store.rounds().back().predicted.provenance);
  return out;
}

std::string rounds_in_sight(int64_t first, int64_t n, int64_t n_rounds) {
  return n >= n_rounds ? "" : fmt::format("rounds {} to {} of {}", first, first + n - 1, n_rounds);
}

std::vector<int64_t> round_ticks(int64_t first, int64_t n, int64_t most) {
  const auto n_at = [&](int64_t step) { return (first + n - 1) / step - (first + step - 1) / step + 1; };
  int64_t step = 1;
  for (int64_t ten = 1; n_at(step) > std::max<int64_t>(1, most); ten *= 10) {
    for (const int64_t times : {1, 2, 5, 10}) {
      step = times * ten;
      if (n_at(step) <= std::max<int64_t>(1, most)) break;
    }
  }
  std::vector<int64_t> ticks;
  for (int64_t round = (first + step - 1) / step * step; round < first + n; round += step) ticks.push_back(round);
  return ticks;
}

std::string round_line(const Timeline& timeline, int64_t round) {
  if (round < 0 || static_cast<size_t>(round) >= timeline.round.size()) return {};
  const auto i = static_cast<size_t>(round);
  std::string line = fmt::format("round {}: ", round);
  line += timeline.plain[i] ? std::string("1 token, plain")
                            : fmt::format("{:.0f} accepted + bonus, {:.0f} verified", timeline.accepted[i],
                                          timeline.verified[i]);
  line += fmt::format(", {:.2f} ms {}", timeline.took_total_ms[i], timeline.took_origin);
  if (timeline.predicted_total_ms[i] > 0) {
    line += fmt::format(", {:.2f} ms {}", timeline.predicted_total_ms[i], timeline.predicted_origin);
  }
  if (timeline.n_requests[i] > 1) line += fmt::format(", the whole pass of {} requests", timeline.n_requests[i]);
  if (timeline.gap_before[i] > 0)
    line += fmt::format(", {:.0f} rounds missing before it", timeline.gap_before[i]);
  return line;
}

}  // namespace draftscope
