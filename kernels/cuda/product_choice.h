// Which implementation of a product was faster, by shape and number of rows, and the file that remembers it. Plain
// functions: nothing here touches a device.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/check.h"

namespace draftscope::cuda {

/// A product x w^T with x (rows, n_in), w (n_out, n_in).
struct ProductKey {
  int32_t n_in = 0, n_out = 0, rows = 0;
  auto operator<=>(const ProductKey&) const = default;
};

/// The rows that a product of `rows` is timed with: the next multiple of 64 up to 512, then the next power of two.
int32_t row_bucket(int32_t rows);

/// An algorithm of cuBLASLt as it may be stored for the same version of the library (cublasLtMatmulAlgo_t).
using Algorithm = std::array<uint64_t, 8>;
/// The winner of each bucket: an algorithm, or nothing where our own kernels are the fastest.
using ProductChoices = std::map<ProductKey, std::optional<Algorithm>>;

/// Index of the least time; of equal ones the first. Seconds, at least one; infinite: did not run.
size_t fastest(std::span<const double> seconds);

/// What choices are valid for.
struct ChoicesHoldFor {
  std::string gpu;      // as the driver names it
  int64_t driver = 0;   // as cudaDriverGetVersion counts
  int64_t library = 0;  // as cublasLtGetVersion counts
  bool operator==(const ChoicesHoldFor&) const = default;
};

/// Where the choices of this GPU are kept below `cache_folder`; empty when that is empty.
std::string choices_path(const std::string& cache_folder, const std::string& gpu);

std::string choices_json(const ChoicesHoldFor& holds_for, const ProductChoices& choices);
/// What choices_json wrote. An Error naming `path` for anything else, and for choices of another GPU, driver or
/// library.
Result<ProductChoices> parse_choices(std::string_view text, const std::string& path, const ChoicesHoldFor& holds_for);

/// What is kept in a file, and one sentence when there is a file that cannot be used: it is then as if there were none.
struct KeptChoices {
  ProductChoices choices;
  std::string note;
};
KeptChoices load_choices(const std::string& path, const ChoicesHoldFor& holds_for);

}  // namespace draftscope::cuda
