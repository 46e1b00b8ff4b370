// CudaRoundLoop: rounds as two launches each, one that drafts and grows and one that verifies and accepts.
//
// A launch runs eagerly when its sizes are met first, which settles every workspace, and is recorded as a graph the second
// time. Graphs are kept per rows of the verify pass, number of texts and tier of keys; they are dropped when a workspace
// moves.
#pragma once

#include <functional>
#include <map>
#include <tuple>
#include <vector>

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
  bool& defer_answers;                           // heads leave their answers on the device
  std::function<int64_t()> workspace_generation; // rises when a workspace moves
};

class CudaRoundLoop final : public RoundLoop {
 public:
  CudaRoundLoop(RoundLoopSetup setup, LoopHost host);
  ~CudaRoundLoop() override;

  void set_params(const RoundParams& params) override;
  void set_cost(const CostGrid& cost) override;
  void begin(std::span<const RoundStart> texts) override;
  std::span<const RoundImage> next() override;

 private:
  struct Recorded {
    int32_t n_runs = 0;
    GraphExec graph;
  };
  using Key = std::tuple<int32_t, int32_t, int32_t>;  // bucket or -kind, texts, tier of keys
  RoundView view() const;  // of the round at work
  int32_t n_texts() const { return static_cast<int32_t>(images_.size()); }
  int32_t keys_of_launch() const;
  void allot_draft_rows();
  void place();
  void start_draft();
  void start_verify(int32_t bucket);
  void draft_and_grow();
  void verify_and_accept(int32_t bucket);
  void run(const Key& key, const std::function<void()>& work);
  template <class Ready>
  void wait_for(const Ready& ready, const char* what) const;

  RoundLoopSetup setup_;
  LoopHost host_;
  RoundBuffers buffers_;
  RoundParams params_;
  DeviceBuffer<int32_t> draft_numbers_;  // behind draft_rows_
  DraftRows draft_rows_;
  std::map<Key, Recorded> recorded_;
  int64_t generation_ = 0;
  int64_t seq_ = -1;             // of the round at work; before the first: -1
  int32_t longest_context_ = 0;  // no row of the launch being put together attends to more
  std::vector<RoundImage> images_;  // (n_texts,) of the last round that ended
};

}  // namespace draftscope::cuda
