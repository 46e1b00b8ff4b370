#include "app/round_text.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/base/utf8.h"
#include "ui/view/decoded_tokens.h"

namespace draftscope {
namespace {

double to_ms(int64_t ns) { return static_cast<double>(ns) * 1e-6; }

nlohmann::json stage_json(const StageTimes& times) {
  return {{"draft_ms", to_ms(times.draft_ns)},   {"grow_ms", to_ms(times.grow_ns)},
          {"verify_ms", to_ms(times.verify_ns)}, {"accept_ms", to_ms(times.accept_ns)},
          {"commit_ms", to_ms(times.commit_ns)}, {"provenance", name(times.provenance)}};
}

nlohmann::json shared_json(const std::optional<SharedPass>& shared) {
  if (!shared) return nullptr;
  return {{"pass", shared->pass}, {"requests", shared->n_requests}, {"rows", shared->n_rows}, {"tokens", shared->n_tokens},
          {"expected_tokens", shared->expected_tokens}, {"theta_tokens_per_s", shared->theta_tokens_per_s}};
}

nlohmann::json to_json(const SessionInfo& info) {
  return {{"type", "session"}, {"session", info.session}, {"slots", info.n_slots}, {"target", info.target_name}, {"drafter", info.drafter_name}, {"backend", info.backend},
          {"precision", info.precision}, {"machine", info.machine}, {"note", info.note}, {"prompt", info.prompt_utf8},
          {"prompt_tokens", info.prompt_tokens}, {"method", name(info.method)}, {"budget", info.budget},
          {"temperature", info.temperature}, {"seed", info.seed}, {"cost", info.cost.label}};
}

nlohmann::json to_json(const RoundRecord& round) {
  const BudgetDecision& d = round.decision;
  return {{"type", "round"}, {"session", round.session}, {"seq", round.seq}, {"context_len", round.context_len}, {"method", name(round.method)},
          {"nodes", d.chosen}, {"faithful_stop", d.faithful_stop}, {"global_best", d.global_best},
          {"runner_up", d.runner_up}, {"stop", name(d.stop)}, {"path", round.accepted.path},
          {"bonus", round.accepted.bonus}, {"text", round.committed_utf8}, {"took", stage_json(round.took)},
          {"predicted", stage_json(round.predicted)}, {"telemetry_ms", to_ms(round.telemetry_ns)},
          {"cost_drift", round.cost_drift}, {"drift_alarm", round.drift_alarm}, {"shared", shared_json(round.shared)}};
}

nlohmann::json to_json(const SessionEnd& end) {
  return {{"type", "end"}, {"session", end.session}, {"reason", name(end.reason)}, {"message", end.message}, {"tokens", end.n_tokens},
          {"decoded_tokens", decoded_tokens(end)}, {"rounds", end.n_rounds}, {"decode_ms", to_ms(end.decode_ns)},
          {"prefill_ms", to_ms(end.prefill_ns)}, {"tokens_per_round", tokens_per_round(decoded_tokens(end), end.n_rounds)},
          {"tokens_per_s", tokens_per_s(decoded_tokens(end), end.decode_ns)}, {"text", end.output_utf8}};
}

}  // namespace

std::string in_quotes(std::string_view text) {
  return nlohmann::json(replace_broken_utf8(text)).dump(-1, ' ', false);
}

std::string info_text(const SessionInfo& info) {
  std::string text = fmt::format("{} + {} on {}, {} ({})\n", info.target_name,
                                 info.drafter_name.empty() ? "no drafter" : info.drafter_name, info.machine, info.backend,
                                 info.precision);
  text += fmt::format("method {}, temperature {}, seed {}, cost model: {}{}\n", name(info.method), info.temperature,
                      info.seed, info.cost.label, info.note.empty() ? "" : "; " + info.note);
  if (info.n_slots > 0) text = fmt::format("request {} of a batch, {} in flight at most\n", info.session, info.n_slots) + text;
  return text + fmt::format("prompt ({} tokens): {}\n", info.prompt_tokens, in_quotes(info.prompt_utf8));
}

std::string round_text(const RoundRecord& round) {
  const BudgetDecision& d = round.decision;
  std::string path;
  for (size_t i = 1; i < round.accepted.path.size(); ++i) {
    path += round.text.text_of(round.tree.token[round.accepted.path[i]]);
  }
  std::string text = fmt::format("round {:>4}  context {:>5}  {:<8}  verified {:>3} nodes  accepted {:>2}  {} + bonus {}\n",
                                 round.seq, round.context_len, name(round.method), d.chosen,
                                 round.accepted.path.size() - 1, in_quotes(path),
                                 in_quotes(round.text.text_of(round.accepted.bonus)));
  text += fmt::format("            measured {:.2f} ms (draft {:.2f}, grow {:.2f}, verify {:.2f}, accept {:.2f}, commit {:.2f})",
                      to_ms(round.took.total_ns()), to_ms(round.took.draft_ns), to_ms(round.took.grow_ns),
                      to_ms(round.took.verify_ns), to_ms(round.took.accept_ns), to_ms(round.took.commit_ns));
  text += fmt::format(", {} {:.2f} ms\n", name(round.predicted.provenance), to_ms(round.predicted.total_ns()));
  if (!d.theta_tokens_per_s.empty()) {
    const auto theta = [&](int32_t n) {
      return n < static_cast<int32_t>(d.theta_tokens_per_s.size()) ? d.theta_tokens_per_s[n] : std::nan("");
    };
    text += fmt::format("            theta at {} nodes {:.0f} tokens/s; CaDDTree's stop {} gives {:.0f}, the best is {} with {:.0f} ({})\n",
                        d.chosen, theta(d.chosen), d.faithful_stop, theta(d.faithful_stop), d.global_best,
                        theta(d.global_best), name(d.provenance));
  }
  if (round.shared) {
    text += fmt::format("            request {} in pass {} of {} requests: {} rows, {} tokens in all; times and theta are the whole pass's\n",
                        round.session, round.shared->pass, round.shared->n_requests, round.shared->n_rows, round.shared->n_tokens);
  }
  if (round.drift_alarm) {
    text += fmt::format("            drift: passes take {:.2f} times what the cost model says; it may be time to profile again\n",
                        round.cost_drift);
  }
  return text;
}

std::string end_text(const SessionEnd& end) {
  const int64_t n_decoded = decoded_tokens(end);
  return fmt::format("{}{}: {} tokens, {} decoded in {} rounds, {:.2f} tokens per round, {:.1f} tokens/s measured; prompt {:.1f} ms\n",
                     name(end.reason), end.message.empty() ? "" : " (" + end.message + ")", end.n_tokens, n_decoded,
                     end.n_rounds, tokens_per_round(n_decoded, end.n_rounds), tokens_per_s(n_decoded, end.decode_ns),
                     to_ms(end.prefill_ns));
}

std::string message_json(const Message& message) {
  return std::visit([](const auto& m) { return to_json(m).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); },
                    message);
}

}  // namespace draftscope
