// A dense recording read from its trace file.
#pragma once

#include <string>

#include "engine/lab/dense.h"
#include "engine/record/round.h"

namespace draftscope {

struct DenseFile {
  SessionInfo info;
  DenseText text;
};

/// The first generation of the trace at `path`. Errors: not a trace, unreadable frames, not dense, a missing round.
Result<DenseFile> read_dense_file(const std::string& path);

}  // namespace draftscope
