// Corrections as JSON: "draft-correction/1" both ways.
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/base/json.h"
#include "engine/speculate/correction.h"

namespace draftscope {
namespace {

constexpr const char* kSchema = "draft-correction/1";

Result<double> number_at(const Json& json, const char* key) {
  const Result<Json> member = json.at(key);
  if (!member) return Error{member.error()};
  return member->as_number();
}

Result<std::vector<double>> numbers_at(const Json& json, const char* key) {
  const Result<Json> member = json.at(key);
  if (!member) return Error{member.error()};
  return member->as_numbers();
}

}  // namespace

Result<Correction> parse_correction_json(const std::string& text, const std::string& path) {
  const Result<Json> json = Json::parse(text, path);
  if (!json) return Error{json.error()};
  const Result<Json> member = json->at("schema");
  if (!member) return Error{member.error()};
  const Result<std::string> schema = member->as_string();
  if (!schema) return Error{schema.error()};
  if (*schema != kSchema) return fail("{}: schema: expected {}, found \"{}\"", path, kSchema, *schema);

  const Result<double> temperature = number_at(*json, "temperature");
  if (!temperature) return Error{temperature.error()};
  Result<std::vector<double>> stated = numbers_at(*json, "stated");
  if (!stated) return Error{stated.error()};
  Result<std::vector<double>> observed = numbers_at(*json, "observed");
  if (!observed) return Error{observed.error()};
  const Result<double> off_spine = number_at(*json, "off_spine");
  if (!off_spine) return Error{off_spine.error()};

  Correction correction{*temperature, *std::move(stated), *std::move(observed), *off_spine};
  if (const Status valid = validate(correction); !valid) return fail("{}: {}", path, valid.error());
  return correction;
}

std::string correction_json(const Correction& correction) {
  const Status valid = validate(correction);
  DS_CHECK(valid.ok(), "{}", valid.ok() ? "" : valid.error());
  nlohmann::ordered_json json;
  json["schema"] = kSchema;
  json["temperature"] = correction.temperature;
  json["stated"] = correction.stated;
  json["observed"] = correction.observed;
  json["off_spine"] = correction.off_spine;
  return json.dump() + "\n";
}

}  // namespace draftscope
