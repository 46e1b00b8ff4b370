// Two records of the same round, decided in different places.
#pragma once

#include <gtest/gtest.h>

#include "engine/record/round.h"

namespace draftscope {

inline void expect_same_round(const RoundRecord& device, const RoundRecord& host) {
  EXPECT_EQ(device.session, host.session);
  EXPECT_EQ(device.seq, host.seq);
  EXPECT_EQ(device.context_len, host.context_len);
  EXPECT_EQ(device.tree.token, host.tree.token);
  EXPECT_EQ(device.tree.parent, host.tree.parent);
  EXPECT_EQ(device.tree.path_log_q, host.tree.path_log_q);
  EXPECT_EQ(device.decision.chosen, host.decision.chosen);
  EXPECT_EQ(device.decision.stop, host.decision.stop);
  EXPECT_EQ(device.decision.theta_tokens_per_s, host.decision.theta_tokens_per_s);
  EXPECT_EQ(device.verdict.choice, host.verdict.choice);
  EXPECT_EQ(device.verdict.choice_log_p, host.verdict.choice_log_p);
  EXPECT_EQ(device.accepted.path, host.accepted.path);
  EXPECT_EQ(device.accepted.bonus, host.accepted.bonus);
  EXPECT_EQ(device.committed_utf8, host.committed_utf8);
  EXPECT_GT(device.took.verify_ns, 0);
}

}  // namespace draftscope
