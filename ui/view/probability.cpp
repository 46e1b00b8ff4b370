#include "ui/view/probability.h"

#include <fmt/format.h>

#include <cmath>

namespace draftscope {
namespace {

/// `value` of 0 to `most`.
std::string bounded_words(double value, double most, int n_digits) {
  const auto words = [&](double number) { return fmt::format("{:.{}f}", number, n_digits); };
  const double step = std::pow(10.0, -n_digits);
  const std::string plain = words(value);
  if (value > 0 && plain == words(0)) return "<" + words(step);
  if (value < most && plain == words(most)) return ">" + words(most - step);
  return plain;
}

}  // namespace

std::string q_words(double q, int n_digits) { return bounded_words(q, 1, n_digits); }
std::string percent_words(double share) { return bounded_words(100 * share, 100, 1) + " %"; }

}  // namespace draftscope
