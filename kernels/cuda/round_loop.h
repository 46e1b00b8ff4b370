// CudaRoundLoop: rounds as two launches each, one that drafts and grows and one that verifies and accepts.
//
// A launch runs eagerly when its sizes are met first, which settles every workspace, and is recorded as a graph the second
// time. Graphs are kept per rows of the verify pass and per tier of keys; they are dropped when a workspace moves.
#pragma once

#include <functional>
#include <map>
#include <utility>

#include "kernels/cuda/device.h"
#include "kernels/cuda/launch_stream.h"
#include "kernels/cuda/round_buffers.h"
#include "kernels/round_loop.h"

namespace draftscope::cuda {

/// The number of keys that launches for up to n_keys are made for, so that few graphs serve every length.
int32_t tier_of(int32_t n_keys);

/// What the loop needs of its backend.
struct LoopHost {
  LaunchStream stream;
  std::function<void(bool)> defer_answers;       // heads leave their answers on the device
  std::function<int64_t()> workspace_generation; // rises when a workspace moves
};

class CudaRoundLoop final : public RoundLoop {
 public:
  CudaRoundLoop(RoundLoopSetup setup, LoopHost host);
  ~CudaRoundLoop() override;

  void set_params(const RoundParams& params) override;
  void set_cost(const CostGrid& cost) override;
  void begin(const RoundStart& start) override;
  const RoundImage& next() override;

 private:
  struct Recorded {
    int32_t n_runs = 0;
    GraphExec graph;
  };
  void place_rows();
  void start_draft();
  void start_verify(int32_t bucket);
  void draft_and_grow();
  void verify_and_accept(int32_t bucket);
  void run(std::pair<int32_t, int32_t> key, const std::function<void()>& work);
  template <class Ready>
  void wait_for(const Ready& ready, const char* what) const;

  RoundLoopSetup setup_;
  LoopHost host_;
  RoundBuffers buffers_;
  RoundParams params_;
  DeviceBuffer<int32_t> draft_numbers_;  // behind draft_rows_
  DraftRows draft_rows_;
  std::map<std::pair<int32_t, int32_t>, Recorded> recorded_;  // by (bucket or -kind, tier of keys)
  int64_t generation_ = 0;
  int64_t seq_ = 0;
  int32_t longest_context_ = 0;  // no row of the launch being put together attends to more
  RoundImage image_;
};

}  // namespace draftscope::cuda
