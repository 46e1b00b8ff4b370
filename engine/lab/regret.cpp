#include "engine/lab/regret.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/speculate/decide.h"

namespace draftscope {
namespace {

/// Candidates of one position, as many as the policies may verify, timed by the true cost.
class Hindsight {
 public:
  /// room: nodes that can be accepted before the text ends.
  Hindsight(const PreparedPosition& here, int32_t max_nodes, int32_t room, const RoundCost& truth)
      : here_(here), last_(std::min(here.n_candidates(), max_nodes)), room_(room), truth_(truth) {}

  std::span<const double> expected_tokens() const {
    return std::span(here_.expected_tokens).first(static_cast<size_t>(last_) + 1);
  }
  double theta(int32_t n) const { return (1.0 + std::min(here_.accepted_with(n), room_)) / truth_.total_s(n); }
  double best_theta() const {
    double best = 0;
    int32_t accepted = 0;
    for (int32_t n = 0; n <= last_; ++n) {
      if (static_cast<size_t>(accepted) < here_.enters.size() && here_.enters[accepted] == n) ++accepted;
      best = std::max(best, (1.0 + std::min(accepted, room_)) / truth_.total_s(n));
    }
    return best;
  }

 private:
  const PreparedPosition& here_;
  int32_t last_, room_;
  const RoundCost& truth_;
};

// Plain decoding makes no drafter pass and grows nothing.
double seconds_of(Method method, const RoundCost& cost, int32_t n) {
  return method == Method::kPlain ? cost.plain_s : cost.total_s(n);
}

void add_round(const SimulatedRun& run, const SimulatedRound& round, const RegretFrame& frame, LabRegret& regret) {
  const auto at = static_cast<size_t>(round.position);
  const RoundCost assumed = frame.assumed.at(round.context_len, frame.max_nodes);
  const RoundCost truth = frame.truth.at(round.context_len, frame.max_nodes);
  const int32_t room = frame.best_first.n_tokens() - round.position - 1;
  const Hindsight best_first(frame.best_first.at[at], frame.max_nodes, room, truth);
  const Hindsight corrected(frame.corrected.at[at], frame.max_nodes, room, truth);

  const double realised = (1.0 + round.accepted) / seconds_of(run.method, truth, round.chosen);
  const double searched = best_first.theta(exact_best(best_first.expected_tokens(), assumed));
  const double timed = best_first.theta(exact_best(best_first.expected_tokens(), truth));
  const double calibrated = corrected.theta(exact_best(corrected.expected_tokens(), truth));
  const double oracle = std::max(best_first.best_theta(), corrected.best_theta());
  regret.position.push_back(round.position);
  regret.search.push_back(searched - realised);
  regret.cost.push_back(timed - searched);
  regret.calibration.push_back(calibrated - timed);
  regret.luck.push_back(oracle - calibrated);
  regret.oracle.push_back(oracle);
  regret.realised.push_back(realised);
}

}  // namespace

LabRegret regret(const SimulatedRun& run, const RegretFrame& frame) {
  DS_CHECK(frame.best_first.n_tokens() == frame.corrected.n_tokens());
  DS_CHECK(frame.max_nodes <= std::min(frame.best_first.max_nodes, frame.corrected.max_nodes));
  LabRegret regret;
  regret.method = run.method;
  for (const SimulatedRound& round : run.rounds) add_round(run, round, frame, regret);
  return regret;
}

}  // namespace draftscope
