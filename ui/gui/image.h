// Image: pixels of a finished frame, and the only place that writes picture files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/check.h"

namespace draftscope {

struct Image {
  int32_t width = 0, height = 0;  // pixels
  std::vector<uint8_t> rgb;       // (height, width, 3), top row first
};

/// Writes an 8-bit RGB PNG. Fails when the file cannot be written.
Status write_png(const std::string& path, const Image& image);

/// What glReadPixels gives: (height, width, 4), bottom row first; alpha is dropped.
Image image_of_gl_pixels(int32_t width, int32_t height, const std::vector<uint8_t>& rgba);

}  // namespace draftscope
