#include "app/bench_lab.h"

#include <algorithm>
#include <utility>

#include "app/cost_file.h"
#include "app/options.h"
#include "engine/lab/simulate.h"
#include "engine/speculate/budget.h"

namespace draftscope {
namespace {

constexpr int32_t kTile = 16;
constexpr const char* kReferences[] = {"cost/a800-qwen3-4b-convex.json", "cost/a800-qwen3-8b-convex.json",
                                       "cost/published-probes.json"};

Result<std::vector<CostModel>> read_references(const char* relative) {
  Result<std::string> path = find_asset(relative);
  if (!path) return Error{path.error()};
  return read_costs(*path);
}

/// What a reader has to know about a cost model before its figures.
std::vector<std::string> notes_of(const CostModel& model, int32_t max_nodes) {
  std::vector<std::string> notes;
  if (model.rows.back() < max_nodes + 1) {
    notes.push_back(fmt::format("Measured for passes of {} to {} rows only; larger ones follow the last slope.",
                                model.rows.front(), model.rows.back()));
  }
  const bool no_draft = std::all_of(model.draft_s.begin(), model.draft_s.end(), [](double s) { return s == 0; });
  if (no_draft && model.overhead_s == 0) {
    notes.push_back("The time of drafting was not published and counts as zero, which favours every policy over plain decoding.");
  }
  if (model.kind == CostKind::kMeasured && !no_draft && model.plain_s.empty()) {
    notes.push_back("Plain decoding counts as a pass of one row, which a profile may have timed behind a drafter block; without "
                    "a drafter it can be faster, so ratios to it are an upper bound.");
  }
  return notes;
}

/// `rule` with CAST's width, which a generation takes from its first draft.
BudgetRule with_width(BudgetRule rule, const PreparedText& text, const CostTable& table) {
  if (rule.method != Method::kCast || rule.width != 0) return rule;
  const PreparedPosition& first = text.at.front();
  const auto n = static_cast<size_t>(std::min(first.n_candidates(), rule.max_nodes)) + 1;
  rule.width = cast_width(std::span(first.expected_tokens).first(n), table.at(first.context_len, rule.max_nodes));
  return rule;
}

CostPicture picture_of(const CostTable& table, int32_t context_len, int32_t max_nodes) {
  const RoundCost cost = table.at(context_len, max_nodes);
  CostPicture picture{context_len, std::min(max_nodes, table.model().rows.back() - 1), cost.verify_s, {}, cost.faithful_s};
  for (int32_t n = 0; n <= max_nodes; ++n) picture.round_s.push_back(cost.total_s(n));
  return picture;
}

}  // namespace

Result<std::vector<LabCost>> bench_costs(const CostModel& own) {
  std::vector<LabCost> costs = {
      {"Cost model of this run", own, {}},
      {fmt::format("The same as a staircase of {} rows", kTile), staircase(own, kTile),
       {fmt::format("Made from the cost model of this run: a pass costs what a full tile of {} rows costs.", kTile)}}};
  for (const char* relative : kReferences) {
    Result<std::vector<CostModel>> models = read_references(relative);
    if (!models) return Error{models.error()};
    for (CostModel& model : *models) {
      costs.push_back({fmt::format("{}, {}", model.machine, model.model), std::move(model), {}});
    }
  }
  return costs;
}

BenchLab::BenchLab(std::vector<LabCost> costs, std::vector<BenchPolicy> policies) : policies_(std::move(policies)) {
  for (const BenchPolicy& policy : policies_) {
    max_nodes_ = std::max(max_nodes_, policy.rule.max_nodes);
    if (policy.rule.correction) correction_ = policy.rule.correction;
  }
  for (LabCost& cost : costs) {
    ReportSection section;
    section.title = std::move(cost.title);
    section.cost_label = cost.model.label;
    section.cost_source = cost.model.source;
    section.notes = std::move(cost.notes);
    for (std::string& note : notes_of(cost.model, max_nodes_)) section.notes.push_back(std::move(note));
    for (const BenchPolicy& policy : policies_) section.policies.push_back(empty_row(policy));
    models_.push_back({CostTable(std::move(cost.model)), std::move(section), {}});
  }
}

Result<bool> BenchLab::add(const Pair& pair, const std::vector<int32_t>& prompt, SessionOptions base) {
  base.rule = BudgetRule{.method = Method::kPlain, .max_nodes = max_nodes_};
  base.dense = true;
  base.whole_curves = false;
  base.online_cost = false;
  Result<Session> session = Session::start(pair, prompt, std::move(base));
  if (!session) return Error{session.error()};
  std::vector<RoundRecord> rounds;
  while (!session->done() && !interrupted()) rounds.push_back(session->round());
  if (!session->done()) return false;
  if (rounds.empty()) {  // the prompt's own pass already ended the text
    for (Model& model : models_) {
      for (PolicyRow& row : model.section.policies) row.prompts.emplace_back();
    }
    return true;
  }
  Result<DenseText> text = dense_text(session->info(), rounds);
  if (!text) return Error{text.error()};
  const PreparedTexts texts = prepare_all(*std::move(text), correction_);
  for (const PreparedPosition& here : texts.by_order[0].at) context_sum_ += here.context_len, ++n_positions_;
  for (Model& model : models_) {
    simulate_all(texts, model);
    expect_all(texts, model);
  }
  return true;
}

void BenchLab::simulate_all(const PreparedTexts& texts, Model& model) const {
  for (size_t i = 0; i < policies_.size(); ++i) {
    const BudgetRule& rule = policies_[i].rule;
    const SimulatedRun run = simulate(prepared_for(texts, rule.method), model.table, rule);
    PromptFigures figures;
    figures.n_tokens = run.n_tokens;
    figures.n_rounds = static_cast<int64_t>(run.rounds.size());
    figures.seconds = run.seconds;
    for (const SimulatedRound& round : run.rounds) {
      figures.n_nodes += round.chosen;
      count_round(model.section.policies[i], round.chosen);
    }
    model.section.policies[i].prompts.push_back(figures);
  }
}

// Every policy at every position: what it expects there, whatever rounds it would have cut the text into.
void BenchLab::expect_all(const PreparedTexts& texts, Model& model) const {
  std::vector<BudgetRule> rules;
  for (const BenchPolicy& policy : policies_) {
    rules.push_back(with_width(policy.rule, prepared_for(texts, policy.rule.method), model.table));
  }
  for (size_t position = 0; position < texts.text.at.size(); ++position) {
    const RoundCost cost = model.table.at(texts.text.at[position].context_len, max_nodes_);
    double exact = 0, caddtree = 0;
    int32_t exact_n = 0, caddtree_n = 0;
    for (size_t i = 0; i < rules.size(); ++i) {
      const BudgetRule& rule = rules[i];
      if (rule.method == Method::kOracle) continue;
      const PreparedPosition& here = prepared_for(texts, rule.method).at[position];
      const auto n_seen = static_cast<size_t>(std::min(here.n_candidates(), rule.max_nodes)) + 1;
      const bool plain = rule.method == Method::kPlain;
      const int32_t n = plain ? 0 : decide(std::span(here.expected_tokens).first(n_seen), cost, rule);
      const double theta = plain ? 1 / cost.plain_s : here.expected_tokens[static_cast<size_t>(n)] / cost.total_s(n);
      PromptFigures& figures = model.section.policies[i].prompts.back();
      figures.expected_sum += theta;
      ++figures.n_expected;
      if (rule.method == Method::kExact) exact = theta, exact_n = n;
      if (rule.method == Method::kCaddtree) caddtree = theta, caddtree_n = n;
    }
    if (exact == 0 || caddtree == 0) continue;  // one of them was not asked for
    ++model.margin.n_positions;
    model.margin.n_different += exact_n != caddtree_n;
    const double ratio = exact / caddtree;
    model.margin.worst = model.margin.n_positions == 1 ? ratio : std::min(model.margin.worst, ratio);
    model.exact_theta += exact, model.caddtree_theta += caddtree;
  }
}

std::vector<ReportSection> BenchLab::finish() && {
  const int64_t n = std::max<int64_t>(1, n_positions_);
  const auto context_len = static_cast<int32_t>((context_sum_ + n / 2) / n);
  std::vector<ReportSection> sections;
  for (Model& model : models_) {
    if (model.margin.n_positions > 0) {
      model.margin.ratio = model.exact_theta / model.caddtree_theta;
      model.section.margin = model.margin;
    }
    model.section.cost = picture_of(model.table, context_len, max_nodes_);
    sections.push_back(std::move(model.section));
  }
  return sections;
}

}  // namespace draftscope
