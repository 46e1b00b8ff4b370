// Command: the closed list of things a front end may ask of the engine, applied between rounds.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "engine/record/correction.h"
#include "engine/record/round.h"

namespace draftscope {

struct StartCommand {
  std::string prompt_utf8;
  Method method = Method::kExact;
  int32_t budget = 64;        // ddtree, spine
  int32_t max_tokens = 256;
  float temperature = 0;
  uint64_t seed = 0;
};
struct StopCommand {};          // ends the generation; its records stay
struct PauseCommand {};
struct ResumeCommand {};
struct StepCommand {};          // one round, then paused
struct SetMethodCommand { Method method; int32_t budget; };
struct SetCostCommand { CostModel cost; };
struct SetCorrectionCommand { Correction correction; std::string source; };  // what Method::kCalibrated corrects by
struct SetSpeedCommand { double rounds_per_s; };  // 0: as fast as possible
struct StopMeasuringCommand {};  // ends what is measured before the first generation; that one then begins
struct QuitCommand {};

using Command = std::variant<StartCommand, StopCommand, PauseCommand, ResumeCommand, StepCommand,
                             SetMethodCommand, SetCostCommand, SetCorrectionCommand, SetSpeedCommand, StopMeasuringCommand,
                             QuitCommand>;

}  // namespace draftscope
