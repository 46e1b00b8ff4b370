// Every round as a bar: what it committed, where its time went, and where the model said it would go.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "ui/store.h"

namespace draftscope {

inline constexpr size_t kPhases = 5;
inline constexpr std::array<const char*, kPhases> kPhaseNames = {"draft", "grow", "verify", "accept",
                                                                 "commit"};

/// Milliseconds per phase, in the order of kPhaseNames.
std::array<double, kPhases> phases_ms(const StageTimes& times);

/// Struct of arrays, (n_rounds,) each, ready for plotting; index = index into RecordStore::rounds().
struct Timeline {
  std::vector<double> round, accepted, committed, verified;  // accepted, committed: as far as the text kept them
  std::array<std::vector<double>, kPhases> took_ms;
  std::vector<double> took_total_ms, predicted_total_ms;  // predicted: 0 when there is no prediction
  std::vector<int32_t> n_requests;                        // that shared the pass and its times; 1: alone
  std::vector<double> gap_before;                         // rounds missing before this one
  std::vector<bool> plain;                                // nothing was drafted, so there is no bonus either
  int64_t n_behind = 0;                                   // committed by the last round behind the end of the text
  std::vector<Provenance> took_origin, predicted_origin;
  std::string predicted_origins;                          // of all rounds
  std::string empty_reason;
};

Timeline timeline(const RecordStore& store);

/// Where the rounds' predictions come from: "predicted", or "illustrative or predicted" where the costs were changed between
/// rounds; empty when nothing was predicted.
std::string predicted_origins(const RecordStore& store);

/// "rounds 784 to 908 of 909"; empty where all of them are in sight.
std::string rounds_in_sight(int64_t first, int64_t n, int64_t n_rounds);
/// Round numbers to write below `n` rounds from `first` on: at most `most` (at least 1), in steps of 1, 2 or 5
/// and tens of these.
std::vector<int64_t> round_ticks(int64_t first, int64_t n, int64_t most);

/// "round 12: 5 accepted + bonus, 64 verified, 11.2 ms measured, 10.9 ms predicted". Empty when out of range.
std::string round_line(const Timeline& timeline, int64_t round);

}  // namespace draftscope
