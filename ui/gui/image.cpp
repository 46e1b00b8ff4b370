#include "ui/gui/image.h"

#include <png.h>

#include <algorithm>

namespace draftscope {

Status write_png(const std::string& path, const Image& image) {
  DS_CHECK(image.rgb.size() == static_cast<size_t>(image.width) * image.height * 3);
  png_image png = {};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  png.format = PNG_FORMAT_RGB;
  if (png_image_write_to_file(&png, path.c_str(), 0, image.rgb.data(), 0, nullptr) == 0) {
    return fail("{}: the picture cannot be written: {}", path, png.message);
  }
  return success();
}

Image image_of_gl_pixels(int32_t width, int32_t height, const std::vector<uint8_t>& rgba) {
  DS_CHECK(rgba.size() == static_cast<size_t>(width) * height * 4);
  Image image{width, height, std::vector<uint8_t>(static_cast<size_t>(width) * height * 3)};
  for (int32_t y = 0; y < height; ++y) {
    const uint8_t* from = rgba.data() + static_cast<size_t>(height - 1 - y) * width * 4;
    uint8_t* to = image.rgb.data() + static_cast<size_t>(y) * width * 3;
    for (int32_t x = 0; x < width; ++x) std::copy_n(from + x * 4, 3, to + x * 3);
  }
  return image;
}

}  // namespace draftscope
