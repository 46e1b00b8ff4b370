// Undo and redo over values: every step is the whole value after it, and a drag of many frames is one step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace draftscope {

/// Keeps at most `most_steps` steps besides the present; the oldest are forgotten.
template <class T>
class EditHistory {
 public:
  explicit EditHistory(T start = {}, size_t most_steps = 100) : most_steps_(most_steps) {
    steps_.push_back({std::move(start), {}});
  }

  const T& now() const { return steps_[at_].value; }
  /// Changes whenever now() may have changed.
  uint64_t version() const { return version_; }

  /// Forgets everything before `start`.
  void start_over(T start) {
    steps_.clear();
    steps_.push_back({std::move(start), {}});
    at_ = 0;
    changed(false);
  }
  /// One step; what was undone before it is forgotten. `what` names it to people.
  void edit(T next, std::string what) {
    push(std::move(next), std::move(what));
    changed(false);
  }
  /// A part of one drag: the first begins a step, the others replace its value until end_drag().
  void drag(T next, std::string what) {
    if (dragging_)
      steps_[at_].value = std::move(next);
    else
      push(std::move(next), std::move(what));
    changed(true);
  }
  void end_drag() { dragging_ = false; }
  bool dragging() const { return dragging_; }

  bool can_undo() const { return at_ > 0; }
  bool can_redo() const { return at_ + 1 < steps_.size(); }
  /// What undo() and redo() would take back or do again; empty when they cannot.
  std::string undo_what() const { return can_undo() ? steps_[at_].what : std::string(); }
  std::string redo_what() const { return can_redo() ? steps_[at_ + 1].what : std::string(); }
  /// False, and nothing changes, when there is nothing to take back or to do again.
  bool undo() {
    if (!can_undo()) return false;
    --at_;
    changed(false);
    return true;
  }
  bool redo() {
    if (!can_redo()) return false;
    ++at_;
    changed(false);
    return true;
  }

 private:
  struct Step {
    T value;
    std::string what;  // led to it
  };

  void push(T next, std::string what) {
    steps_.resize(at_ + 1);
    steps_.push_back({std::move(next), std::move(what)});
    if (steps_.size() > most_steps_ + 1) steps_.erase(steps_.begin());
    at_ = steps_.size() - 1;
  }
  void changed(bool dragging) {
    dragging_ = dragging;
    ++version_;
  }

  std::vector<Step> steps_;  // never empty
  size_t at_ = 0, most_steps_;
  uint64_t version_ = 0;
  bool dragging_ = false;
};

}  // namespace draftscope
