// info: what a machine, a model folder, a trace or a cost file is.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "app/commands.h"
#include "app/cost_file.h"
#include "app/options.h"
#include "app/profile_cache.h"
#include "app/round_text.h"
#include "engine/record/trace_file.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/cuda/cuda_backend.h"

namespace draftscope {
namespace {

void print_machine() {
  std::printf("machine    %s\n", machine_name().c_str());
  std::string paths;
  for (const CpuPath path : supported_cpu_paths()) paths += std::string(paths.empty() ? "" : ", ") + name(path);
  std::printf("cpu paths  %s (the last is used)\n", paths.c_str());
  const Result<std::string> gpu = cuda_device();
  std::printf("gpu        %s\n", gpu ? gpu->c_str() : gpu.error().c_str());
  std::printf("profiles   %s\n", cache_folder().empty() ? "no cache folder" : (cache_folder() + "/profiles").c_str());
}

void print_layers(const char* what, const LayerConfig& layer, int32_t n_layers, int64_t n_bytes) {
  std::printf("%s    %d layers, hidden %d, intermediate %d, %d heads on %d of %d columns, %.1f MB as packed\n", what, n_layers,
              layer.hidden, layer.intermediate, layer.n_heads, layer.n_kv_heads, layer.head_dim,
              static_cast<double>(n_bytes) / 1e6);
}

int print_models(const ModelOptions& options) {
  Result<Pair> pair = open_models(options);
  if (!pair) return report(pair.error());
  const TargetConfig& target = pair->target.config();
  std::printf("pair       %s + %s%s\n", pair->target_name.c_str(),
              pair->drafter ? pair->drafter_name.c_str() : "no drafter", pair->note.empty() ? "" : " (small demo pair)");
  std::printf("backend    %s, %s\n", pair->backend->describe().c_str(),
              pair->backend->precision() == Precision::kBf16 ? "bf16 activations" : "float32 activations");
  print_layers("target ", target.layer, target.n_layers, pair->target.n_weight_bytes());
  std::printf("           vocabulary %d, context %d tokens\n", target.vocab, target.max_positions);
  if (pair->drafter) {
    const DrafterConfig& drafter = pair->drafter->config();
    print_layers("drafter", drafter.layer, drafter.n_layers, pair->drafter->n_weight_bytes());
    std::printf("           block of %d, reads target layers %s\n", drafter.block_size,
                fmt::format("{}", fmt::join(drafter.target_layer_ids, ", ")).c_str());
  }
  return 0;
}

int print_cost(const std::string& file) {
  Result<std::vector<CostModel>> models = read_costs(file);
  if (!models) return report(models.error());
  for (size_t i = 0; i < models->size(); ++i) {  // numbered as --cost FILE:N counts them
    const CostModel& cost = (*models)[i];
    if (models->size() > 1) std::printf("%zu. ", i + 1);
    std::printf("%s: %s; %s; %zu contexts, rows %d to %d%s; from: %s\n", cost.label.c_str(), name(cost.kind),
                (cost.model + " on " + cost.machine).c_str(), cost.context.size(), cost.rows.front(), cost.rows.back(),
                cost.plain_s.empty() ? "" : ", plain step measured", cost.source.c_str());
  }
  return 0;
}

int print_trace(const std::string& path) {
  Result<TraceReader> reader = TraceReader::open(path);
  if (!reader) return report(reader.error());
  std::printf("trace      %zu frames%s\n", reader->size(), reader->complete() ? "" : (", " + reader->note()).c_str());
  int status = 0;
  for (size_t i = 0; i < reader->size(); ++i) {
    Result<Message> message = reader->message(i);
    if (!message) {  // the frames behind a damaged one are whole
      status = report(message.error());
      continue;
    }
    if (const auto* info = std::get_if<SessionInfo>(&*message)) std::fputs(info_text(*info).c_str(), stdout);
    if (const auto* end = std::get_if<SessionEnd>(&*message)) std::fputs(end_text(*end).c_str(), stdout);
  }
  return status;
}

}  // namespace

Run bind_info(CLI::App& app) {
  auto models = std::make_shared<ModelOptions>();
  auto file = std::make_shared<std::string>();
  add_model_options(app, *models);
  app.add_option("file", *file, "a trace, a cost file or a target's folder; default: the machine and the pair")->type_name("FILE");
  return [models, file] {
    if (std::filesystem::is_directory(*file)) {
      models->target_dir = *file;
      return print_models(*models);
    }
    const std::filesystem::path path = cost_file_name(*file).path;
    if (!file->empty()) return path.extension() == ".json" ? print_cost(*file) : print_trace(*file);
    print_machine();
    return print_models(*models);
  };
}

}  // namespace draftscope
