// Probabilities in words that never claim a certainty which is none.
#pragma once

#include <string>

namespace draftscope {

/// `q` with n_digits decimals; one that is neither 0 nor 1 but would read so becomes a bound: "<0.01",
/// ">0.99".
std::string q_words(double q, int n_digits);
/// A share of 1 in percent, in the same way: "12.3 %", "<0.1 %", ">99.9 %".
std::string percent_words(double share);

}  // namespace draftscope
