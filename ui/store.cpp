#include "ui/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/base/overloaded.h"

namespace draftscope {

void RecordStore::append(Message message) {
  ++version_;
  std::visit(Overloaded{
                 [&](SessionInfo&& info) { begin(std::move(info)); },
                 [&](RoundRecord&& round) {
                   RequestHistory* request = request_of(round.session);
                   if (request == nullptr) return;
                   count_skipped(*request, round.seq);
                   request->rounds.push_back(std::move(round));
                 },
                 [&](SessionEnd&& end) {
                   RequestHistory* request = request_of(end.session);
                   if (request == nullptr) return;
                   count_skipped(*request, end.n_rounds);  // the last rounds may be missing too
                   request->end = std::move(end);
                 },
             },
             std::move(message));
}

void RecordStore::show_request(size_t request) {
  if (request == shown_ || request >= requests_.size()) return;
  shown_ = request;
  ++version_;
}

void RecordStore::begin(SessionInfo info) {
  const auto of_this_batch = [&](const RequestHistory& request) {
    return request.info && request.info->n_slots > 0 && request.info->session != info.session;
  };
  if (info.n_slots > 0 && std::ranges::all_of(requests_, of_this_batch)) {
    requests_.emplace_back();
  } else {
    requests_ = std::deque<RequestHistory>(1);
    shown_ = 0;
  }
  requests_.back().info = std::move(info);
}

RequestHistory* RecordStore::request_of(int64_t session) {
  if (!requests_[0].info) return &requests_[0];
  // Those in flight began last.
  const auto found = std::find_if(requests_.rbegin(), requests_.rend(),
                                  [&](const RequestHistory& request) { return request.info->session == session; });
  if (found != requests_.rend()) return &*found;
  // Once per session, not once per round.
  std::string error =
      fmt::format("rounds of session {} are not shown: its description could not be read", session);
  if (errors_.empty() || errors_.back() != error) report(std::move(error));
  return nullptr;
}

void RecordStore::count_skipped(RequestHistory& request, int64_t seq) {
  const int64_t expected_seq = request.rounds.empty() ? 0 : request.rounds.back().seq + 1;
  if (seq > expected_seq) request.n_skipped += seq - expected_seq;
}

}  // namespace draftscope
