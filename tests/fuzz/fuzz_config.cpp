// Any bytes as config.json of a target (up to the first zero byte) and of a drafter for it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/model/config.h"
#include "tests/temp_folder.h"

namespace draftscope {
namespace {

const TempFolder& folder() {
  static const TempFolder only;
  return only;
}

// What the forward pass relies on without asking again.
void check_layer(const LayerConfig& layer) {
  DS_CHECK(layer.hidden > 0 && layer.intermediate > 0 && layer.n_kv_heads > 0 &&
           layer.n_heads % layer.n_kv_heads == 0);
  DS_CHECK(layer.head_dim >= 8 && layer.head_dim <= 256 && layer.head_dim % 8 == 0);
  DS_CHECK(layer.rms_eps >= 0 && layer.rope_theta > 1);
}

TargetConfig known_target() {
  TargetConfig target;
  target.layer.hidden = 64;
  target.n_layers = 6;
  target.vocab = 1000;
  return target;
}

}  // namespace
}  // namespace draftscope

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace draftscope;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view first = input.substr(0, input.find('\0'));
  const std::string_view second = first.size() < input.size() ? input.substr(first.size() + 1) : input;
  folder().write("config.json", first);
  const auto target = read_target_config(folder().path());
  if (target.ok()) {
    check_layer(target->layer);
    for (const int32_t id : target->eos_ids) DS_CHECK(id >= 0 && id < target->vocab);
  }
  folder().write("config.json", second);
  const TargetConfig reference = target.ok() ? *target : known_target();
  const auto drafter = read_drafter_config(folder().path(), reference);
  if (drafter.ok()) {
    check_layer(drafter->layer);
    DS_CHECK(drafter->block_size >= 2 && drafter->mask_token_id >= 0 &&
             drafter->mask_token_id < reference.vocab);
    DS_CHECK(!drafter->target_layer_ids.empty());
    for (const int32_t id : drafter->target_layer_ids) DS_CHECK(id >= 0 && id < reference.n_layers);
    DS_CHECK(drafter->sliding_window.size() == static_cast<size_t>(drafter->n_layers));
  }
  return 0;
}
