#include "app/recorder.h"

#include <utility>

namespace draftscope {

Result<Recorder> Recorder::open(const std::string& path, LiveQueue* live) {
  Recorder recorder;
  recorder.live_ = live;
  if (!path.empty()) {
    Result<TraceWriter> trace = TraceWriter::open(path);
    if (!trace) return Error{trace.error()};
    recorder.trace_.emplace(*std::move(trace));
  }
  return recorder;
}

void Recorder::flush_control() {
  while (!waiting_.empty() && live_->push_control(std::move(waiting_.front()))) waiting_.erase(waiting_.begin());
}

void Recorder::send(std::span<const std::byte> frame, bool control) {
  if (trace_ && failure_.empty()) {
    if (Status written = trace_->append(frame); !written) failure_ = written.error();
  }
  if (live_ == nullptr) return;
  flush_control();
  if (!waiting_.empty()) return;  // the window is far behind; a round that is dropped shows as a gap
  EncodedFrame copy(frame.begin(), frame.end());
  if (!control) {
    live_->push(std::move(copy));
  } else if (!live_->push_control(std::move(copy))) {
    waiting_.push_back(std::move(copy));
  }
}

void Recorder::begin(const SessionInfo& info) { send(encoder_.encode(info), true); }
void Recorder::end(const SessionEnd& end) { send(encoder_.encode(end), true); }

void Recorder::round(const RoundRecord& round) {
  if (trace_ || live_ != nullptr) send(encoder_.encode(round), false);
}

Status Recorder::close() {
  if (!failure_.empty()) return Error{failure_};
  return trace_ ? trace_->close() : success();
}

RoundRecord recorded_round(Session& session, Recorder& recorder) {
  RoundRecord record = session.round();
  recorder.round(record);
  session.record_sent();
  return record;
}

SessionEnd run_session(Session& session, Recorder& recorder, const std::function<void(const RoundRecord&)>& on_round,
                       const std::function<bool()>& keep_going) {
  recorder.begin(session.info());
  while (!session.done()) {
    if (!keep_going()) {
      session.stop();
      break;
    }
    on_round(recorded_round(session, recorder));
  }
  SessionEnd end = session.end();
  recorder.end(end);
  return end;
}

}  // namespace draftscope
