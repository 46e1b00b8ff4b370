#include "engine/record/command_queue.h"

#include <utility>

namespace draftscope {

bool CommandQueue::push(Command command) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    commands_.push_back(std::move(command));
  }
  changed_.notify_one();
  return true;
}

std::optional<Command> CommandQueue::try_pop() {
  const std::lock_guard lock(mutex_);
  return pop_locked();
}

std::optional<Command> CommandQueue::wait_pop(std::chrono::nanoseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [this] { return closed_ || !commands_.empty(); });
  return pop_locked();
}

void CommandQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

bool CommandQueue::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

std::optional<Command> CommandQueue::pop_locked() {
  if (commands_.empty()) return std::nullopt;
  Command command = std::move(commands_.front());
  commands_.pop_front();
  return command;
}

}  // namespace draftscope
