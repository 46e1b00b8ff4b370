// From the text of a kernel to steps over rows.
#pragma once

#include <map>
#include <string>

#include "code.h"
#include "program.h"

namespace emulated::ptx {

/// `module_shared`: what the file declares for all its kernels. Fails the program, with the line, at an instruction
/// that the interpreter does not know.
Program decode(const KernelCode& code, const std::map<std::string, Variable>& module_shared, std::string name,
               std::string file);

}  // namespace emulated::ptx
