#include "engine/model/config.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <set>

#include "engine/base/file_map.h"
#include "engine/base/json.h"

namespace draftscope {
namespace {

Result<Json> read_json(const std::string& path) {
  Result<std::string> text = read_text(path);
  if (!text) return Error{text.error()};
  return Json::parse(*text, path);
}

// Reads keys one after the other and remembers the first problem, so that a list of keys stays a list.
class Reader {
 public:
  explicit Reader(const Json& json) : json_(json) {}

  int32_t integer(const char* key, int64_t low, int64_t high) {
    const Result<Json> value = json_.at(key);
    if (!value) return remember(value.error()), 0;
    const Result<int64_t> number = value->as_int(low, high);
    if (!number) return remember(number.error()), 0;
    return static_cast<int32_t>(*number);
  }
  int32_t integer_or(const char* key, int64_t low, int64_t high, int32_t otherwise) {
    return json_.has(key) ? integer(key, low, high) : otherwise;
  }
  double number_or(const char* key, double otherwise) {
    if (!json_.has(key)) return otherwise;
    const Result<double> number = json_.at(key)->as_number();
    if (!number) return remember(number.error()), otherwise;
    return *number;
  }
  bool flag_or(const char* key, bool otherwise) {
    if (!json_.has(key)) return otherwise;
    const Result<bool> flag = json_.at(key)->as_bool();
    if (!flag) return remember(flag.error()), otherwise;
    return *flag;
  }
  std::string text_or(const char* key, const std::string& otherwise) {
    if (!json_.has(key)) return otherwise;
    const Result<std::string> text = json_.at(key)->as_string();
    if (!text) return remember(text.error()), otherwise;
    return *text;
  }
  /// An architecture detail that we do not compute: the sentence names the key.
  void refuse(const char* key, const std::string& expected, const std::string& found) {
    remember(fmt::format("{}: {}: not supported: expected {}, found {}", json_.where(), key, expected, found));
  }
  void remember(const std::string& error) {
    if (error_.empty()) error_ = error;
  }
  bool ok() const { return error_.empty(); }
  Error error() const { return Error{error_}; }

