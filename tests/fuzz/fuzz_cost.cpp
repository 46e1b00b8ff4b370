// Any text is a cost model or an error; a cost model evaluates and survives being written and read again.
#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/speculate/cost.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace draftscope;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const Result<std::vector<CostModel>> models = parse_cost_models(text, "fuzz");
  if (!models) {
    DS_CHECK(!models.error().empty());
    return 0;
  }
  for (const CostModel& model : *models) {
    DS_CHECK(validate(model).ok());
    const RoundCost cost = round_cost(model, model.context.front() + 1, 64);
    DS_CHECK(cost.verify_s.size() == 65 && cost.faithful_s.size() == 65);
    const Result<CostModel> again = parse_cost_json(cost_json(model), "fuzz again");
    DS_CHECK(again.ok(), "{}", again.ok() ? "" : again.error());
    DS_CHECK(again->rows == model.rows && again->verify_s == model.verify_s &&
             again->draft_s == model.draft_s && again->plain_s == model.plain_s);
  }
  return 0;
}
