#include "app/cost_tools.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "app/cost_file.h"
#include "app/options.h"
#include "app/profile_cache.h"
#include "engine/speculate/cost.h"
#include "engine/speculate/knees.h"
#include "engine/speculate/machines.h"

namespace draftscope {
namespace fs = std::filesystem;
namespace {

void add_session_presets(const CostModel& session, std::vector<CostPreset>& presets) {
  const char* group = "this session";
  const Provenance own = session.kind == CostKind::kMeasured ? Provenance::kMeasured : Provenance::kImported;
  presets.push_back({group, session.label.empty() ? "as it began" : session.label, session, own});
  if (!validate(session)) return;
  presets.push_back({group, "convex fit", convex_fit(session), Provenance::kDerived});
  presets.push_back({group, "affine fit", affine_fit(session), Provenance::kDerived});
  presets.push_back({group, "roofline fit", roofline_fit(session), Provenance::kDerived});
  for (const int32_t tile : {16, 64}) {
    CostModel stairs = staircase(session, tile);
    stairs.label = fmt::format("staircase of {} rows, from {}", tile, session.label);
    presets.push_back(
        {group, fmt::format("staircase of {} rows", tile), std::move(stairs), Provenance::kDerived});
  }
}

/// A published curve's name among its neighbours.
std::string short_name(const CostModel& model) {
  return fmt::format("{} on {}, {}", model.model, model.machine, name(model.kind));
}

/// Files that cannot be read are left out: the window can do without them, and their tests say what is wrong.
void add_published(std::vector<CostPreset>& presets) {
  const Result<std::string> folder = find_asset("cost");
  if (!folder) return;
  std::vector<std::string> paths;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(*folder, error)) {
    if (entry.path().extension() == ".json") paths.push_back(entry.path().string());
  }
  std::ranges::sort(paths);
  for (const std::string& path : paths) {
    Result<std::vector<CostModel>> models = read_costs(path);
    if (!models) continue;
    for (CostModel& model : *models) {
      const std::string label = short_name(model);
      presets.push_back({"published", label, std::move(model), Provenance::kImported});
    }
  }
}

void add_machines(std::vector<CostPreset>& presets) {
  for (const Machine& machine : machines()) {
    for (const ModelShape& shape : model_shapes()) {
      for (const Launch launch : {Launch::kNone, Launch::kGraph, Launch::kEager}) {
        presets.push_back({fmt::format("{}, data sheet", machine.name),
                           fmt::format("{}, {}", shape.name, name(launch)),
                           machine_cost(machine, shape, launch), Provenance::kIllustrative});
      }
    }
  }
}

}  // namespace

std::vector<CostPreset> cost_presets(const CostModel& session) {
  std::vector<CostPreset> presets;
  add_session_presets(session, presets);
  add_published(presets);
  add_machines(presets);
  return presets;
}

Status export_cost(const std::string& path, const CostModel& cost) {
  if (const Status valid = validate(cost); !valid) return valid;
  std::error_code error;
  if (fs::exists(path, error)) {
    const Result<std::vector<CostModel>> there = read_costs(path);
    if (!there)
      return fail("{}: expected a new file or an older cost curve to replace, found something else", path);
  }
  return save_cost(cost, path);
}

CostTools cost_tools() {
  CostTools tools;
  tools.presets = cost_presets;
  tools.knees = [](const CostModel& cost, int32_t context_row) {
    return validate(cost) ? knees(cost, context_row) : std::vector<CostKnee>{};
  };
  tools.load_costs = read_costs;
  tools.save_cost = export_cost;
  return tools;
}

}  // namespace draftscope
