#include "ui/source.h"

#include <utility>

namespace draftscope {
namespace {

// 1 when the message was appended, 0 when it was reported.
int append_or_report(Result<Message> message, RecordStore& store) {
  if (message) {
    store.append(std::move(*message));
    return 1;
  }
  store.report(message.error());
  return 0;
}

}  // namespace

int LiveSource::poll(RecordStore& store) {
  int n_appended = 0;
  for (int i = 0; i < frames_per_poll_; ++i) {
    const std::optional<EncodedFrame> frame = queue_.pop();
    if (!frame) break;
    n_appended += append_or_report(decode(*frame), store);
  }
  return n_appended;
}

int TraceSource::poll(RecordStore& store) {
  if (!reader_ && !finished_) open(store);
  int n_appended = 0;
  for (int i = 0; i < frames_per_poll_ && !finished_; ++i) {
    if (next_frame_ < reader_->size()) n_appended += append_or_report(reader_->message(next_frame_++), store);
    finished_ = next_frame_ == reader_->size();
  }
  return n_appended;
}

void TraceSource::open(RecordStore& store) {
  Result<TraceReader> reader = TraceReader::open(path_);
  if (!reader) {
    store.report(reader.error());
    finished_ = true;
    return;
  }
  if (!reader->complete()) store.report(reader->note());
  reader_ = std::move(*reader);
}

}  // namespace draftscope
