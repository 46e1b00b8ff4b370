#include "kernels/cpu/bf16.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/kv_store.h"
#include "tests/engine/tested_backends.h"
#include "tests/speculate/golden_files.h"

namespace draftscope {

std::vector<TestedBackend> tested_backends() {
  std::vector<TestedBackend> backends;
  for (const CpuPath path : supported_cpu_paths()) {
    backends.push_back({std::string("cpu ") + name(path), [path](Precision precision) {
                          CpuOptions options;
                          options.precision = precision;
                          options.path = path;
                          return golden::must(make_cpu_backend(options));
                        }});
  }
  return backends;
}

std::string missing_backend() { return ""; }

BackendChoice tested_choice() { return BackendChoice::kCpu; }

TestShare test_share() { return {}; }

std::vector<float> cached(const KvStore& kv, int32_t length, bool keys) {
  const auto& store = static_cast<const CpuKvStore&>(kv);
  std::vector<float> out;
  for (int32_t layer = 0; layer < store.n_layers; ++layer) {
    for (int32_t head = 0; head < store.n_kv_heads; ++head) {
      const int64_t begin = store.offset(layer, head, 0), n = static_cast<int64_t>(length) * store.head_dim;
      for (int64_t i = begin; i < begin + n; ++i) {
        if (store.is_bf16) out.push_back(float_of_bf16((keys ? store.k16 : store.v16)[i]));
        else out.push_back((keys ? store.k32 : store.v32)[i]);
      }
    }
  }
  return out;
}

}  // namespace draftscope
