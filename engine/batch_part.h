// One request's part of a batch's pass at work; see batch.h.
#pragma once

#include "engine/batch.h"

namespace draftscope {

struct Batch::Part {
  Request* request;
  int32_t context_len;
  int32_t first_row = 0;  // of the request's root in the pass
  Marginals q;
  DraftTree tree;         // what is verified
  StopReason stop = StopReason::kFixedBudget;
  Verdict verdict;
  Accepted accepted;

  int32_t n_nodes() const { return tree.size() - 1; }
};

}  // namespace draftscope
