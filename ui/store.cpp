#include "ui/store.h"

#include <fmt/format.h>

#include <utility>

#include "engine/base/overloaded.h"

namespace draftscope {

void RecordStore::append(Message message) {
  ++version_;
  std::visit(Overloaded{
                 [&](SessionInfo&& info) {
                   info_ = std::move(info);
                   end_.reset();
                   rounds_.clear();
                   n_skipped_ = 0;
                 },
                 [&](RoundRecord&& round) {
                   if (info_ && round.session != info_->session) return report_stray_session(round.session);
                   count_skipped(round.seq);
                   rounds_.push_back(std::move(round));
                 },
                 [&](SessionEnd&& end) {
                   if (info_ && end.session != info_->session) return report_stray_session(end.session);
                   count_skipped(end.n_rounds);  // the last rounds may be missing too
                   end_ = std::move(end);
                 },
             },
             std::move(message));
}

// Once per session, not once per round.
void RecordStore::report_stray_session(int64_t session) {
  std::string error =
      fmt::format("rounds of session {} are not shown: its description could not be read", session);
  if (errors_.empty() || errors_.back() != error) report(std::move(error));
}

void RecordStore::count_skipped(int64_t seq) {
  const int64_t expected_seq = rounds_.empty() ? 0 : rounds_.back().seq + 1;
  if (seq > expected_seq) n_skipped_ += seq - expected_seq;
}

}  // namespace draftscope
