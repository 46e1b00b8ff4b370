// How a session begins and ends: checks, memory, prefill, and what is said about it.
#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/base/utf8.h"
#include "engine/record/policies.h"
#include "engine/session.h"

namespace draftscope {
namespace {

Status check_start(const Pair& pair, const std::vector<int32_t>& prompt, const SessionOptions& options) {
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
  if (options.dense && (options.rule.method != Method::kPlain || !pair.drafter)) {
    return fail("dense recording: expected plain decoding with a drafter at hand, found method {} {} drafter",
                name(options.rule.method), pair.drafter ? "with a" : "without a");
  }
  if (options.rule.max_nodes < 1 || options.rule.max_nodes > 4096) {
    return fail("max nodes: expected 1 to 4096, found {}", options.rule.max_nodes);
  }
  if (!(options.sampling.temperature >= 0 && options.sampling.temperature <= 100)) {
    return fail("temperature: expected 0 to 100, found {}", options.sampling.temperature);
  }
  if (!(options.sampling.top_p > 0 && options.sampling.top_p <= 1)) {
    return fail("top p: expected above 0 and up to 1, found {}", options.sampling.top_p);
  }
  if (options.sampling.top_k < 0) return fail("top k: expected 0 or more, found {}", options.sampling.top_k);
  if (pair.drafter && options.block_size != 0 &&
      (options.block_size < 2 || options.block_size > pair.drafter->config().block_size)) {
    return fail("block size: expected 2 to {}, the drafter's, found {}", pair.drafter->config().block_size,
                options.block_size);
  }
  return success();
}

/// Made up, so that a session without a profile can still choose: a pass of 4 ms that grows tenfold over 4,096 rows.
CostModel made_up_cost() {
  CostModel cost;
  cost.kind = CostKind::kByHand;
  cost.label = "made up, not measured";
  cost.source = "no profile";
  cost.context = {0};
  cost.rows = {1, 4096};
  cost.verify_s = {0.004, 0.040};
  cost.draft_s = {0.001};
  return cost;
}

}  // namespace

Session::Session(const Pair& pair, SessionOptions options) : pair_(&pair), options_(std::move(options)) {
  const TargetConfig& target = pair.target.config();
  stop_ids_ = options_.stop_ids.value_or(target.eos_ids);
  if (pair.drafter && options_.block_size == 0) options_.block_size = pair.drafter->config().block_size;
}

Result<Session> Session::start(const Pair& pair, const std::vector<int32_t>& prompt, SessionOptions options,
                               const std::function<bool(int32_t, int32_t)>& progress) {
  if (Status ok = check_start(pair, prompt, options); !ok) return Error{ok.error()};
  const bool is_guess = !options.cost;
  const CostModel cost = is_guess ? made_up_cost() : *options.cost;
  const BudgetRule rule = options.rule;
  Session session(pair, std::move(options));
  if (Status ok = session.set_cost(cost); !ok) return Error{ok.error()};
  session.cost_is_guess_ = is_guess;
  if (Status ok = session.set_rule(rule); !ok) return Error{ok.error()};

  const TargetConfig& target = pair.target.config();
  session.n_prompt_ = static_cast<int32_t>(prompt.size());
  const int32_t room = target.max_positions - session.n_prompt_;
  session.context_is_limit_ = room < session.options_.max_tokens;
  session.max_output_ = std::min(room, session.options_.max_tokens);
  const int32_t max_rows = std::max(kPromptRows, session.options_.rule.max_nodes + 1);
  const int32_t capacity = session.n_prompt_ + session.max_output_ + max_rows + 64;
  session.memory_ = std::make_unique<PairMemory>(PairMemory::make(pair, capacity, max_rows));

  const auto began = std::chrono::steady_clock::now();
  if (!session.prefill(prompt, progress)) return fail("stopped while reading the prompt");
  session.prefill_ns_ = (std::chrono::steady_clock::now() - began) / std::chrono::nanoseconds(1);
  return session;
}

bool Session::prefill(const std::vector<int32_t>& prompt, const std::function<bool(int32_t, int32_t)>& progress) {
  for (int32_t first = 0; first < n_prompt_; first += kPromptRows) {
    if (progress && !progress(first, n_prompt_)) return false;
    const int32_t n_rows = std::min(kPromptRows, n_prompt_ - first);
    memory_->read(*pair_, std::span(prompt).subspan(first, n_rows));
    if (first + n_rows == n_prompt_) {
      const Act last{memory_->target_work.hidden->act.row(n_rows - 1), 1, memory_->target_work.hidden->act.cols};
      pair_->target.head(last, n_target_ranks(), memory_->target_top);
    }
  }
  root_token_ = memory_->target_top.token[choose_rank(memory_->target_top.log_p, n_prompt_, options_.sampling)];
  append_output(root_token_);
  return true;
}

Status Session::set_rule(BudgetRule rule) {
  if (rule.method != Method::kPlain && !pair_->drafter) {
    return fail("method {}: expected a drafter folder (--drafter DIR), found none", name(rule.method));
  }
  const Policy& policy = policy_of(rule.method);
  if (!policy.live) return fail("method {}: expected one that can decode, it needs hindsight", name(rule.method));
  if (!rule.correction) rule.correction = options_.rule.correction;
  if (rule.method == Method::kCalibrated && !rule.correction) {
    return fail("method calibrated: expected a correction (--correction FILE, made by draftscope calibrate), found none");
  }
  rule.max_nodes = options_.rule.max_nodes;  // memory was sized for it
  if (policy.budget == BudgetUse::kNodes && (rule.budget < 1 || rule.budget > rule.max_nodes)) {
    return fail("budget: expected 1 to {} nodes, found {}", rule.max_nodes, rule.budget);
  }
  if (policy.budget == BudgetUse::kBucketRows && (rule.bucket_rows < 1 || rule.bucket_rows > 4096)) {
    return fail("bucket: expected 1 to 4096 rows, found {}", rule.bucket_rows);
  }
  options_.rule = rule;
  tell_loop();
  return success();
}

Status Session::set_cost(CostModel cost) {
  if (Status ok = validate(cost); !ok) return ok;
  online_cost_.reset();
  if (options_.online_cost) online_cost_.emplace(cost);
  cost_ = std::make_unique<CostTable>(std::move(cost));
  cost_is_guess_ = false;
  tell_loop();
  return success();
}

SessionInfo Session::info() const {
  SessionInfo info;
  info.session = options_.session;
  info.target_name = pair_->target_name;
  info.drafter_name = pair_->drafter_name;
  info.backend = pair_->backend->describe();
  if (pair_->backend->has_round_loop()) {
    info.backend += device_can_decide() ? ", rounds on the device" : ", rounds decided on the host";
  }
  info.precision = pair_->backend->precision() == Precision::kBf16 ? "bf16" : "f32";
  info.machine = machine_name();
  info.note = pair_->note;
  info.prompt_utf8 = replace_broken_utf8(options_.prompt_utf8);
  info.prompt_tokens = n_prompt_;
  info.block_size = options_.block_size;
  info.max_tokens = options_.max_tokens;
  info.method = options_.rule.method;
  info.budget = options_.rule.budget;
  info.temperature = options_.sampling.temperature;
  info.seed = options_.sampling.seed;
  info.cost = online_cost_ ? online_cost_->prior() : cost_->model();
  info.dense = options_.dense;
  info.max_nodes = options_.rule.max_nodes;
  return info;
}

SessionEnd Session::end() const {
  DS_CHECK(done());
  SessionEnd end;
  end.session = options_.session;
  end.reason = *end_reason_;
  end.n_tokens = static_cast<int64_t>(output_.size());
  end.n_rounds = n_rounds_;
  end.decode_ns = decode_ns_;
  end.prefill_ns = prefill_ns_;
  end.output_utf8 = replace_broken_utf8(output_bytes_);
  return end;
}

}  // namespace draftscope