 private:
  const Json& json_;
  std::string error_;
};

// rope_theta stands at the top level or, in newer files, in rope_parameters; any scaling is refused.
double read_rope_theta(const Json& json, Reader& reader) {
  double theta = reader.number_or("rope_theta", 1e6);
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    if (!json.has(key)) continue;
    const Result<Json> rope = json.at(key);
    if (!rope->is_object()) reader.refuse(key, "an object or null", "another value");
    Reader inner(*rope);
    const std::string type = inner.text_or("rope_type", inner.text_or("type", "default"));
    if (type != "default") reader.refuse(key, "rope_type \"default\"", '"' + type + '"');
    theta = inner.number_or("rope_theta", theta);
    if (!inner.ok()) reader.remember(inner.error().message);
  }
  if (!(theta > 1) || theta > 1e12) reader.refuse("rope_theta", "a number above 1", fmt::format("{}", theta));
  return theta;
}

LayerConfig read_layer(const Json& json, Reader& reader) {
  LayerConfig layer;
  layer.hidden = reader.integer("hidden_size", 8, 65536);
  layer.intermediate = reader.integer("intermediate_size", 1, 1 << 20);
  layer.n_heads = reader.integer("num_attention_heads", 1, 1024);
  layer.n_kv_heads = reader.integer_or("num_key_value_heads", 1, 1024, layer.n_heads);
  const int32_t even_split = layer.n_heads > 0 ? layer.hidden / layer.n_heads : 0;
  layer.head_dim = reader.integer_or("head_dim", 8, 256, even_split);
  layer.rms_eps = static_cast<float>(reader.number_or("rms_norm_eps", 1e-6));
  layer.rope_theta = read_rope_theta(json, reader);
  if (!reader.ok()) return layer;
  if (layer.head_dim % 8 != 0 || layer.head_dim < 8) {
    reader.refuse("head_dim", "a multiple of 8", fmt::format("{}", layer.head_dim));
  }
  if (layer.n_heads % layer.n_kv_heads != 0) {
    reader.refuse("num_key_value_heads", fmt::format("a divisor of {} heads", layer.n_heads),
                  fmt::format("{}", layer.n_kv_heads));
  }
  if (!(layer.rms_eps >= 0) || layer.rms_eps > 0.1f) {
    reader.refuse("rms_norm_eps", "a number from 0 to 0.1", fmt::format("{}", layer.rms_eps));
  }
  const std::string act = reader.text_or("hidden_act", "silu");
  if (act != "silu") reader.refuse("hidden_act", "\"silu\"", '"' + act + '"');
  if (reader.flag_or("attention_bias", false)) reader.refuse("attention_bias", "false", "true");
  return layer;
}

std::string architecture(const Json& json) {
  if (!json.has("architectures")) return "";
  const Result<Json> list = json.at("architectures");
  if (!list->is_array() || list->size() == 0) return "";
  const Result<std::string> first = list->at(size_t{0}).as_string();
  return first ? *first : "";
}

// One id or a list of ids.
void add_ids(const Json& json, const char* key, int32_t vocab, std::set<int32_t>& ids, Reader& reader) {
  if (!json.has(key)) return;
  const Result<Json> value = json.at(key);
  if (value->is_array()) {
    const Result<std::vector<int32_t>> list = value->as_ints(0, vocab - 1);
    if (!list) return reader.remember(list.error());
    ids.insert(list->begin(), list->end());
  } else {
    const Result<int64_t> id = value->as_int(0, vocab - 1);
    if (!id) return reader.remember(id.error());
    ids.insert(static_cast<int32_t>(*id));
  }
}

// Evenly spaced from layer 1 to layer N - 3 (DFlash's rule when the checkpoint names none).
std::vector<int32_t> default_layer_ids(int32_t n_target_layers, int32_t n_features) {
  if (n_features == 1) return {n_target_layers / 2};
  std::vector<int32_t> ids;
  const double step = static_cast<double>(n_target_layers - 4) / (n_features - 1);
  // Ties round to the even layer, as the reference's language does.
  for (int32_t i = 0; i < n_features; ++i) ids.push_back(static_cast<int32_t>(std::nearbyint(1 + i * step)));
  return ids;
}

void read_windows(const Json& json, DrafterConfig& config, Reader& reader) {
  config.sliding_window.assign(config.n_layers, 0);
  if (!json.has("layer_types")) return;
  const Result<Json> types = json.at("layer_types");
  if (!types->is_array() || types->size() != static_cast<size_t>(config.n_layers)) {
    return reader.refuse("layer_types", fmt::format("{} names", config.n_layers), fmt::format("{}", types->size()));
  }
  for (int32_t i = 0; i < config.n_layers; ++i) {
    const Result<std::string> type = types->at(static_cast<size_t>(i)).as_string();
    if (!type) return reader.remember(type.error());
    if (*type == "sliding_attention") config.sliding_window[i] = reader.integer("sliding_window", 1, 1 << 24);
    else if (*type != "full_attention") return reader.refuse("layer_types", "full or sliding attention", '"' + *type + '"');
  }
}

void read_dflash(const Json& json, const Json& dflash, const TargetConfig& target, DrafterConfig& config,
                 Reader& reader) {
  Reader inner(dflash);
  config.mask_token_id = inner.integer("mask_token_id", 0, target.vocab - 1);
  config.block_size = json.has("block_size") ? reader.integer("block_size", 2, 256)
                                             : inner.integer("block_size", 2, 256);
  for (const char* key : {"causal_head", "conv_kernel_size", "selector_rank"}) {
    if (dflash.has(key) && !(dflash.at(key)->is_bool() && !*dflash.at(key)->as_bool())) {
      inner.refuse(key, "a plain DFlash drafter", "another head");
    }
  }
  for (const char* key : {"input_embedding_scale", "output_multiplier"}) {
    for (Reader* each : {&reader, &inner}) {
      if (each->number_or(key, 1.0) != 1.0) each->refuse(key, "1", "another factor");
    }
  }
  if (inner.number_or("final_logit_softcapping", 0) != 0) inner.refuse("final_logit_softcapping", "none", "a cap");
  if (dflash.has("target_layer_ids")) {
    const Result<std::vector<int32_t>> ids = dflash.at("target_layer_ids")->as_ints(0, target.n_layers - 1);
    if (!ids) inner.remember(ids.error());
    else config.target_layer_ids = *ids;
    if (ids && ids->empty()) inner.refuse("target_layer_ids", "at least one layer", "none");
    if (ids && std::adjacent_find(ids->begin(), ids->end(), std::greater_equal<>()) != ids->end()) {
      inner.refuse("target_layer_ids", "ascending layers", fmt::format("[{}]", fmt::join(*ids, ", ")));
    }
  } else if (config.n_layers == 1 || target.n_layers >= 4) {
    config.target_layer_ids = default_layer_ids(target.n_layers, config.n_layers);
  } else {
    inner.refuse("target_layer_ids", "a list, since the target has under 4 layers", "none");
  }
  if (!inner.ok()) reader.remember(inner.error().message);
}

}  // namespace

