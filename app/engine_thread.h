// EngineThread: decodes on a thread of its own, takes commands between rounds, never waits for the window.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "app/first_profile.h"
#include "app/recorder.h"
#include "engine/model/pair.h"
#include "engine/record/command_queue.h"

namespace draftscope {

/// How generations begin where a StartCommand does not say: its fields win over the same ones here.
struct EngineOptions {
  /// Cost and correction hold until a command changes them; a fixed budget may raise max_nodes.
  SessionOptions session;
  bool raw = false, thinking = false;  // how a prompt becomes tokens
  /// Measured before anything is decoded, and the session's cost from then on; null: that cost is known. Commands wait
  /// meanwhile, and of several starts the last one counts; to quit and to stop measuring works at once.
  std::shared_ptr<FirstProfile> first_profile;
};

class EngineThread {
 public:
  /// `pair` must outlive this, and so must the live queue behind `recorder`.
  EngineThread(const Pair& pair, EngineOptions options, Recorder recorder);
  /// Ends the generation in progress and joins.
  ~EngineThread();

  void send(Command command) { commands_.push(std::move(command)); }
  /// Finishes the trace; call after the last command. The Error of the trace, if any.
  Status close();

 private:
  void run();
  void guarded(const std::function<void()>& step);
  void measure();
  void apply(const Command& command);
  void start(const StartCommand& command);
  void one_round();
  void one_turn();
  void finish(EndReason reason, const std::string& message = {});
  void fail_start(const std::string& sentence);
  SessionOptions next_options() const;

  const Pair& pair_;
  Recorder recorder_;
  CommandQueue commands_;

  // Owned by the thread.
  EngineOptions options_;  // with the method, cost and correction asked for last
  StartCommand asked_;     // the last one
  std::optional<Session> session_;
  int64_t next_session_ = 0;
  bool paused_ = false, quit_ = false;
  int32_t n_steps_ = 0;  // rounds to run although paused
  double rounds_per_s_ = 0;

  std::thread thread_;  // last: starts when everything above is ready
};

}  // namespace draftscope
