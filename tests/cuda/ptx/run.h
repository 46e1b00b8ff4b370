// Runs the blocks of a launch from the kernel's PTX.
#pragma once

#include <cstddef>
#include <span>

#include "program.h"
#include "tests/cuda/emulated/block.h"

namespace emulated::ptx {

/// All blocks of the launch, one after the other, in the order that run_backwards() asks for. parameters: the kernel's,
/// as the host lays them out.
void run_blocks(const Launch& launch, const Program& program, std::span<const std::byte> parameters);

}  // namespace emulated::ptx
