// What CLI11's own checks let through or say badly: numbers that are none, bounds of 309 digits, seeds that
// wrap.
#pragma once

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "engine/base/check.h"

namespace draftscope {

/// A number from `least` to `most` (both allowed); NaN is neither. Infinity as `most`: no bound.
inline CLI::Validator number_in(double least, double most = std::numeric_limits<double>::infinity()) {
  const std::string expected =
      std::isinf(most) ? fmt::format("{} or more", least) : fmt::format("{} to {}", least, most);
  return CLI::Validator(
      [=](const std::string& word) {
        double value = 0;
        if (CLI::detail::lexical_cast(word, value) && std::isfinite(value) && value >= least && value <= most)
          return std::string();
        return fmt::format("expected {}, found {}", expected, word);
      },
      expected);
}

/// Digits that fit 64 bits.
inline CLI::Validator seed() {
  return CLI::Validator(
      [](const std::string& word) {
        uint64_t value = 0;
        const char* const last = word.data() + word.size();
        const auto [end, status] = std::from_chars(word.data(), last, value);
        if (!word.empty() && status == std::errc() && end == last) return std::string();
        return fmt::format("expected 0 to {}, found {}", std::numeric_limits<uint64_t>::max(),
                           word.empty() ? "nothing" : word);
      },
      "");
}

/// Anything but an empty word.
inline CLI::Validator not_empty() {
  return CLI::Validator(
      [](const std::string& word) {
        return word.empty() ? std::string("expected a value, found an empty one") : std::string();
      },
      "");
}

}  // namespace draftscope
