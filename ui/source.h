// Source: where messages come from. A live engine or a recording; the store cannot tell them apart.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>

#include "engine/record/live_queue.h"
#include "engine/record/trace_file.h"
#include "ui/store.h"

namespace draftscope {

class Source {
 public:
  virtual ~Source() = default;
  /// Appends what has arrived, and reports what cannot be read to `store`. Returns how many messages it
  /// appended. Never waits.
  virtual int poll(RecordStore& store) = 0;
};

/// Frames of an engine in this process, decoded on the ui thread.
class LiveSource : public Source {
 public:
  /// frames_per_poll bounds the time of one poll: a frame takes some tens of microseconds.
  explicit LiveSource(LiveQueue& queue, int frames_per_poll = 64)
      : queue_(queue), frames_per_poll_(frames_per_poll) {}
  int poll(RecordStore& store) override;

 private:
  LiveQueue& queue_;
  int frames_per_poll_;
};

/// A trace file, whole at the first poll or a few frames at a time.
class TraceSource : public Source {
 public:
  static constexpr int kWholeFile = std::numeric_limits<int>::max();

  /// The first poll opens `path`; an unreadable file is reported then.
  explicit TraceSource(std::string path, int frames_per_poll = kWholeFile)
      : path_(std::move(path)), frames_per_poll_(frames_per_poll) {}
  int poll(RecordStore& store) override;
  /// True when every frame was read, or the file cannot be.
  bool finished() const { return finished_; }

 private:
  void open(RecordStore& store);

  std::string path_;
  int frames_per_poll_;
  std::optional<TraceReader> reader_;
  size_t next_frame_ = 0;
  bool finished_ = false;
};

}  // namespace draftscope
