// Whether results can be written, learnt before minutes of work, not after.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "engine/base/check.h"

namespace draftscope {

/// An Error when no file can be written at `path`. Leaves nothing there that was not there before.
inline Status check_writable(const std::string& path) {
  std::error_code error;
  const bool is_new = !std::filesystem::exists(path, error);
  const bool opens = static_cast<bool>(std::ofstream(path, std::ios::app));
  if (opens && is_new) std::filesystem::remove(path, error);
  if (opens) return success();
  return fail("{}: expected to write the results there, found no such folder or no permission", path);
}

}  // namespace draftscope
