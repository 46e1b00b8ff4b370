// Realistic messages that keep every invariant, for tests of whatever reads records. Same seed, same message.
#pragma once

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/record/make_parts.h"

namespace draftscope::test {

/// The target agrees with one of a node's children three times out of four.
inline Verdict make_verdict(Random& random, const DraftTree& tree, int32_t n_rows) {
  Verdict verdict;
  for (int32_t node = 0; node < n_rows; ++node) {
    int32_t choice = token_id(random.below(kTexts_n));
    const auto child = std::find(tree.parent.begin() + 1, tree.parent.end(), node);
    if (child != tree.parent.end() && random.unit() < 0.75) choice = tree.token[child - tree.parent.begin()];
    verdict.choice.push_back(choice);
    const bool known = random.unit() < 0.9;
    verdict.choice_log_p.push_back(known ? static_cast<float>(-2 * random.unit())
                                         : std::numeric_limits<float>::quiet_NaN());
  }
  return verdict;
}

inline Accepted make_accepted(const DraftTree& tree, const Verdict& verdict) {
  Accepted accepted{{0}, verdict.choice[0]};
  const int32_t n_rows = static_cast<int32_t>(verdict.choice.size());
  for (int32_t node = 1; node < n_rows; ++node) {
    if (tree.parent[node] != accepted.path.back() || tree.token[node] != accepted.bonus) continue;
    accepted.path.push_back(node);
    accepted.bonus = verdict.choice[node];
  }
  return accepted;
}

/// Round number `seed` of session 1: `n_nodes` candidates below the root (0: plain decoding), the best of
/// them verified. Consecutive seeds give consecutive seq, so seeds 0, 1, 2, ... make a stream without gaps.
inline RoundRecord make_round(uint64_t seed, int n_nodes) {
  Random random{std::mt19937_64(seed * 1000 + static_cast<uint64_t>(n_nodes))};
  RoundRecord round;
  round.seq = static_cast<int64_t>(seed);
  round.session = 1;
  round.context_len = 40 + 5 * static_cast<int32_t>(seed % 10000);
  round.method = n_nodes == 0 ? Method::kPlain : Method::kExact;
  round.temperature = seed % 2 == 0 ? 0.0f : 0.7f;
  if (n_nodes > 0) round.q = make_marginals(random, std::min(n_nodes, kTexts_n));
  round.tree = make_tree(round.q, token_id(random.below(kTexts_n)), n_nodes);
  round.decision = make_decision(round.tree);
  round.verdict = make_verdict(random, round.tree, round.n_verified_rows());
  round.accepted = make_accepted(round.tree, round.verdict);
  const double verify_s = make_cost_s(round.decision.chosen);
  const double draft_s = n_nodes == 0 ? 0 : 0.005;
  round.took = {random.around_ns(draft_s), random.around_ns(0.0002), random.around_ns(verify_s),
                random.around_ns(0.00001), random.around_ns(0.0004), Provenance::kMeasured};
  round.predicted = {static_cast<int64_t>(draft_s * 1e9),
                     200'000,
                     static_cast<int64_t>(verify_s * 1e9),
                     10'000,
                     400'000,
                     Provenance::kPredicted};
  round.telemetry_ns = random.around_ns(0.00003);
  round.cost_drift = 0.9 + 0.3 * random.unit();
  round.drift_alarm = round.cost_drift > 1.1;
  std::vector<int32_t> tokens = round.q.token;
  tokens.insert(tokens.end(), round.verdict.choice.begin(), round.verdict.choice.end());
  tokens.push_back(round.tree.token[0]);
  round.text = TokenText::of(std::move(tokens), bytes_of);
  std::string committed;
  for (size_t i = 1; i < round.accepted.path.size(); ++i)
    committed += bytes_of(round.tree.token[round.accepted.path[i]]);
  committed += bytes_of(round.accepted.bonus);
  round.committed_utf8 = replace_broken_utf8(committed);
  return round;
}

/// The same in a pass of `n_requests` requests, `session` among them; the others verify 9 rows and commit 3 tokens each.
inline RoundRecord make_shared_round(uint64_t seed, int n_nodes, int64_t session, int64_t pass, int32_t n_requests) {
  RoundRecord round = make_round(seed, n_nodes);
  round.session = session;
  const int32_t n_others = n_requests - 1;
  round.shared = SharedPass{pass,
                            n_requests,
                            round.n_verified_rows() + 9 * n_others,
                            static_cast<int32_t>(round.accepted.path.size()) + 3 * n_others,
                            4.5 * n_requests,
                            123.5 * n_requests};
  return round;
}

/// The session of make_round, with a cost model of 3 contexts and 11 row counts.
inline SessionInfo make_info() {
  SessionInfo info;
  info.session = 1;
  info.target_name = "Qwen3-4B";
  info.drafter_name = "Qwen3-4B-DFlash-b16";
  info.backend = "cpu avx2, 2 threads";
  info.precision = "bf16";
  info.machine = "a test machine";
  info.note = "made up for a test";
  info.prompt_utf8 = "Write a haiku about 树 and 🌳.\nNothing else.";
  info.prompt_tokens = 40;
  info.block_size = kDepths + 1;
  info.max_tokens = 256;
  info.method = Method::kExact;
  info.budget = 64;
  info.temperature = 0.7f;
  info.seed = 0xFEDCBA9876543210u;
  info.cost.kind = CostKind::kMeasured;
  info.cost.label = "made up for a test";
  info.cost.source = "tests/record/make_record.h";
  info.cost.model = info.target_name;
  info.cost.machine = info.machine;
  info.cost.backend = info.backend;
  info.cost.context = {128, 1024, 8192};
  info.cost.rows = {1, 2, 4, 8, 16, 17, 32, 33, 64, 128, 257};
  for (size_t c = 0; c < info.cost.context.size(); ++c) {
    for (const int32_t rows : info.cost.rows) {
      const double slower = 1 + 0.1 * static_cast<double>(c);
      info.cost.verify_s.push_back(make_cost_s(rows - 1) * slower);
      info.cost.spread_s.push_back(0.0003 * slower);
    }
    info.cost.draft_s.push_back(0.005 + 0.0001 * static_cast<double>(c));
    info.cost.plain_s.push_back(0.9 * info.cost.verify_s[c * info.cost.rows.size()]);
  }
  info.cost.overhead_s = 0.00061;
  return info;
}

/// The end of `n_rounds` rounds of make_round, with every field set, an error sentence too.
inline SessionEnd make_end(int64_t n_rounds = 0) {
  SessionEnd end;
  end.session = 1;
  end.reason = EndReason::kError;
  end.message = "made up for a test";
  end.n_tokens = 4 * n_rounds;
  end.n_rounds = n_rounds;
  end.decode_ns = 987'654'321;
  end.prefill_ns = 12'345'678;
  end.output_utf8 = "叶落 — 🍂\nleaves fall";
  return end;
}

/// What a batch of up to `n_requests` leaves in a trace: a request more with every pass until all are in flight, `n_rounds`
/// rounds each, 64 candidates shared among those in flight.
inline std::vector<Message> make_batch(int32_t n_requests, int32_t n_rounds) {
  std::vector<Message> messages;
  for (int32_t pass = 0; pass < n_requests + n_rounds; ++pass) {
    const int32_t first = std::max(0, pass - n_rounds + 1), last = std::min(pass, n_requests - 1);
    if (pass < n_requests) {
      SessionInfo info = make_info();
      info.session = pass + 1;
      info.n_slots = n_requests;
      info.prompt_utf8 = "Prompt number " + std::to_string(pass + 1);
      messages.emplace_back(std::move(info));
    }
    for (int32_t request = first; request <= last; ++request) {
      const int32_t in_flight = last - first + 1;
      messages.emplace_back(
          make_shared_round(static_cast<uint64_t>(pass - request), 64 / in_flight, request + 1, pass, in_flight));
    }
    if (pass >= n_rounds - 1 && first < n_requests) {
      SessionEnd end = make_end(n_rounds);
      end.session = first + 1;
      end.reason = EndReason::kMaxTokens;
      end.message.clear();
      messages.emplace_back(std::move(end));
    }
  }
  return messages;
}

}  // namespace draftscope::test
