#include "ui/store.h"

#include <utility>

namespace draftscope {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace

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
                   const int64_t expected_seq = rounds_.empty() ? 0 : rounds_.back().seq + 1;
                   if (round.seq > expected_seq) n_skipped_ += round.seq - expected_seq;
                   rounds_.push_back(std::move(round));
                 },
                 [&](SessionEnd&& end) { end_ = std::move(end); },
             },
             std::move(message));
}

}  // namespace draftscope
