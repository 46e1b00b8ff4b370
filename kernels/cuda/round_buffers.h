// The memory behind a RoundView.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kernels/cuda/device.h"
#include "kernels/cuda/round.h"

namespace draftscope::cuda {

class RoundBuffers {
 public:
  explicit RoundBuffers(const RoundLimits& limits);

  const RoundView& view() const { return view_; }
  /// Take effect for kernels that come later on `stream`; the arguments may go at once.
  void set_params(const RoundParams& params, cudaStream_t stream);
  void set_cost(const CostGrid& cost, cudaStream_t stream);
  void set_state(const RoundState& state, cudaStream_t stream);
  void set_texts(std::span<const TextRound> texts, cudaStream_t stream);

  /// What the host sees of finished rounds and of the one at work.
  bool read(int64_t seq, int32_t text, RoundImage& image) const { return read_round(host_ring_, seq, text, image); }
  std::optional<GrownRows> grown(int64_t seq) const { return read_grown_word(grown_word_.host(), seq); }

 private:
  int32_t* take_ints(int32_t n);
  RowsArrays take_rows(int32_t n_rows);

  DeviceBuffer<RoundParams> params_;
  DeviceBuffer<RoundState> state_;
  DeviceBuffer<TextRound> texts_;
  DeviceBuffer<double> doubles_;
  DeviceBuffer<float> floats_;
  std::vector<DeviceBuffer<int32_t>> ints_;
  DeviceBuffer<uint32_t> extra_bits_;
  PinnedBuffer<char> slots_;
  PinnedBuffer<uint64_t> grown_word_;
  RingView host_ring_;
  RoundView view_;
  int32_t max_contexts_ = 0;
};

}  // namespace draftscope::cuda
