// Start checks: what a session and a batch refuse before they begin, in the same words.
#pragma once

#include <cstdint>
#include <span>

#include "engine/model/pair.h"
#include "engine/speculate/budget.h"
#include "engine/text_state.h"

namespace draftscope {

/// A prompt that is empty, too long for the target or holds ids that it does not know; sampling that means nothing.
Status check_text(const Pair& pair, std::span<const int32_t> prompt, const TextOptions& options);
/// A method that needs what is not there, and numbers that it cannot use.
Status check_rule(const Pair& pair, const BudgetRule& rule);
/// A block that the drafter does not have; 0 is as trained.
Status check_block(const Pair& pair, int32_t block_size);
Status check_max_nodes(int32_t max_nodes);
/// The target's answer to the prompt. NaN counts as the lowest logit, so a target whose weights hold some finds every token
/// as likely as every other, and would go on saying the first.
Status check_first_answer(const Pair& pair, const TopK& answer);

}  // namespace draftscope