Result<TargetConfig> read_target_config(const std::string& dir) {
  const Result<Json> json = read_json(dir + "/config.json");
  if (!json) return Error{json.error()};
  Reader reader(*json);
  const std::string type = reader.text_or("model_type", "");
  if (type != "qwen3") reader.refuse("model_type", "\"qwen3\"", type.empty() ? "none" : '"' + type + '"');
  const std::string arch = architecture(*json);
  if (arch != "Qwen3ForCausalLM") reader.refuse("architectures", "\"Qwen3ForCausalLM\"", '"' + arch + '"');
  TargetConfig config;
  config.layer = read_layer(*json, reader);
  config.n_layers = reader.integer("num_hidden_layers", 1, 512);
  config.vocab = reader.integer("vocab_size", 1, 1 << 22);
  config.max_positions = reader.integer_or("max_position_embeddings", 1, 1 << 24, 32768);
  config.tied_embeddings = reader.flag_or("tie_word_embeddings", false);
  if (reader.flag_or("use_sliding_window", false)) reader.refuse("use_sliding_window", "false", "true");
  std::set<int32_t> eos;
  if (reader.ok()) add_ids(*json, "eos_token_id", config.vocab, eos, reader);
  const std::string generation = dir + "/generation_config.json";
  std::error_code none;
  if (reader.ok() && std::filesystem::exists(generation, none)) {
    const Result<Json> more = read_json(generation);
    if (!more) return Error{more.error()};
    add_ids(*more, "eos_token_id", config.vocab, eos, reader);
  }
  if (!reader.ok()) return reader.error();
  config.eos_ids.assign(eos.begin(), eos.end());
  return config;
}

Result<DrafterConfig> read_drafter_config(const std::string& dir, const TargetConfig& target) {
  const Result<Json> json = read_json(dir + "/config.json");
  if (!json) return Error{json.error()};
  Reader reader(*json);
  const std::string arch = architecture(*json);
  if (arch != "DFlashDraftModel") reader.refuse("architectures", "\"DFlashDraftModel\"", '"' + arch + '"');
  DrafterConfig config;
  config.layer = read_layer(*json, reader);
  config.n_layers = reader.integer("num_hidden_layers", 1, 128);
  config.n_target_layers = reader.integer_or("num_target_layers", 1, 512, target.n_layers);
  const int32_t vocab = reader.integer_or("vocab_size", 1, 1 << 22, target.vocab);
  const Result<Json> dflash = json->at("dflash_config");
  if (!dflash) return Error{dflash.error()};
  read_dflash(*json, *dflash, target, config, reader);
  if (!reader.ok()) return reader.error();
  read_windows(*json, config, reader);
  if (config.layer.hidden != target.layer.hidden) {
    reader.refuse("hidden_size", fmt::format("the target's {}", target.layer.hidden),
                  fmt::format("{}", config.layer.hidden));
  }
  if (config.n_target_layers != target.n_layers) {
    reader.refuse("num_target_layers", fmt::format("the target's {}", target.n_layers),
                  fmt::format("{}", config.n_target_layers));
  }
  if (vocab != target.vocab) {
    reader.refuse("vocab_size", fmt::format("the target's {}", target.vocab), fmt::format("{}", vocab));
  }
  if (!reader.ok()) return reader.error();
  return config;
}

}  // namespace draftscope
