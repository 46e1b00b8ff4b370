// Any text is a correction or an error; a correction applies to any row and survives being written and read again.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/base/check.h"
#include "engine/speculate/correction.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace draftscope;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const Result<Correction> correction = parse_correction_json(text, "fuzz");
  if (!correction) {
    DS_CHECK(!correction.error().empty());
    return 0;
  }
  DS_CHECK(validate(*correction).ok());
  const Marginals q{2, 3, {1, 2, 3, 4, 5, 6}, {-0.1f, -3.0f, -9.0f, -0.7f, -0.7f, -INFINITY}};
  const Marginals better = corrected(q, *correction);
  for (int32_t depth = 0; depth < 2; ++depth) {
    for (int32_t rank = 1; rank < 3; ++rank) {
      DS_CHECK(better.log_q_at(depth, rank) <= better.log_q_at(depth, rank - 1));
    }
  }
  const Result<Correction> again = parse_correction_json(correction_json(*correction), "fuzz again");
  DS_CHECK(again.ok(), "{}", again.ok() ? "" : again.error());
  DS_CHECK(again->stated == correction->stated && again->observed == correction->observed &&
           again->temperature == correction->temperature && again->off_spine == correction->off_spine);
  return 0;
}
