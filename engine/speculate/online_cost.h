// Online re-estimation of what passes cost: the profile as prior, what rounds really took as evidence.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/record/cost_curves.h"
#include "engine/record/cost_model.h"

namespace draftscope {

struct OnlineCostOptions {
  int32_t bin_window = 32;      // newest observations kept of every row bin
  int32_t drift_window = 128;   // newest observations of all, for the drift
  double global_pseudo = 4;     // observations that speak for "as profiled" against the others
  double bin_pseudo = 4;        // observations that speak for the global factor against a row bin's own
  double bin_voice = 4;         // observations that a row bin counts for in the global factor at most
  double half_life = 256;       // observations elsewhere after which a row bin counts for half
  double alarm_band = 0.10;     // natural log; at least the profile's own median relative spread is taken
  double alarm_sigmas = 4;      // by which more than half of the drift window lies outside the band
  int32_t alarm_after = 32;     // observations at least: one burst at the start is no drift
  double model_step = 0.03;     // natural log: less than this is no news for update()
};

struct CostDrift {
  double factor = 1;   // seconds per profiled second: the median of the drift window, drawn towards 1
  bool alarm = false;  // the typical pass lies outside the band: raised as below, until half of them are back
};

/// What the estimate is made of: log(measured / profiled) of each pass, by row bin. The global factor is the median
/// of all of them, drawn towards 1; a bin's factor is the median of its own, drawn towards the global one, so that
/// bins without news keep the shape of the profile. No bin speaks for all, and none for ever: where only large passes
/// are seen to be slow, small ones are taken to be less so, get tried, and tell. Bins are the powers of two, nearest
/// in the log; between them the log factor is linear in the log of the rows, so that no step appears which the machine
/// does not have. Steps of plain decoding are a bin that listens and has no voice: no draft came before them, so they say
/// nothing of passes behind one. Medians: fewer than half of the observations, however wild, cannot carry it away. No
/// clock, no randomness.
///
/// The alarm asks whether the median pass has left the band, by a sign test on the drift window: the share of passes
/// outside on one side must exceed one half by alarm_sigmas standard errors. Passes that are slow in bursts, as beside
/// a noisy neighbour, are not independent: the error is that of as many independent passes as the window is worth, from
/// how often neighbours in it change sides. So it takes 32 passes that all agree, or 87 of 128 scattered ones.
class OnlineCost {
 public:
  /// Requires validate(prior) and options above 0.
  explicit OnlineCost(CostModel prior, OnlineCostOptions options = {});

  /// One verify pass behind a draft; constant time and memory. Seconds that are not finite or not positive, rows below 1
  /// and negative contexts are ignored; a ratio beyond kMaxRatio counts as kMaxRatio.
  void observe(int32_t context_len, int32_t rows, double measured_verify_s);
  /// One step of plain decoding, in the same way; ignored where the prior has no plain_s to hold it against.
  void observe_plain(int32_t context_len, double measured_s);

  /// The prior with verify_s and spread_s times the factor of their rows and plain_s times its own; drafter and overhead
  /// stay. validate holds.
  CostModel model() const;
  /// model() where a factor has moved by model_step or more since the last one given out; fits are dear.
  std::optional<CostModel> update();
  CostDrift drift() const;

  const CostModel& prior() const { return prior_; }

  static constexpr double kMaxRatio = 64;

 private:
  /// The newest of a bounded number of values; in order from `oldest` on, around the end.
  struct Recent {
    std::vector<double> values;
    size_t oldest = 0;
    void push(double value, int32_t most);
  };
  struct Bin {
    Recent log_ratios;
    int64_t last_seen = 0;  // n_observed_ then
  };
  /// Natural log.
  struct Factors {
    std::vector<double> bins;  // (n_bins,)
    double plain = 0;
  };
  void count(Bin& bin, double measured_s, double profiled_s);
  /// Whether the share of the drift window where sign * log ratio > band exceeds one half by alarm_sigmas.
  bool median_outside(int sign) const;
  double share_outside(int sign) const;
  /// Observations that a bin counts for by now.
  double weight_of(const Bin& bin) const;
  Factors factors() const;
  CostModel model_of(const Factors& factors) const;

  CostModel prior_;
  CostCurves curves_;
  OnlineCostOptions options_;
  double band_;
  std::vector<Bin> bins_;     // by nearest power of two of the rows
  Bin plain_;
  Recent all_;
  int64_t n_observed_ = 0;
  bool alarm_ = false;
  Factors given_;             // by the last update(); before the first: as profiled
};

}  // namespace draftscope
