#include "engine/profile_replays.h"

#include <algorithm>
#include <utility>

#include "engine/model/rows.h"
#include "engine/session.h"
#include "engine/spread.h"

namespace draftscope {

std::vector<int32_t> bucket_edges(int32_t max_rows) {
  std::vector<int32_t> rows;
  for (int32_t n = 1; n <= std::min(max_rows, 32); ++n) rows.push_back(n);
  int32_t before = 0;
  for (const int32_t bucket : bucket_rows(max_rows)) {
    for (const int32_t edge : {before + 1, bucket}) {
      if (edge > rows.back()) rows.push_back(edge);
    }
    before = bucket;
  }
  return rows;
}

std::optional<ContextCost> replay_context(ProfilePasses& passes, bool has_drafter, int32_t n_repeats,
                                          const std::vector<int32_t>& rows, const std::function<bool()>& keep_going) {
  const int32_t max_nodes = rows.back() - 1;
  const std::vector<int32_t> buckets = bucket_rows(rows.back());
  ContextCost cost;
  if (has_drafter) cost.draft_s = spread_of(passes.replay_draft(max_nodes, n_repeats)).median_s;
  passes.grow(max_nodes);
  int32_t measured = 0;  // rows of the last bucket looked at
  Spread spread{};
  for (const int32_t n : rows) {
    if (!keep_going()) return std::nullopt;
    if (n > measured) {
      measured = *std::lower_bound(buckets.begin(), buckets.end(), n);
      spread = spread_of(passes.replay_verify(std::min(measured - 1, passes.n_nodes()), n_repeats));
    }
    cost.verify_s.push_back(spread.median_s);
    cost.spread_s.push_back(spread.half_iqr_s);
  }
  cost.plain_s = cost.verify_s.front();  // replays follow one another, no drafter between
  return cost;
}

std::optional<double> round_overhead_s(const Pair& pair, int32_t context, int32_t max_nodes, int32_t n_rounds) {
  std::vector<int32_t> prompt(static_cast<size_t>(context));
  for (size_t i = 0; i < prompt.size(); ++i) {
    prompt[i] = static_cast<int32_t>(static_cast<int64_t>(i) * 7919 % pair.target.config().vocab);
  }
  SessionOptions options;
  options.rule = {pair.drafter ? Method::kDdtree : Method::kPlain, max_nodes, max_nodes};
  options.max_tokens = (n_rounds + 2) * (pair.drafter ? pair.drafter->config().block_size : 1);
  options.stop_ids.emplace();
  options.whole_curves = false;
  Result<Session> session = Session::start(pair, prompt, std::move(options));
  DS_CHECK(session.ok(), "{}", session.ok() ? "" : session.error());
  std::vector<double> seconds;
  for (int32_t i = 0; i < n_rounds + 2 && !session->done(); ++i) {
    const StageTimes took = session->round().took;
    if (i >= 2) seconds.push_back(static_cast<double>(took.grow_ns + took.accept_ns + took.commit_ns) * 1e-9);
  }
  if (seconds.empty()) return std::nullopt;
  return spread_of(std::move(seconds)).median_s;
}

}  // namespace draftscope
