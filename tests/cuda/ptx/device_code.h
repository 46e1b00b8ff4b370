// The kernels as nvcc compiled them, in place of the host's build of their source.
#pragma once

#include <string>

namespace emulated::ptx {

/// From now on every launch of this program runs from the PTX files that `list` names, one in each line. A kernel that
/// none of them holds stops the program, unless it stays_on_host().
void run_from(std::string list);

}  // namespace emulated::ptx
