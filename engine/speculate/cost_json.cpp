// Cost models as JSON: our "cost-profile/1" both ways, the published "cost-curve/1" and "cost-probes/1" in.
#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/base/json.h"
#include "engine/speculate/cost.h"

namespace draftscope {
namespace {

constexpr int32_t kMaxRows = 1 << 16;
constexpr int32_t kMaxContext = 1 << 30;
constexpr CostKind kKinds[] = {CostKind::kMeasured,  CostKind::kConvexFit, CostKind::kAffine,
                               CostKind::kStaircase, CostKind::kRoofline,  CostKind::kByHand};

// Copies an optional text member; empty when it is absent.
Status read_text_member(const Json& json, const char* key, std::string& into) {
  if (!json.has(key)) return success();
  Result<std::string> text = json.at(key)->as_string();
  if (!text) return Error{text.error()};
  into = std::move(*text);
  return success();
}

Status read_texts(const Json& json, const std::vector<std::pair<const char*, std::string*>>& members) {
  for (const auto& [key, into] : members) {
    if (const Status status = read_text_member(json, key, *into); !status) return status;
  }
  return success();
}

Status read_numbers(const Json& json, const char* key, std::vector<double>& into) {
  const Result<Json> member = json.at(key);
  if (!member) return Error{member.error()};
  Result<std::vector<double>> numbers = member->as_numbers();
  if (!numbers) return Error{numbers.error()};
  into = std::move(*numbers);
  return success();
}

Status read_axis(const Json& json, const char* key, int32_t low, int32_t high, std::vector<int32_t>& into) {
  const Result<Json> member = json.at(key);
  if (!member) return Error{member.error()};
  Result<std::vector<int32_t>> numbers = member->as_ints(low, high);
  if (!numbers) return Error{numbers.error()};
  into = std::move(*numbers);
  return success();
}

// A grid as one array per context, each of n_cols numbers; appended row by row.
Status read_grid(const Json& json, const char* key, size_t n_contexts, size_t n_cols,
                 std::vector<double>& into) {
  const Result<Json> grid = json.at(key);
  if (!grid) return Error{grid.error()};
  if (!grid->is_array() || grid->size() != n_contexts) {
    return fail("{}: expected {} arrays, one per context, found {}", grid->where(), n_contexts, grid->size());
  }
  for (size_t c = 0; c < n_contexts; ++c) {
    const Result<std::vector<double>> row = grid->at(c).as_numbers();
    if (!row) return Error{row.error()};
    if (row->size() != n_cols) {
      return fail("{}: expected {} numbers, found {} (a gap?)", grid->at(c).where(), n_cols, row->size());
    }
    into.insert(into.end(), row->begin(), row->end());
  }
  return success();
}

Result<CostModel> checked(CostModel model, const std::string& path) {
  if (const Status valid = validate(model); !valid) return fail("{}: {}", path, valid.error());
  if (model.rows.size() < 2) {
    return fail("{}: expected passes of at least two sizes to make a curve, found one of {} rows", path,
                model.rows.front());
  }
  return model;
}

Result<CostModel> parse_profile(const Json& json, const std::string& path) {
  CostModel model;
  std::string kind;
  const Status texts = read_texts(json, {{"kind", &kind},
                                         {"label", &model.label},
                                         {"source", &model.source},
                                         {"model", &model.model},
                                         {"machine", &model.machine},
                                         {"backend", &model.backend}});
  if (!texts) return Error{texts.error()};
  const auto* known = std::find_if(std::begin(kKinds), std::end(kKinds),
                                   [&kind](CostKind candidate) { return kind == name(candidate); });
  if (known == std::end(kKinds)) {
    return fail("{}: kind: expected a kind of cost model such as \"{}\", found \"{}\"", path,
                name(CostKind::kMeasured), kind);
  }
  model.kind = *known;
  if (const Status s = read_axis(json, "context", 0, kMaxContext, model.context); !s) return Error{s.error()};
  if (const Status s = read_axis(json, "rows", 1, kMaxRows, model.rows); !s) return Error{s.error()};
  const size_t n_contexts = model.context.size(), n_rows = model.rows.size();
  if (const Status s = read_grid(json, "verify_s", n_contexts, n_rows, model.verify_s); !s)
    return Error{s.error()};
  if (json.has("spread_s")) {
    if (const Status s = read_grid(json, "spread_s", n_contexts, n_rows, model.spread_s); !s)
      return Error{s.error()};
  }
  if (const Status s = read_numbers(json, "draft_s", model.draft_s); !s) return Error{s.error()};
  const Result<Json> overhead = json.at("overhead_s");
  if (!overhead) return Error{overhead.error()};
  const Result<double> overhead_s = overhead->as_number();
  if (!overhead_s) return Error{overhead_s.error()};
  model.overhead_s = *overhead_s;
  if (json.has("plain_s")) {
    if (const Status s = read_numbers(json, "plain_s", model.plain_s); !s) return Error{s.error()};
    if (model.plain_s.empty()) return fail("{}: plain_s: expected {} values, found none", path, n_contexts);
  }
  return checked(std::move(model), path);
}

// A pass verifies at least the root, so the entry for 0 nodes, which repeats the first timed one, is left
// out.
void drop_zero_rows(CostModel& model) {
  if (model.rows.empty() || model.rows.front() != 0) return;
  const size_t n_rows = model.rows.size();
  model.rows.erase(model.rows.begin());
  std::vector<double> kept;
  for (size_t i = 0; i < model.verify_s.size(); ++i) {
    if (i % n_rows != 0) kept.push_back(model.verify_s[i]);
  }
  model.verify_s = std::move(kept);
}

Result<CostModel> parse_curve(const Json& json, const std::string& path) {
  CostModel model;
  std::string kind;
  const Status texts = read_texts(json, {{"kind", &kind},
                                         {"source", &model.source},
                                         {"model", &model.model},
                                         {"gpu", &model.machine},
                                         {"stack", &model.backend}});
  if (!texts) return Error{texts.error()};
  model.kind = kind.starts_with("convex fit") ? CostKind::kConvexFit : CostKind::kMeasured;
  model.label = fmt::format("published, {} on {}", model.model, model.machine);
  if (const Status s = read_axis(json, "context", 0, kMaxContext, model.context); !s) return Error{s.error()};
  // Published curves time n tokens and call that n nodes, so their axis is ours of rows.
  if (const Status s = read_axis(json, "nodes", 0, kMaxRows, model.rows); !s) return Error{s.error()};
  if (const Status s =
          read_grid(json, "verify_seconds", model.context.size(), model.rows.size(), model.verify_s);
      !s) {
    return Error{s.error()};
  }
  drop_zero_rows(model);
  const Result<Json> draft = json.at("draft_seconds");
  if (!draft) return Error{draft.error()};
  const Result<double> draft_s = draft->as_number();
  if (!draft_s) return Error{draft_s.error()};
  model.draft_s.assign(model.context.size(), *draft_s);
  return checked(std::move(model), path);
}

Result<CostModel> parse_probe(const Json& probe) {
  CostModel model;
  model.kind = CostKind::kMeasured;
  const Status texts =
      read_texts(probe, {{"source", &model.source}, {"model", &model.model}, {"gpu", &model.machine}});
  if (!texts) return Error{texts.error()};
  model.label = fmt::format("published probe, {} on {}, draft time not given", model.model, model.machine);
  model.context = {0};
  model.draft_s = {0};
  if (const Status s = read_axis(probe, "tokens", 1, kMaxRows, model.rows); !s) return Error{s.error()};
  if (const Status s = read_numbers(probe, "ms", model.verify_s); !s) return Error{s.error()};
  for (double& value : model.verify_s) value *= 1e-3;
  return checked(std::move(model), probe.where());
}

Result<std::vector<CostModel>> parse_probes(const Json& json) {
  const Result<Json> probes = json.at("probes");
  if (!probes) return Error{probes.error()};
  if (!probes->is_array() || probes->size() == 0) {
    return fail("{}: expected an array of at least one probe", probes->where());
  }
  std::vector<CostModel> models;
  for (size_t p = 0; p < probes->size(); ++p) {
    Result<CostModel> model = parse_probe(probes->at(p));
    if (!model) return Error{model.error()};
    models.push_back(std::move(*model));
  }
  return models;
}

// A flat grid as one array per context.
nlohmann::json grid_json(const std::vector<double>& values, size_t n_cols) {
  nlohmann::json grid = nlohmann::json::array();
  for (size_t begin = 0; begin < values.size(); begin += n_cols) {
    const auto from = values.begin() + static_cast<ptrdiff_t>(begin);
    grid.push_back(std::vector<double>(from, from + static_cast<ptrdiff_t>(n_cols)));
  }
  return grid;
}

}  // namespace

Result<std::vector<CostModel>> parse_cost_models(const std::string& text, const std::string& path) {
  const Result<Json> json = Json::parse(text, path);
  if (!json) return Error{json.error()};
  const Result<Json> schema_member = json->at("schema");
  if (!schema_member) return Error{schema_member.error()};
  const Result<std::string> schema = schema_member->as_string();
  if (!schema) return Error{schema.error()};
  if (*schema == "cost-probes/1") return parse_probes(*json);
  if (*schema != "cost-profile/1" && *schema != "cost-curve/1") {
    return fail("{}: schema: expected cost-profile/1, cost-curve/1 or cost-probes/1, found \"{}\"", path,
                *schema);
  }
  Result<CostModel> model = *schema == "cost-curve/1" ? parse_curve(*json, path) : parse_profile(*json, path);
  if (!model) return Error{model.error()};
  return std::vector<CostModel>{std::move(*model)};
}

Result<CostModel> parse_cost_json(const std::string& text, const std::string& path) {
  Result<std::vector<CostModel>> models = parse_cost_models(text, path);
  if (!models) return Error{models.error()};
  if (models->size() != 1) return fail("{}: expected one cost model, found {}", path, models->size());
  return std::move(models->front());
}

std::string cost_json(const CostModel& model) {
  const Status valid = validate(model);
  DS_CHECK(valid.ok(), "{}", valid.ok() ? "" : valid.error());
  nlohmann::ordered_json json;
  json["schema"] = "cost-profile/1";
  json["kind"] = name(model.kind);
  json["label"] = model.label;
  json["source"] = model.source;
  json["model"] = model.model;
  json["machine"] = model.machine;
  json["backend"] = model.backend;
  json["context"] = model.context;
  json["rows"] = model.rows;
  json["verify_s"] = grid_json(model.verify_s, model.rows.size());
  if (!model.spread_s.empty()) json["spread_s"] = grid_json(model.spread_s, model.rows.size());
  json["draft_s"] = model.draft_s;
  json["overhead_s"] = model.overhead_s;
  if (!model.plain_s.empty()) json["plain_s"] = model.plain_s;
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace draftscope
