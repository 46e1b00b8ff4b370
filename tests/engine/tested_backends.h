// Which backends the engine's tests run on: the same tests make one program for the CPU, one for the emulated device and
// one for a real GPU, each with its own .cpp behind this header.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/model/pair.h"

namespace draftscope {

struct TestedBackend {
  std::string name;
  std::function<std::unique_ptr<Backend>(Precision)> make;
};

/// At least one, except on a machine without a GPU for the program that needs one: then missing_backend() says why.
std::vector<TestedBackend> tested_backends();
std::string missing_backend();

/// What open_pair is to choose.
BackendChoice tested_choice();

/// How much of the long tests the backend can do in a minute or so.
struct TestShare {
  int n_lossless_prompts = 200;
  int32_t max_tokens = 60;  // of a text
  int n_golden_generations = 1000;  // at most so many of the recorded prompts
  bool long_prompts = true;
};
TestShare test_share();

/// Activations on the host, row-major.
inline std::vector<float> read_act(Backend& backend, Act act) {
  std::vector<float> values(static_cast<size_t>(act.rows) * act.cols);
  backend.read(act, values);
  return values;
}

/// Cached keys or values of `length` rows in float32: (layers, kv_heads, length, head_dim).
std::vector<float> cached(const KvStore& kv, int32_t length, bool keys);

}  // namespace draftscope
