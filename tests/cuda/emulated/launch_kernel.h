// cudaLaunchKernelEx: the one way a kernel is started.
#pragma once

#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "api.h"

namespace emulated {

/// Runs the body on every thread of the grid, or records that for the graph being captured. pointers: the
/// parameters that are pointers, in order; each must be null or point into memory that a device could reach.
cudaError_t launch(const cudaLaunchConfig_t& config, const void* kernel, std::vector<const void*> pointers,
                   std::function<void()> body);

template <class T>
void note_pointer(std::vector<const void*>& pointers, const T& parameter) {
  if constexpr (std::is_pointer_v<T> && !std::is_function_v<std::remove_pointer_t<T>>)
    pointers.push_back(parameter);
}

}  // namespace emulated

template <class... Params, class... Args>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Params...), Args&&... args) {
  std::tuple<std::remove_cvref_t<Params>...> values(std::forward<Args>(args)...);
  std::vector<const void*> pointers;
  std::apply([&](const auto&... value) { (emulated::note_pointer(pointers, value), ...); }, values);
  return emulated::launch(*config, reinterpret_cast<const void*>(kernel), std::move(pointers),
                          [kernel, values = std::move(values)] { std::apply(kernel, values); });
}
