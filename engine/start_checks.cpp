#include "engine/start_checks.h"

#include <cmath>

#include "engine/record/policies.h"

namespace draftscope {

Status check_text(const Pair& pair, std::span<const int32_t> prompt, const TextOptions& options) {
  const TargetConfig& target = pair.target.config();
  if (prompt.empty()) return fail("prompt: expected at least one token, found none");
  if (static_cast<int64_t>(prompt.size()) >= target.max_positions) {
    return fail("prompt: expected fewer than {} tokens, the target's context, found {}", target.max_positions,
                prompt.size());
  }
  for (const int32_t token : prompt) {
    if (token < 0 || token >= target.vocab) return fail("prompt: expected token ids below {}, found {}", target.vocab, token);
  }
  if (options.max_tokens < 1) return fail("max tokens: expected at least 1, found {}", options.max_tokens);
  const SamplingOptions& sampling = options.sampling;
  if (!(sampling.temperature >= 0 && sampling.temperature <= 100)) {
    return fail("temperature: expected 0 to 100, found {}", sampling.temperature);
  }
  if (!(sampling.top_p > 0 && sampling.top_p <= 1)) return fail("top p: expected above 0 and up to 1, found {}", sampling.top_p);
  if (sampling.top_k < 0) return fail("top k: expected 0 or more, found {}", sampling.top_k);
  return success();
}

Status check_first_answer(const Pair& pair, const TopK& answer) {
  const int32_t vocab = pair.target.config().vocab;
  const double all_equal = -std::log(static_cast<double>(vocab));
  if (vocab == 1 || answer.log_p[0] > all_equal * (1 - 1e-6)) return success();
  return fail("target {}: expected some tokens likelier than others after the prompt, found all {} equally likely: its weights "
              "hold NaN, or only zeros", pair.target_name, vocab);
}

Status check_max_nodes(int32_t max_nodes) {
  if (max_nodes < 1 || max_nodes > 4096) return fail("max nodes: expected 1 to 4096, found {}", max_nodes);
  return success();
}

Status check_block(const Pair& pair, int32_t block_size) {
  if (!pair.drafter || block_size == 0 || (block_size >= 2 && block_size <= pair.drafter->config().block_size)) return success();
  return fail("block size: expected 2 to {}, the drafter's, found {}", pair.drafter->config().block_size, block_size);
}

Status check_rule(const Pair& pair, const BudgetRule& rule) {
  if (rule.method != Method::kPlain && !pair.drafter) {
    return fail("method {}: expected a drafter folder (--drafter DIR), found none", name(rule.method));
  }
  const Policy& policy = policy_of(rule.method);
  if (!policy.live) return fail("method {}: expected one that can decode, it needs hindsight", name(rule.method));
  if (rule.method == Method::kCalibrated && !rule.correction) {
    return fail("method calibrated: expected a correction (--correction FILE, made by draftscope calibrate), found none");
  }
  if (rule.budget < 0 || rule.budget > 4096) return fail("budget: expected 0 to 4096 nodes, found {}", rule.budget);
  if (policy.budget == BudgetUse::kNodes && (rule.budget < 1 || rule.budget > rule.max_nodes)) {
    return fail("budget: expected 1 to {} nodes, found {}", rule.max_nodes, rule.budget);
  }
  if (policy.budget == BudgetUse::kBucketRows && (rule.bucket_rows < 1 || rule.bucket_rows > 4096)) {
    return fail("bucket: expected 1 to 4096 rows, found {}", rule.bucket_rows);
  }
  return success();
}

}  // namespace draftscope
