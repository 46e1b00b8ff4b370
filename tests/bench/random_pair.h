// Pairs of random weights in the shapes of published models: speed does not depend on what weights say.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/model/pair.h"

namespace draftscope {

struct PairShape {
  std::string name;
  TargetConfig target;
  int32_t n_drafter_layers = 5, block_size = 16, n_features = 5;  // DFlash as published
};

PairShape qwen3_0_6b();
PairShape qwen3_4b();
PairShape qwen3_8b();
/// Small enough for an emulated device.
PairShape tiny_shape();

/// A pair of that shape on `backend`. Weights are random bf16 numbers between 1/128 and 1/32 of either sign; matrices of
/// one model share the same numbers in host memory and have their own on the backend, which must copy what it is given.
Pair make_random_pair(const PairShape& shape, std::unique_ptr<Backend> backend);

}  // namespace draftscope
