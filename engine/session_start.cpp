// How a session begins and ends: checks, memory, prefill, and what is said about it.
#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/session.h"
#include "engine/start_checks.h"

namespace draftscope {
namespace {

Status check_start(const Pair& pair, const std::vector<int32_t>& prompt, const SessionOptions& options, const TextOptions& text) {
  if (Status ok = check_text(pair, prompt, text); !ok) return ok;
  if (options.dense && (options.rule.method != Method::kPlain || !pair.drafter)) {
    return fail("dense recording: expected plain decoding with a drafter at hand, found method {} {} drafter",
                name(options.rule.method), pair.drafter ? "with a" : "without a");
  }
  if (Status ok = check_max_nodes(options.rule.max_nodes); !ok) return ok;
  return check_block(pair, options.block_size);
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

Session::Session(const Pair& pair, SessionOptions options, TextState text)
    : pair_(&pair), options_(std::move(options)), text_(std::move(text)) {
  if (pair.drafter && options_.block_size == 0) options_.block_size = pair.drafter->config().block_size;
}

Session::~Session() {
  if (memory_ == nullptr || !text_.done() || text_.end().reason == EndReason::kError) return;
  pair_->spare->keep(*pair_, {std::move(memory_), std::move(sized_)});
}

Result<Session> Session::start(const Pair& pair, const std::vector<int32_t>& prompt, SessionOptions options,
                               const std::function<bool(int32_t, int32_t)>& progress) {
  const TextOptions text{options.session, options.max_tokens, options.sampling, options.stop_ids, options.prompt_utf8};
  if (Status ok = check_start(pair, prompt, options, text); !ok) return Error{ok.error()};
  const bool is_guess = !options.cost;
  const CostModel cost = is_guess ? made_up_cost() : *options.cost;
  const BudgetRule rule = options.rule;
  Session session(pair, std::move(options), TextState(pair, text, static_cast<int32_t>(prompt.size())));
  if (Status ok = session.set_cost(cost); !ok) return Error{ok.error()};
  session.cost_is_guess_ = is_guess;
  if (Status ok = session.set_rule(rule); !ok) return Error{ok.error()};

  const int32_t max_rows = std::max(kPromptRows, session.options_.rule.max_nodes + 1);
  const int32_t capacity = session.text_.n_prompt() + session.text_.max_output() +
                           rows_after_text(session.options_.rule.max_nodes, session.options_.block_size);
  SessionMemory spare = pair.spare->take(pair, capacity, max_rows);
  session.memory_ = std::move(spare.memory);
  session.sized_ = std::move(spare.sized);

  const auto began = std::chrono::steady_clock::now();
  PairMemory& memory = *session.memory_;
  if (!memory.read_prompt(pair, memory.target_kv, pair.drafter ? &memory.drafter_kv : nullptr, prompt,
                          session.text_.n_answers(), progress)) {
    return fail("stopped while reading the prompt");
  }
  if (Status ok = check_first_answer(pair, memory.target_top); !ok) return Error{ok.error()};
  session.text_.begin(memory.target_top, (std::chrono::steady_clock::now() - began) / std::chrono::nanoseconds(1));
  return session;
}

Status Session::set_rule(BudgetRule rule) {
  if (!rule.correction) rule.correction = options_.rule.correction;
  rule.max_nodes = options_.rule.max_nodes;  // memory was sized for it
  if (Status ok = check_rule(*pair_, rule); !ok) return ok;
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
  SessionInfo info = text_.info();
  if (pair_->backend->has_round_loop()) {
    info.backend += rounds_on_device() ? ", rounds on the device" : ", rounds decided on the host";
  }
  info.block_size = options_.block_size;
  info.method = options_.rule.method;
  info.budget = options_.rule.budget;
  info.cost = online_cost_ ? online_cost_->prior() : cost_->model();
  info.dense = options_.dense;
  info.max_nodes = options_.rule.max_nodes;
  return info;
}

}  // namespace draftscope
