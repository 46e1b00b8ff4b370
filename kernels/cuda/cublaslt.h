// cuBLASLt, looked for when the program runs: one program starts with and without the library.
#pragma once

#include <cublasLt.h>

#include <span>
#include <string>

#include "engine/base/check.h"

namespace draftscope::cuda {

/// The functions of cuBLASLt that we call, with the types that its header gives them.
struct LtTable {
  decltype(&cublasLtCreate) create = nullptr;
  decltype(&cublasLtDestroy) destroy = nullptr;
  decltype(&cublasLtGetVersion) version = nullptr;
  decltype(&cublasLtGetStatusString) status_string = nullptr;
  decltype(&cublasLtMatmulDescCreate) create_product = nullptr;
  decltype(&cublasLtMatmulDescDestroy) destroy_product = nullptr;
  decltype(&cublasLtMatmulDescSetAttribute) set_product = nullptr;
  decltype(&cublasLtMatrixLayoutCreate) create_layout = nullptr;
  decltype(&cublasLtMatrixLayoutDestroy) destroy_layout = nullptr;
  decltype(&cublasLtMatmulPreferenceCreate) create_preference = nullptr;
  decltype(&cublasLtMatmulPreferenceDestroy) destroy_preference = nullptr;
  decltype(&cublasLtMatmulPreferenceSetAttribute) set_preference = nullptr;
  decltype(&cublasLtMatmulAlgoGetHeuristic) heuristics = nullptr;
  decltype(&cublasLtMatmulAlgoCheck) check = nullptr;
  decltype(&cublasLtMatmul) matmul = nullptr;
};

/// Newest first.
inline constexpr const char* kLtNames[] = {"libcublasLt.so.13", "libcublasLt.so.12"};

/// The functions of the first of `names` that the system's loader finds; the library stays open until the program ends.
/// One sentence when there is none, or when it lacks a function.
Result<LtTable> open_cublaslt(std::span<const char* const> names = kLtNames);

/// "13.0.2", from the number that the library counts its versions by: major, two digits each of minor and patch.
std::string lt_version(size_t number);

}  // namespace draftscope::cuda
