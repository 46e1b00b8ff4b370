// EngineThread: decodes on a thread of its own, takes commands between rounds, never waits for the window.
#pragma once

#include <optional>
#include <string>
#include <thread>

#include "app/recorder.h"
#include "engine/model/pair.h"
#include "engine/record/command_queue.h"

namespace draftscope {

class EngineThread {
 public:
  /// `pair` must outlive this, and so must the live queue behind `recorder`. `cost` is what sessions start with until
  /// a SetCostCommand; with online_cost they re-estimate it as they decode.
  EngineThread(const Pair& pair, CostModel cost, Recorder recorder, bool online_cost = false);
  /// Ends the generation in progress and joins.
  ~EngineThread();

  void send(Command command) { commands_.push(std::move(command)); }
  /// Finishes the trace; call after the last command. The Error of the trace, if any.
  Status close();

 private:
  void run();
  void apply(const Command& command);
  void start(const StartCommand& command);
  void one_round();
  void finish(EndReason reason);
  void fail_start(const StartCommand& command, const std::string& sentence);

  const Pair& pair_;
  CostModel cost_;
  bool online_cost_;
  Recorder recorder_;
  CommandQueue commands_;

  // Owned by the thread.
  std::optional<Session> session_;
  BudgetRule rule_;      // asked for last, with the correction at hand
  int64_t next_session_ = 0;
  bool paused_ = false, quit_ = false;
  int32_t n_steps_ = 0;  // rounds to run although paused
  double rounds_per_s_ = 0;

  std::thread thread_;  // last: starts when everything above is ready
};

}  // namespace draftscope
