#include "ui/view/batch_track.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "engine/base/utf8.h"
#include "ui/view/decoded_tokens.h"

namespace draftscope {
namespace {

/// Every pass of the store by its number; each record of a pass says the same of it.
std::map<int64_t, const RoundRecord*> passes_of(const RecordStore& store) {
  std::map<int64_t, const RoundRecord*> passes;
  for (const RequestHistory& request : store.requests()) {
    for (const RoundRecord& round : request.rounds) {
      if (round.shared) passes.emplace(round.shared->pass, &round);
    }
  }
  return passes;
}

double nodes_each(const SharedPass& pass) {
  return static_cast<double>(pass.n_rows - pass.n_requests) / pass.n_requests;
}

/// What a request committed behind its end or limit is nobody's output: neither its lane's, nor its last pass's.
void take_off_surplus(const RequestHistory& request, BatchLane& lane, BatchTrack& track, BudgetsBySize& sizes) {
  const auto n_tokens = static_cast<int32_t>(std::min<int64_t>(behind_the_end(request), lane.tokens.back()));
  const auto pass = static_cast<size_t>(lane.pass.back());
  lane.tokens.back() -= n_tokens;
  track.n_tokens[pass] -= n_tokens;
  sizes.take_off(track.n_requests[pass], n_tokens);
}

void add_lanes(const RecordStore& store, const std::map<int64_t, int32_t>& index_of, BatchTrack& track,
               BudgetsBySize& sizes) {
  std::vector<int32_t> free_from;  // (n_rows,) first pass index at which a row is free
  for (size_t r = 0; r < store.requests().size(); ++r) {
    BatchLane lane;
    lane.request = r;
    for (const RoundRecord& round : store.requests()[r].rounds) {
      if (!round.shared) continue;
      lane.session = round.session;
      lane.pass.push_back(index_of.at(round.shared->pass));
      lane.nodes.push_back(round.decision.chosen);
      lane.tokens.push_back(static_cast<int32_t>(round.accepted.path.size()));
      track.most_nodes = std::max(track.most_nodes, round.decision.chosen);
    }
    if (lane.pass.empty()) continue;
    take_off_surplus(store.requests()[r], lane, track, sizes);
    const auto row = std::ranges::find_if(free_from, [&](int32_t pass) { return pass <= lane.pass.front(); });
    lane.row = static_cast<int32_t>(row - free_from.begin());
    if (row == free_from.end()) free_from.push_back(0);
    free_from[static_cast<size_t>(lane.row)] = lane.pass.back() + 1;
    track.lanes.push_back(std::move(lane));
  }
  track.n_rows = static_cast<int32_t>(free_from.size());
}

}  // namespace

void BudgetsBySize::add(const RoundRecord& record) {
  const SharedPass& pass = *record.shared;
  Sums& sums = sums_[pass.n_requests];
  ++sums.n_passes;
  sums.nodes += pass.n_rows - pass.n_requests;
  sums.tokens += pass.n_tokens;
  sums.seconds += 1e-9 * static_cast<double>(record.took.total_ns());
}

void BudgetsBySize::take_off(int32_t n_requests, int64_t n_tokens) { sums_[n_requests].tokens -= static_cast<double>(n_tokens); }

std::vector<BudgetAtSize> BudgetsBySize::figures() const {
  std::vector<BudgetAtSize> figures;
  for (const auto& [n_requests, sums] : sums_) {
    const double n_rounds = static_cast<double>(sums.n_passes) * n_requests;
    figures.push_back({n_requests, sums.n_passes, sums.nodes / n_rounds, sums.tokens / n_rounds,
                       sums.seconds > 0 ? sums.tokens / sums.seconds : 0});
  }
  return figures;
}

BatchTrack batch_track(const RecordStore& store) {
  BatchTrack track;
  const std::map<int64_t, const RoundRecord*> passes = passes_of(store);
  if (passes.empty()) {
    track.empty_reason = store.info() && store.info()->n_slots > 0
                             ? "No rounds yet: requests appear here as they are decoded."
                             : "One generation at a time: its rounds share no budget. draftscope batch --trace FILE makes a "
                               "recording of several.";
    return track;
  }
  BudgetsBySize sizes;
  std::map<int64_t, int32_t> index_of;  // numbers may have gaps, and be anything in a damaged file
  for (const auto& [number, round] : passes) {
    const SharedPass& pass = *round->shared;
    index_of.emplace(number, track.n_passes());
    track.number.push_back(number);
    sizes.add(*round);
    track.n_requests.push_back(pass.n_requests);
    track.n_tokens.push_back(pass.n_tokens);
    track.nodes_each.push_back(nodes_each(pass));
    track.took_ms.push_back(1e-6 * static_cast<double>(round->took.total_ns()));
  }
  track.took_origin = name(passes.begin()->second->took.provenance);
  add_lanes(store, index_of, track, sizes);
  track.by_size = sizes.figures();
  return track;
}

std::string pass_line(const BatchTrack& track, int32_t pass) {
  if (pass < 0 || pass >= track.n_passes()) return {};
  const auto i = static_cast<size_t>(pass);
  return fmt::format("pass {}: {} request{} in flight, {:.1f} nodes each, {} token{}, {:.1f} ms {}", pass,
                     track.n_requests[i], track.n_requests[i] == 1 ? "" : "s", track.nodes_each[i], track.n_tokens[i],
                     track.n_tokens[i] == 1 ? "" : "s", track.took_ms[i], track.took_origin);
}

std::string lane_line(const RecordStore& store, const BatchLane& lane, int32_t pass) {
  std::string line = fmt::format("request {}", lane.request + 1);
  if (const auto at = std::ranges::find(lane.pass, pass); at != lane.pass.end()) {
    const auto i = static_cast<size_t>(at - lane.pass.begin());
    line += fmt::format(": {} node{}, {} token{}", lane.nodes[i], lane.nodes[i] == 1 ? "" : "s", lane.tokens[i],
                        lane.tokens[i] == 1 ? "" : "s");
  }
  constexpr size_t kMost = 60;  // bytes of the prompt
  const std::optional<SessionInfo>& info = store.requests()[lane.request].info;
  if (!info || info->prompt_utf8.empty()) return line;
  const std::string_view start = std::string_view(info->prompt_utf8).substr(0, kMost);
  const bool whole = start.size() == info->prompt_utf8.size();
  return line + "; " + std::string(start.substr(0, whole_characters(start))) + (whole ? "" : "...");
}

int32_t pass_of(const BatchTrack& track, const RoundRecord& record) {
  if (!record.shared) return -1;
  const auto at = std::ranges::lower_bound(track.number, record.shared->pass);
  return at == track.number.end() ? -1 : static_cast<int32_t>(at - track.number.begin());
}

int64_t round_at_pass(const RequestHistory& request, int64_t number) {
  const auto n_rounds = static_cast<int64_t>(request.rounds.size());
  const auto at = std::ranges::find_if(
      request.rounds, [&](const RoundRecord& round) { return round.shared && round.shared->pass >= number; });
  return std::clamp<int64_t>(at - request.rounds.begin(), 0, std::max<int64_t>(0, n_rounds - 1));
}

}  // namespace draftscope
