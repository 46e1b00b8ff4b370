// How a batch begins, how requests come to it and how they leave.
#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/batch.h"
#include "engine/spare_memory.h"
#include "engine/start_checks.h"

namespace draftscope {
namespace {

constexpr int32_t kMaxSlots = 256;

Status check_options(const Pair& pair, const BatchOptions& options) {
  if (options.n_slots < 1 || options.n_slots > kMaxSlots) {
    return fail("batch: expected 1 to {} requests in flight, found {}", kMaxSlots, options.n_slots);
  }
  if (options.slot_tokens < 2) return fail("batch: expected room for 2 tokens or more in a slot, found {}", options.slot_tokens);
  if (Status ok = check_max_nodes(options.rule.max_nodes); !ok) return ok;
  if (Status ok = check_rule(pair, options.rule); !ok) return ok;
  if (Status ok = check_block(pair, options.block_size); !ok) return ok;
  return validate(options.cost);
}

}  // namespace

Batch::Batch(const Pair& pair, BatchOptions options) : pair_(&pair), options_(std::move(options)), cost_(options_.cost) {
  options_.slot_tokens = std::min(options_.slot_tokens, pair.target.config().max_positions);
  if (pair.drafter && options_.block_size == 0) options_.block_size = pair.drafter->config().block_size;
  const int32_t capacity = options_.slot_tokens + rows_after_text(max_tree_nodes(), options_.block_size);
  const int32_t n_trees = shares_budget(options_.rule.method) ? 1 : options_.n_slots;  // as large as that in one pass
  const int32_t max_rows = n_trees * max_tree_nodes() + options_.n_slots;
  pair.spare->drop();
  memory_ = std::make_unique<PairMemory>(PairMemory::make(pair, capacity, max_rows, options_.n_slots));
  slots_.resize(static_cast<size_t>(options_.n_slots));
}

int32_t Batch::max_tree_nodes() const {
  if (!drafts()) return 0;
  const int32_t max_nodes = options_.rule.max_nodes;
  return options_.rule.method == Method::kDflash ? std::min(max_nodes, options_.block_size - 1) : max_nodes;
}

Result<Batch> Batch::start(const Pair& pair, BatchOptions options) {
  if (Status ok = check_options(pair, options); !ok) return Error{ok.error()};
  return Batch(pair, std::move(options));
}

int32_t Batch::n_active() const {
  return static_cast<int32_t>(std::ranges::count_if(slots_, [](const auto& request) { return request != nullptr; }));
}

Result<SessionInfo> Batch::admit(const std::vector<int32_t>& prompt, TextOptions options,
                                 const std::function<bool(int32_t, int32_t)>& progress) {
  const auto slot = std::find(slots_.begin(), slots_.end(), nullptr);
  if (slot == slots_.end()) return fail("batch: expected a free slot, found all {} in use", options_.n_slots);
  if (Status ok = check_text(*pair_, prompt, options); !ok) return Error{ok.error()};
  for (const std::unique_ptr<Request>& other : slots_) {
    if (other != nullptr && other->text.options().session == options.session) {
      return fail("batch: expected a session id of its own for every request, found {} twice", options.session);
    }
  }
  TextState text(*pair_, std::move(options), static_cast<int32_t>(prompt.size()));
  if (text.n_prompt() + text.max_output() > options_.slot_tokens) {
    return fail("batch: expected prompt and output of at most {} tokens, the room of a slot, found {} and up to {}",
                options_.slot_tokens, text.n_prompt(), text.max_output());
  }
  const int32_t index = static_cast<int32_t>(slot - slots_.begin());
  const auto cache = [&](const KvCache& shared) {
    return shared.store ? KvCache{shared.store, 0, index * (shared.store->capacity / options_.n_slots)} : KvCache{};
  };
  auto request = std::make_unique<Request>(Request{std::move(text), cache(memory_->target_kv), cache(memory_->drafter_kv)});
  const auto began = std::chrono::steady_clock::now();
  company_changed_ = true;  // the prompt's passes also take the places of the loop's
  if (!memory_->read_prompt(*pair_, request->target, drafts() ? &request->drafter : nullptr, prompt,
                           request->text.n_answers(), progress)) {
    return fail("stopped while reading the prompt");
  }
  if (Status ok = check_first_answer(*pair_, memory_->target_top); !ok) return Error{ok.error()};
  request->text.begin(memory_->target_top, (std::chrono::steady_clock::now() - began) / std::chrono::nanoseconds(1));
  const SessionInfo info = info_of(request->text);
  *slot = std::move(request);
  retire();  // a first token may be the last
  return info;
}

SessionInfo Batch::info_of(const TextState& text) const {
  SessionInfo info = text.info();
  if (pair_->backend->has_round_loop()) {
    const bool stays = device_can_decide(*pair_, options_.rule.method, loop_sizes(text.n_answers()));
    info.backend += stays ? ", rounds on the device" : ", rounds decided on the host";
  }
  info.block_size = options_.block_size;
  info.method = options_.rule.method;
  info.budget = options_.rule.budget;
  info.cost = cost_.model();
  info.max_nodes = options_.rule.max_nodes;
  info.n_slots = options_.n_slots;
  return info;
}

void Batch::stop(EndReason reason) {
  for (const std::unique_ptr<Request>& request : slots_) {
    if (request != nullptr) request->text.stop(reason);
  }
  retire();
}

void Batch::retire() {
  for (std::unique_ptr<Request>& request : slots_) {
    if (request == nullptr || !request->text.done()) continue;
    finished_.push_back({request->text.end(), request->text.output()});
    request.reset();
    company_changed_ = true;
  }
}

std::vector<FinishedRequest> Batch::take_finished() { return std::exchange(finished_, {}); }

}  // namespace draftscope
