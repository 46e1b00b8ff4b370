// Machines and models in numbers from data sheets: what a pass would cost there, never what it was measured
// to cost.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/speculate/cost.h"

namespace draftscope {

struct Machine {
  const char* name;
  double bytes_per_s;  // memory bandwidth of the data sheet
  double flops_per_s;  // dense bf16 with f32 sums, no sparsity, of the data sheet
  const char* source;
};

/// The shape of a bf16 target and of its DFlash drafter.
struct ModelShape {
  const char* name;
  int32_t n_layers;
  double weight_bytes;        // read by every pass, head included, embedding left out
  double kv_bytes_per_token;  // keys and values of all layers
  double draft_bytes;         // read by one drafter block: its five layers and the shared head
};

/// Host time in front of the kernels of a pass.
enum class Launch : uint8_t { kNone, kGraph, kEager };
const char* name(Launch launch);

std::span<const Machine> machines();
std::span<const ModelShape> model_shapes();

/// Seconds of host time per pass: none; 9 kernels a layer at 1.3 us in a captured graph; or what the
/// published eager curves show beyond their memory time, per layer.
double launch_floor_s(const ModelShape& shape, Launch launch);

/// roofline() on contexts 0 to 32,768 and rows 1 to 1,024, with the rows at which arithmetic takes over among
/// them. Label and source name every number's origin.
CostModel machine_cost(const Machine& machine, const ModelShape& shape, Launch launch);

}  // namespace draftscope
