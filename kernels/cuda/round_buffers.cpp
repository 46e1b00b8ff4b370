#include "kernels/cuda/round_buffers.h"

#include <cstring>

#include "engine/base/check.h"
#include "kernels/shared/frontier.h"

namespace draftscope::cuda {
namespace {

template <class T>
void upload(const T* from, size_t n, T* to, cudaStream_t stream) {
  CUDA_CHECK(cudaMemcpyAsync(to, from, n * sizeof(T), cudaMemcpyHostToDevice, stream));
}

void check_limits(const RoundLimits& limits) {
  DS_CHECK(limits.max_texts >= 1 && limits.max_nodes >= 0 && limits.max_nodes + limits.max_texts - 1 <= kMaxTreeNodes,
           "{} trees of {} nodes", limits.max_texts, limits.max_nodes);
  DS_CHECK(limits.n_depths >= 0 && limits.n_depths < kMaxTreeDepth, "trees of depth {}", limits.n_depths);
  DS_CHECK(limits.max_rows >= limits.max_nodes + limits.max_texts && limits.max_rows < 1 << 16,
           "passes of {} rows for {} nodes of {} texts", limits.max_rows, limits.max_nodes, limits.max_texts);
  DS_CHECK(limits.n_ranks >= 0 && limits.answer_ranks >= 1 && limits.max_contexts >= 1 && limits.ring_slots >= 2);
}

}  // namespace

int32_t* RoundBuffers::take_ints(int32_t n) {
  return ints_.emplace_back(static_cast<size_t>(n)).data();
}

RowsArrays RoundBuffers::take_rows(int32_t n) {
  return {take_ints(n), take_ints(n), take_ints(n), take_ints(n), take_ints(n), nullptr, n};
}

RoundBuffers::RoundBuffers(const RoundLimits& limits)
    : params_(1), state_(1), texts_(static_cast<size_t>(limits.max_texts)), grown_word_(1) {
  check_limits(limits);
  max_contexts_ = limits.max_contexts;
  const int32_t n_nodes = limits.max_nodes + limits.max_texts, n_rows = limits.max_rows;
  view_.n_texts = view_.max_texts = limits.max_texts;
  view_.max_nodes = limits.max_nodes;
  view_.n_depths = limits.n_depths;
  view_.params = params_.data();
  view_.state = state_.data();
  view_.texts = texts_.data();

  const auto count = [](int32_t a, int32_t b) { return static_cast<size_t>(a) * static_cast<size_t>(b); };
  view_.cost.n_nodes = cost_nodes(limits);
  const size_t n_costs = count(max_contexts_, view_.cost.n_nodes + 1);
  doubles_ = DeviceBuffer<double>(static_cast<size_t>(n_nodes) + static_cast<size_t>(max_contexts_) + 2 * n_costs);
  view_.tree.path_log_q = doubles_.data();
  view_.cost.context = take_ints(max_contexts_);
  view_.cost.draft_s = doubles_.data() + n_nodes;
  view_.cost.verify_s = view_.cost.draft_s + max_contexts_;
  view_.cost.faithful_s = view_.cost.verify_s + n_costs;

  const size_t n_marginals = count(limits.max_texts * limits.n_depths, limits.n_ranks);
  const size_t n_answers = count(n_rows, limits.answer_ranks);
  floats_ = DeviceBuffer<float>(n_marginals + n_answers + static_cast<size_t>(n_nodes));
  view_.marginals = {take_ints(static_cast<int32_t>(n_marginals)), floats_.data(), limits.n_ranks};
  view_.answer = {take_ints(static_cast<int32_t>(n_answers)), floats_.data() + n_marginals, limits.answer_ranks};
  view_.choice_log_p = floats_.data() + n_marginals + n_answers;

  for (int32_t** column : {&view_.tree.token, &view_.tree.parent, &view_.tree.depth, &view_.tree.rank, &view_.tree.text,
                           &view_.choice}) {
    *column = take_ints(n_nodes);
  }
  view_.kept = take_ints(limits.max_texts * (limits.n_depths + 1));
  view_.kept_row = take_ints(limits.max_texts * (limits.n_depths + 1));
  view_.verify = take_rows(n_rows);
  extra_bits_ = DeviceBuffer<uint32_t>(count(n_rows, (n_rows + 31) / 32));
  view_.verify.extra_bits = extra_bits_.data();

  host_ring_.n_slots = limits.ring_slots;
  host_ring_.max_texts = limits.max_texts;
  host_ring_.layout = ring_slot_layout(limits.max_nodes, limits.n_depths, limits.ring_ranks);
  slots_ = PinnedBuffer<char>(count(limits.ring_slots, limits.max_texts) * static_cast<size_t>(host_ring_.layout.n_bytes));
  std::memset(slots_.host(), 0, slots_.size());
  host_ring_.slots = slots_.host();
  view_.ring = host_ring_;
  view_.ring.slots = slots_.device();
  *grown_word_.host() = 0;
  view_.grown_word = grown_word_.device();
}

void RoundBuffers::set_params(const RoundParams& params, cudaStream_t stream) {
  DS_CHECK(params.max_nodes >= 0 && params.max_nodes <= view_.max_nodes && params.n_contexts <= max_contexts_);
  const bool needs_costs = params.rule >= GrowRule::kThetaFalls;
  DS_CHECK(params.n_contexts >= (needs_costs ? 1 : 0), "a rule that weighs costs, and no costs");
  DS_CHECK(params.n_buckets >= 1 && params.n_buckets <= kMaxBuckets);
  const int32_t last = params.bucket_rows[params.n_buckets - 1];
  DS_CHECK(last > params.max_nodes && last <= view_.verify.n_rows, "buckets up to {} rows for {} nodes", last,
           params.max_nodes);
  upload(&params, 1, params_.data(), stream);
}

void RoundBuffers::set_cost(const CostGrid& cost, cudaStream_t stream) {
  const size_t n_contexts = cost.context.size(), n_costs = n_contexts * (static_cast<size_t>(view_.cost.n_nodes) + 1);
  DS_CHECK(n_contexts >= 1 && n_contexts <= static_cast<size_t>(max_contexts_) && cost.draft_s.size() == n_contexts);
  DS_CHECK(cost.verify_s.size() == n_costs && cost.faithful_s.size() == n_costs);
  upload(cost.context.data(), n_contexts, view_.cost.context, stream);
  upload(cost.draft_s.data(), n_contexts, view_.cost.draft_s, stream);
  upload(cost.verify_s.data(), n_costs, view_.cost.verify_s, stream);
  upload(cost.faithful_s.data(), n_costs, view_.cost.faithful_s, stream);
}

void RoundBuffers::set_state(const RoundState& state, cudaStream_t stream) {
  upload(&state, 1, state_.data(), stream);
}

void RoundBuffers::set_texts(std::span<const TextRound> texts, cudaStream_t stream) {
  DS_CHECK(!texts.empty() && texts.size() <= texts_.size(), "{} texts of {}", texts.size(), texts_.size());
  upload(texts.data(), texts.size(), texts_.data(), stream);
}

}  // namespace draftscope::cuda
