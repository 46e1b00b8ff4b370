// Recorder: where a session's frames go: a trace file, a live window, both or none; timed, never in the way.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/record/codec.h"
#include "engine/record/live_queue.h"
#include "engine/record/trace_file.h"
#include "engine/session.h"

namespace draftscope {

class Recorder {
 public:
  /// `path` empty: no trace. `live` may be null. An Error when the trace cannot be created.
  static Result<Recorder> open(const std::string& path, LiveQueue* live);

  void begin(const SessionInfo& info);
  void round(const RoundRecord& round);
  void end(const SessionEnd& end);
  /// Writes the trace's index. The first failed write of the trace is the Error; decoding went on.
  Status close();

 private:
  void send(std::span<const std::byte> frame, bool control);
  void flush_control();

  std::optional<TraceWriter> trace_;
  LiveQueue* live_ = nullptr;
  Encoder encoder_;
  std::vector<EncodedFrame> waiting_;  // control frames that found the live queue full
  std::string failure_;
};

/// One round, sent. What describing and sending it took goes into the next round's telemetry_ns.
RoundRecord recorded_round(Session& session, Recorder& recorder);

/// Runs a session to its end, frame by frame. `keep_going` false ends it before the next round.
SessionEnd run_session(Session& session, Recorder& recorder, const std::function<void(const RoundRecord&)>& on_round,
                       const std::function<bool()>& keep_going);

}  // namespace draftscope
