#include "kernels/cuda/round_loop.h"

#include <algorithm>
#include <bit>

#include "kernels/cuda/cuda_memory.h"
#include "kernels/cuda/round.h"

namespace draftscope::cuda {
namespace {

constexpr int32_t kSpinsPerQuery = 1 << 14;  // some hundred microseconds between looks at the stream's health
constexpr int32_t kPlainKey = -1, kDraftKey = -2;

CudaRows& placed(PassRows& rows) { return static_cast<CudaRows&>(*rows.placed); }

/// Rows of a pass whose numbers the device writes itself.
void place_on_device(PassRows& rows, const RowsView& view) {
  rows = PassRows{};
  rows.n = view.n_rows;
  rows.placed = std::make_unique<CudaRows>();
  placed(rows).view = view;
}

void answer_in(TopK& top, TopKView view) {
  auto answers = std::make_unique<CudaTopK>();
  answers->view = view;
  top.placed = std::move(answers);
}

}  // namespace

int32_t tier_of(int32_t n_keys) {
  constexpr int32_t kSmallestTier = 1024;  // launches for fewer cost the same
  return std::max(kSmallestTier, static_cast<int32_t>(std::bit_ceil(static_cast<uint32_t>(n_keys))));
}

CudaRoundLoop::CudaRoundLoop(RoundLoopSetup setup, LoopHost host)
    : setup_(std::move(setup)), host_(std::move(host)), buffers_(setup_.limits) {
  allow_grow(buffers_.view());
  place_rows();
  answer_in(*setup_.marginals, buffers_.view().marginals);
  answer_in(*setup_.answer, buffers_.view().answer);
}

CudaRoundLoop::~CudaRoundLoop() { (void)cudaStreamSynchronize(host_.stream); }

void CudaRoundLoop::place_rows() {
  place_on_device(*setup_.verify_rows, buffers_.view().verify.view(setup_.limits.max_rows));
  if (setup_.drafter_kv == nullptr) return;
  const int32_t n_rows = setup_.limits.n_depths + 1;
  draft_numbers_ = DeviceBuffer<int32_t>(static_cast<size_t>(15) * n_rows);
  const auto rows_at = [&](int32_t i) { return RowsArrays::at(draft_numbers_.data() + i * 5 * n_rows, n_rows); };
  draft_rows_.context = rows_at(0);
  draft_rows_.block = rows_at(1);
  for (const int32_t window : setup_.windows) {
    if (window == 0) continue;
    DS_CHECK(draft_rows_.window == 0, "windows of {} and {} keys, one is supported", draft_rows_.window, window);
    draft_rows_.window = window;
    draft_rows_.windowed = rows_at(2);
  }
  draft_rows_.mask_token = setup_.mask_token;
  place_on_device(*setup_.context_rows, draft_rows_.context.view(draft_rows_.context.n_rows));
  setup_.block_rows->resize(setup_.windows.size());
  for (size_t i = 0; i < setup_.windows.size(); ++i) {
    const RowsArrays& rows = setup_.windows[i] == 0 ? draft_rows_.block : draft_rows_.windowed;
    place_on_device((*setup_.block_rows)[i], rows.view(rows.n_rows));
  }
}

void CudaRoundLoop::set_params(const RoundParams& params) {
  const int32_t n_contexts = params_.n_contexts;
  params_ = params;
  params_.n_contexts = n_contexts;
  buffers_.set_params(params_, host_.stream);
}

void CudaRoundLoop::set_cost(const CostGrid& cost) {
  buffers_.set_cost(cost, host_.stream);
  params_.n_contexts = static_cast<int32_t>(cost.context.size());
  if (params_.n_buckets > 0) buffers_.set_params(params_, host_.stream);
}

void CudaRoundLoop::begin(const RoundStart& start) {
  seq_ = 0;
  RoundState state;
  state.context_len = start.context_len;
  state.drafter_len = start.drafter_len;
  state.n_new = start.n_new;
  state.root_token = start.root_token;
  buffers_.set_state(state, host_.stream);
  longest_context_ = start.context_len;
  start_draft();
}

const RoundImage& CudaRoundLoop::next() {
  std::optional<GrownRows> grown;
  wait_for([&] { return (grown = buffers_.grown(seq_)).has_value(); }, "the size of the verify pass");
  start_verify(grown->bucket);
  longest_context_ += setup_.limits.n_depths + 1;  // as much as this round can add
  start_draft();
  wait_for([&] { return buffers_.read(seq_, image_); }, "the round's record");
  longest_context_ = image_.header.context_len + image_.header.n_kept;
  ++seq_;
  return image_;
}

void CudaRoundLoop::start_draft() {
  const bool drafts = params_.has_draft != 0;
  run({drafts ? kDraftKey : kPlainKey, tier_of(longest_context_ + setup_.limits.n_depths + 1)}, [&] { draft_and_grow(); });
}

void CudaRoundLoop::start_verify(int32_t bucket) {
  run({bucket, tier_of(longest_context_ + setup_.limits.n_depths + 1)}, [&] { verify_and_accept(bucket); });
}

void CudaRoundLoop::draft_and_grow() {
  const RoundView& round = buffers_.view();
  const int32_t max_keys = tier_of(longest_context_ + setup_.limits.n_depths + 1);
  if (setup_.drafter_kv != nullptr) {
    cuda::draft_rows(round, draft_rows_, host_.stream);
    placed(*setup_.context_rows).max_keys = max_keys;
    for (PassRows& rows : *setup_.block_rows) placed(rows).max_keys = max_keys;
    setup_.take_in();
    if (params_.has_draft != 0) setup_.draft();
  }
  cuda::grow(round, host_.stream);
}

void CudaRoundLoop::verify_and_accept(int32_t bucket) {
  const RoundView& round = buffers_.view();
  const KvView kv = static_cast<CudaKv*>(setup_.target_kv)->view;
  setup_.verify_rows->n = bucket;
  placed(*setup_.verify_rows).view = round.verify.view(bucket);
  placed(*setup_.verify_rows).max_keys = tier_of(longest_context_ + setup_.limits.n_depths + 1);
  setup_.verify();
  cuda::accept(round, bucket, host_.stream);
  cuda::keep_rows(kv, &round.state->context_len, round.kept, &round.state->n_kept, host_.stream);
  if (setup_.drafter_kv != nullptr) {
    const int32_t n = setup_.limits.n_depths + 1;
    cuda::gather_rows(setup_.features, round.kept, n, setup_.new_features, 0, host_.stream);
  }
  cuda::finish(round, host_.stream);
}

void CudaRoundLoop::run(std::pair<int32_t, int32_t> key, const std::function<void()>& work) {
  if (const int64_t now = host_.workspace_generation(); now != generation_) {
    CUDA_CHECK(cudaStreamSynchronize(host_.stream));  // graphs in flight may still be at work
    recorded_.clear();
    generation_ = now;
  }
  Recorded& recorded = recorded_[key];
  host_.defer_answers(true);
  if (recorded.n_runs == 0) {
    work();
  } else {
    if (!recorded.graph) recorded.graph = capture(host_.stream, work);
    CUDA_CHECK(cudaGraphLaunch(recorded.graph.get(), host_.stream));
  }
  host_.defer_answers(false);
  ++recorded.n_runs;
}

template <class Ready>
void CudaRoundLoop::wait_for(const Ready& ready, const char* what) const {
  for (int32_t spins = 1; !ready(); ++spins) {
    if (spins % kSpinsPerQuery != 0) continue;
    const cudaError_t status = cudaStreamQuery(host_.stream);
    if (status == cudaErrorNotReady) continue;
    CUDA_CHECK(status);
    DS_CHECK(ready(), "the stream ended without {}", what);
    return;
  }
}

}  // namespace draftscope::cuda
