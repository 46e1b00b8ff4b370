#include "engine/model/pair.h"

#include <filesystem>
#include <fstream>
#include <utility>

#include "kernels/cpu/cpu_backend.h"
#include "kernels/cuda/cuda_backend.h"

namespace draftscope {
namespace {

std::string folder_name(const std::string& dir) {
  std::filesystem::path path = std::filesystem::path(dir).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  return path.filename().string();
}

Result<std::unique_ptr<Backend>> make_cpu(const PairOptions& options, Precision precision) {
  CpuOptions cpu;
  cpu.precision = precision;
  cpu.n_threads = options.n_threads;
  return make_cpu_backend(cpu);
}

Result<std::unique_ptr<Backend>> make_cuda(const PairOptions& options, Precision precision, std::string& note) {
  Result<std::unique_ptr<Backend>> backend = make_cuda_backend(
      {.precision = precision, .numerics = options.numerics, .cache_folder = options.cache_folder});
  if (backend) note = (*backend)->note();
  return backend;
}

Result<std::unique_ptr<Backend>> make_backend(const PairOptions& options, Precision precision, std::string& note) {
  const bool fastest = options.numerics == Numerics::kFastest;
  if (options.backend == BackendChoice::kCpu && fastest) {
    return fail("numerics fastest: expected a GPU, found the CPU backend, whose numerics are always invariant");
  }
  if (options.backend == BackendChoice::kCpu) return make_cpu(options, precision);
  if (options.backend == BackendChoice::kCuda) return make_cuda(options, precision, note);
  if (Result<std::string> device = cuda_device(); !device) {
    note = device.error() + "; using the CPU" + (fastest ? ", whose numerics are always invariant" : "");
    return make_cpu(options, precision);
  }
  return make_cuda(options, precision, note);
}

Status open_tokenizer(const std::string& dir, Pair& pair) {
  Result<Tokenizer> tokenizer = Tokenizer::open(dir);
  if (!tokenizer) return Error{tokenizer.error()};
  pair.tokenizer = *std::move(tokenizer);
  Result<TokenizerConfig> config = read_tokenizer_config(dir);
  if (!config) return Error{config.error()};
  pair.chat = std::move(config->chat);
  // A folder may name the end here alone.
  if (const std::optional<int32_t> end = pair.tokenizer->id_of(config->eos_token)) pair.eos_ids.push_back(*end);
  return success();
}

}  // namespace

std::string Pair::bytes_of(int32_t token) const {
  return tokenizer ? std::string(tokenizer->bytes_of(token)) : fmt::format("<{}>", token);
}

Result<Pair> open_pair(const PairOptions& options) {
  Precision precision = Precision::kF32;
  if (options.precision) {
    precision = *options.precision;
  } else {
    Result<DType> dtype = weights_dtype(options.target_dir);
    if (!dtype) return Error{dtype.error()};
    precision = *dtype == DType::kBf16 ? Precision::kBf16 : Precision::kF32;
  }
  std::string backend_note;
  Result<std::unique_ptr<Backend>> backend = make_backend(options, precision, backend_note);
  if (!backend) return Error{backend.error()};
  Result<Target> target = Target::open(options.target_dir, **backend);
  if (!target) return Error{target.error()};

  Pair pair{*std::move(backend), *std::move(target), {}, {}, {}, {}, folder_name(options.target_dir), "",
            options.note, std::move(backend_note)};
  pair.eos_ids = pair.target.config().eos_ids;
  if (!options.drafter_dir.empty()) {
    Result<Drafter> drafter = Drafter::open(options.drafter_dir, pair.target);
    if (!drafter) return Error{drafter.error()};
    pair.drafter = *std::move(drafter);
    pair.drafter_name = folder_name(options.drafter_dir);
  }
  if (options.needs_tokenizer) {
    if (Status opened = open_tokenizer(options.target_dir, pair); !opened) return Error{opened.error()};
  }
  return pair;
}

std::string machine_name() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (line.rfind("model name", 0) == 0 && line.find(": ") != std::string::npos) {
      return line.substr(line.find(": ") + 2);
    }
  }
  return "unknown processor";
}

}  // namespace draftscope
