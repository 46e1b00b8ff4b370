#include "ui/view/timeline.h"

#include <fmt/format.h>

#include <algorithm>

#include "ui/view/decoded_tokens.h"

namespace draftscope {
namespace {

/// "1 token, plain", "5 accepted + bonus, 64 verified"; at the end of a text what lies behind it.
std::string tokens_words(const Timeline& timeline, size_t i) {
  const double committed = timeline.committed[i], accepted = timeline.accepted[i];
  if (timeline.plain[i]) return fmt::format("{:.0f} token{}, plain", committed, committed == 1 ? "" : "s");
  std::string words = fmt::format("{:.0f} accepted", accepted);
  if (committed > accepted) words += " + bonus";
  if (timeline.n_behind > 0 && i + 1 == timeline.round.size())
    words += fmt::format(", {} more behind the end of the text", timeline.n_behind);
  return words + fmt::format(", {:.0f} verified", timeline.verified[i]);
}

}  // namespace

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
  const RequestHistory& request = store.requests()[store.shown_request()];
  int64_t expected_seq = 0;
  for (size_t i = 0; i < request.rounds.size(); ++i) {
    const RoundRecord& record = request.rounds[i];
    const int64_t kept = kept_tokens(request, i);
    out.round.push_back(static_cast<double>(i));
    out.accepted.push_back(static_cast<double>(kept_drafts(record, kept)));
    out.committed.push_back(static_cast<double>(kept));
    out.verified.push_back(record.decision.chosen);
    const auto took = phases_ms(record.took);
    for (size_t phase = 0; phase < kPhases; ++phase) out.took_ms[phase].push_back(took[phase]);
    out.took_origin.push_back(record.took.provenance);
    out.predicted_origin.push_back(record.predicted.provenance);
    out.took_total_ms.push_back(1e-6 * static_cast<double>(record.took.total_ns()));
    out.predicted_total_ms.push_back(1e-6 * static_cast<double>(record.predicted.total_ns()));
    out.n_requests.push_back(record.shared ? record.shared->n_requests : 1);
    out.gap_before.push_back(static_cast<double>(std::max<int64_t>(0, record.seq - expected_seq)));
    out.plain.push_back(record.method == Method::kPlain);
    expected_seq = record.seq + 1;
  }
  out.n_behind = behind_the_end(request);
  out.predicted_origins = predicted_origins(store);
  return out;
}

std::string predicted_origins(const RecordStore& store) {
  std::vector<Provenance> found;
  for (const RoundRecord& record : store.rounds()) {
    const Provenance origin = record.predicted.provenance;
    if (record.predicted.total_ns() > 0 && std::ranges::find(found, origin) == found.end()) found.push_back(origin);
  }
  std::string words;
  for (const Provenance origin : found) words += (words.empty() ? "" : " or ") + std::string(name(origin));
  return words;
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
  line += tokens_words(timeline, i);
  line += fmt::format(", {:.2f} ms {}", timeline.took_total_ms[i], name(timeline.took_origin[i]));
  if (timeline.predicted_total_ms[i] > 0) {
    line += fmt::format(", {:.2f} ms {}", timeline.predicted_total_ms[i], name(timeline.predicted_origin[i]));
  }
  if (timeline.n_requests[i] > 1) line += fmt::format(", the whole pass of {} requests", timeline.n_requests[i]);
  if (timeline.gap_before[i] > 0)
    line += fmt::format(", {:.0f} rounds missing before it", timeline.gap_before[i]);
  return line;
}

}  // namespace draftscope
