// CommandQueue: commands from a front end to the engine thread, in order.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "engine/record/command.h"

namespace draftscope {

/// Any thread may call anything. The engine takes commands between rounds with try_pop, and sleeps in
/// wait_pop while it is paused or idle.
class CommandQueue {
 public:
  /// False once the queue is closed: the command is not kept.
  bool push(Command command);
  /// The oldest command, or nothing. Commands pushed before close() can still be taken after it.
  std::optional<Command> try_pop();
  /// As try_pop, after waiting until there is a command, the queue is closed, or `timeout` is over.
  std::optional<Command> wait_pop(std::chrono::nanoseconds timeout);
  /// Ends the queue and wakes everyone who waits.
  void close();
  bool closed() const;

 private:
  std::optional<Command> pop_locked();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Command> commands_;
  bool closed_ = false;
};

}  // namespace draftscope
