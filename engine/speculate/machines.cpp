#include "engine/speculate/machines.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

namespace draftscope {
namespace {

constexpr Machine kMachines[] = {
    {"A800", 2.039e12, 312e12, "NVIDIA A800 80GB SXM data sheet"},
    {"A100", 2.039e12, 312e12, "NVIDIA A100 80GB SXM data sheet"},
    {"H100", 3.35e12, 989.4e12, "NVIDIA H100 SXM data sheet"},
    {"H200", 4.8e12, 989.4e12, "NVIDIA H200 SXM data sheet"},
    {"RTX 4090", 1.008e12, 165.2e12, "NVIDIA Ada architecture paper"},
    {"RTX 5090", 1.792e12, 209.5e12, "NVIDIA RTX Blackwell architecture paper"},
};

// Bytes of the bf16 weights by their published shapes; KV 112, 144 and 144 KiB per token.
constexpr ModelShape kShapes[] = {
    {"Qwen3-0.6B", 28, 1.19e9, 112 * 1024.0, 0.48e9},
    {"Qwen3-4B", 36, 8.04e9, 144 * 1024.0, 1.85e9},
    {"Qwen3-8B", 36, 15.14e9, 144 * 1024.0, 3.34e9},
};

constexpr double kGraphKernel_s = 1.3e-6;  // published for an H100, one kernel after another in a graph
constexpr double kKernelsPerLayer = 9;
// The published A800 curve of the 8B model starts at 34.5 ms; its weights take 7.4 ms there; 36 layers.
constexpr double kEagerLayer_s = 0.75e-3;
constexpr int32_t kMostRows = 1024;

const char* floor_source(Launch launch) {
  switch (launch) {
    case Launch::kNone:
      return "none";
    case Launch::kGraph:
      return "9 kernels a layer at 1.3 us (published for graphs on an H100)";
    case Launch::kEager:
      return "0.75 ms a layer (derived from the published A800 curve, arXiv 2606.01813)";
  }
  return "unknown";
}

// Powers of two, and on both sides of every row count at which arithmetic takes over from memory.
std::vector<int32_t> row_axis(const Roofline& roof, const std::vector<int32_t>& contexts) {
  std::vector<int32_t> rows;
  for (int32_t row = 1; row <= kMostRows; row *= 2) rows.push_back(row);
  for (const int32_t context : contexts) {
    const double memory_s = (roof.weight_bytes + roof.kv_bytes_per_token * context) / roof.bytes_per_s;
    const double knee = std::floor(memory_s * roof.flops_per_s / roof.flops_per_row);
    for (const double row : {knee, knee + 1}) {
      if (row >= 1 && row <= kMostRows) rows.push_back(static_cast<int32_t>(row));
    }
  }
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return rows;
}

}  // namespace

const char* name(Launch launch) {
  switch (launch) {
    case Launch::kNone:
      return "no launch time";
    case Launch::kGraph:
      return "graphs";
    case Launch::kEager:
      return "eager launches";
  }
  return "unknown";
}

std::span<const Machine> machines() { return kMachines; }
std::span<const ModelShape> model_shapes() { return kShapes; }

double launch_floor_s(const ModelShape& shape, Launch launch) {
  switch (launch) {
    case Launch::kNone:
      return 0;
    case Launch::kGraph:
      return shape.n_layers * kKernelsPerLayer * kGraphKernel_s;
    case Launch::kEager:
      return shape.n_layers * kEagerLayer_s;
  }
  return 0;
}

CostModel machine_cost(const Machine& machine, const ModelShape& shape, Launch launch) {
  Roofline roof;
  roof.weight_bytes = shape.weight_bytes;
  roof.kv_bytes_per_token = shape.kv_bytes_per_token;
  roof.flops_per_row = shape.weight_bytes;  // two operations for every weight of two bytes
  roof.bytes_per_s = machine.bytes_per_s;
  roof.flops_per_s = machine.flops_per_s;
  roof.launch_floor_s = launch_floor_s(shape, launch);
  roof.draft_s = shape.draft_bytes / machine.bytes_per_s;
  const std::vector<int32_t> contexts = {0, 1024, 2048, 4096, 8192, 16384, 32768};
  Result<CostModel> model = roofline(roof, contexts, row_axis(roof, contexts));
  DS_CHECK(model.ok(), "{}", model.ok() ? "" : model.error());
  model->model = shape.name;
  model->machine = machine.name;
  model->backend = fmt::format("roofline, {}", name(launch));
  model->label = fmt::format("{} on {}, {}", shape.name, machine.name, name(launch));
  model->source = fmt::format(
      "illustrative roofline, not measured: {}, {:.4g} TB/s and {:.4g} TFLOP/s bf16; launches: {}",
      machine.source, machine.bytes_per_s * 1e-12, machine.flops_per_s * 1e-12, floor_source(launch));
  return *std::move(model);
}

}  // namespace draftscope
