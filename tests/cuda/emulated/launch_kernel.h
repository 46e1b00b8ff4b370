// cudaLaunchKernelEx: the one way a kernel is started.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "api.h"

namespace emulated {

struct Launch;

/// A kernel's parameters.
struct Parameters {
  std::vector<const void*> pointers;  // those that are pointers, in order; each null or into memory that a device could reach
  std::vector<std::byte> bytes;       // all, each at a multiple of its alignment
};

/// Runs the body on every thread of the grid, or records that for the graph being captured.
cudaError_t launch(const cudaLaunchConfig_t& config, const void* kernel, Parameters parameters, std::function<void()> body);

/// Who runs the blocks of a launch from now on, in place of the host's build of the kernel.
using RunLaunch = void (*)(const Launch& launch, std::span<const std::byte> parameters);
void run_launches_by(RunLaunch run);

template <class T>
void note(Parameters& parameters, const T& parameter) {
  if constexpr (std::is_pointer_v<T> && !std::is_function_v<std::remove_pointer_t<T>>)
    parameters.pointers.push_back(parameter);
  std::vector<std::byte>& bytes = parameters.bytes;
  bytes.resize((bytes.size() + alignof(T) - 1) / alignof(T) * alignof(T));
  const auto* from = reinterpret_cast<const std::byte*>(&parameter);
  bytes.insert(bytes.end(), from, from + sizeof(T));
}

}  // namespace emulated

template <class... Params, class... Args>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Params...), Args&&... args) {
  std::tuple<std::remove_cvref_t<Params>...> values(std::forward<Args>(args)...);
  emulated::Parameters parameters;
  std::apply([&](const auto&... value) { (emulated::note(parameters, value), ...); }, values);
  return emulated::launch(*config, reinterpret_cast<const void*>(kernel), std::move(parameters),
                          [kernel, values = std::move(values)] { std::apply(kernel, values); });
}
