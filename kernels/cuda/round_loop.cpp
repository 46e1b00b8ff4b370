#include "kernels/cuda/round_loop.h"

#include <algorithm>
#include <bit>

#include "kernels/cuda/cuda_memory.h"
#include "kernels/cuda/round.h"

namespace draftscope::cuda {
namespace {

constexpr uint32_t kSpinsPerQuery = 1 << 14;  // some hundred microseconds between looks at the stream's health
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
  if (setup_.drafter_kv != nullptr) allot_draft_rows();
}

CudaRoundLoop::~CudaRoundLoop() { (void)cudaStreamSynchronize(host_.stream); }

void CudaRoundLoop::allot_draft_rows() {
  const int32_t n_rows = setup_.limits.max_texts * (setup_.limits.n_depths + 1);
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
}

// Passes of the host's, such as over a prompt, leave rows and answers elsewhere.
void CudaRoundLoop::place() {
  place_on_device(*setup_.verify_rows, buffers_.view().verify.view(setup_.limits.max_rows));
  answer_in(*setup_.answer, buffers_.view().answer);
  if (setup_.drafter_kv == nullptr) return;
  answer_in(*setup_.marginals, buffers_.view().marginals);
  const int32_t n_rows = n_texts() * (setup_.limits.n_depths + 1);
  place_on_device(*setup_.context_rows, draft_rows_.context.view(n_rows));
  setup_.block_rows->resize(setup_.windows.size());
  for (size_t i = 0; i < setup_.windows.size(); ++i) {
    const RowsArrays& rows = setup_.windows[i] == 0 ? draft_rows_.block : draft_rows_.windowed;
    place_on_device((*setup_.block_rows)[i], rows.view(n_rows));
  }
}

RoundView CudaRoundLoop::view() const {
  RoundView round = buffers_.view();
  round.n_texts = n_texts();
  return round;
}

int32_t CudaRoundLoop::keys_of_launch() const { return tier_of(longest_context_ + setup_.limits.n_depths + 1); }

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

void CudaRoundLoop::begin(std::span<const RoundStart> texts) {
  // Never the number of a round that was drafted for others: its word and record would pass for the new one's.
  ++seq_;
  images_.resize(texts.size());
  place();
  RoundState state;
  state.seq = seq_;
  buffers_.set_state(state, host_.stream);
  std::vector<TextRound> rounds;
  longest_context_ = 0;
  for (const RoundStart& start : texts) {
    TextRound& text = rounds.emplace_back();
    text.context_len = text.drafter_len = start.context_len;
    text.root_token = start.root_token;
    text.target_first = start.target_first;
    text.drafter_first = start.drafter_first;
    text.draws = start.draws;
    longest_context_ = std::max(longest_context_, start.context_len);
  }
  buffers_.set_texts(rounds, host_.stream);
  start_draft();
}

std::span<const RoundImage> CudaRoundLoop::next() {
  std::optional<GrownRows> grown;
  wait_for([&] { return (grown = buffers_.grown(seq_)).has_value(); }, "the size of the verify pass");
  start_verify(grown->bucket);
  longest_context_ += setup_.limits.n_depths + 1;  // as much as this round can add
  start_draft();
  longest_context_ = 0;
  for (int32_t text = 0; text < n_texts(); ++text) {
    RoundImage& image = images_[static_cast<size_t>(text)];
    wait_for([&] { return buffers_.read(seq_, text, image); }, "the round's record");
    longest_context_ = std::max(longest_context_, image.header.context_len + image.header.n_kept);
  }
  ++seq_;
  return images_;
}

void CudaRoundLoop::start_draft() {
  const bool drafts = params_.has_draft != 0;
  run({drafts ? kDraftKey : kPlainKey, n_texts(), keys_of_launch()}, [&] { draft_and_grow(); });
}

void CudaRoundLoop::start_verify(int32_t bucket) {
  run({bucket, n_texts(), keys_of_launch()}, [&] { verify_and_accept(bucket); });
}

void CudaRoundLoop::draft_and_grow() {
  const RoundView round = view();
  if (setup_.drafter_kv != nullptr) {
    cuda::draft_rows(round, draft_rows_, host_.stream);
    placed(*setup_.context_rows).max_keys = keys_of_launch();
    for (PassRows& rows : *setup_.block_rows) placed(rows).max_keys = keys_of_launch();
    setup_.take_in(n_texts());
    if (params_.has_draft != 0) setup_.draft(n_texts());
  }
  cuda::grow(round, host_.stream);
}

void CudaRoundLoop::verify_and_accept(int32_t bucket) {
  const RoundView round = view();
  const KvView kv = static_cast<CudaKv*>(setup_.target_kv)->view;
  setup_.verify_rows->n = bucket;
  placed(*setup_.verify_rows).view = round.verify.view(bucket);
  placed(*setup_.verify_rows).max_keys = keys_of_launch();
  cuda::begin_verify(round, host_.stream);
  setup_.verify();
  cuda::accept(round, bucket, host_.stream);
  cuda::keep_rows(kv, rows_to_keep(round), host_.stream);
  if (setup_.drafter_kv != nullptr) {
    const int32_t n = n_texts() * (setup_.limits.n_depths + 1);
    cuda::gather_rows(setup_.features, round.kept_row, n, setup_.new_features, 0, host_.stream);
  }
  cuda::finish(round, host_.stream);
}

void CudaRoundLoop::run(const Key& key, const std::function<void()>& work) {
  if (const int64_t now = host_.workspace_generation(); now != generation_) {
    CUDA_CHECK(cudaStreamSynchronize(host_.stream));  // graphs in flight may still be at work
    recorded_.clear();
    generation_ = now;
  }
  Recorded& recorded = recorded_[key];
  const Raised deferred(host_.defer_answers);
  if (recorded.n_runs == 0) {
    work();
  } else {
    if (!recorded.graph) recorded.graph = capture(host_.stream, work);
    CUDA_CHECK(cudaGraphLaunch(recorded.graph.get(), host_.stream));
  }
  ++recorded.n_runs;
}

template <class Ready>
void CudaRoundLoop::wait_for(const Ready& ready, const char* what) const {
  for (uint32_t spins = 1; !ready(); ++spins) {
    if (spins % kSpinsPerQuery != 0) continue;
    const cudaError_t status = cudaStreamQuery(host_.stream);
    if (status == cudaErrorNotReady) continue;
    CUDA_CHECK(status);
    DS_CHECK(ready(), "the stream ended without {}", what);
    return;
  }
}

}  // namespace draftscope::cuda
