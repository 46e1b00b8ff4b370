#include "ui/gui/image.h"

#include <png.h>

#include <algorithm>
#include <string>

#include "engine/base/file_map.h"

namespace draftscope {

Status write_png(const std::string& path, const Image& image) {
  DS_CHECK(image.rgb.size() == static_cast<size_t>(image.width) * image.height * 3);
  png_image png = {};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  png.format = PNG_FORMAT_RGB;
  png_alloc_size_t n_bytes = 0;
  std::string bytes;
  bool encoded = png_image_write_to_memory(&png, nullptr, &n_bytes, 0, image.rgb.data(), 0, nullptr) != 0;
  bytes.resize(n_bytes);
  encoded = encoded && png_image_write_to_memory(&png, bytes.data(), &n_bytes, 0, image.rgb.data(), 0, nullptr) != 0;
  if (!encoded) return fail("{}: the picture cannot be encoded: {}", path, png.message);
  bytes.resize(n_bytes);
  return replace_file(path, bytes);
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
