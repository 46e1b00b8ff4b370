// Pictures without a display: size, content, errors. Skipped, visibly, where EGL has no surfaceless display.
#include "ui/gui/offscreen.h"

#include <gtest/gtest.h>
#include <png.h>

#include <numeric>
#include <set>

#include "tests/record/make_record.h"
#include "tests/temp_folder.h"
#include "ui/gui/studio.h"

namespace {
bool drew_with_mesa = false;
}
// Asked by the leak sanitizer at exit, when there is one: Mesa's drivers keep memory after eglTerminate.
// Every test is a process of its own under ctest, so the others are still checked.
extern "C" int __lsan_is_turned_off() { return drew_with_mesa ? 1 : 0; }

namespace draftscope::test {
namespace {

/// Why there can be no pictures here; empty when there can.
std::string why_no_egl() {
  drew_with_mesa = true;
  const auto probe = Offscreen::create(16, 16, 1);
  return probe ? std::string() : probe.error();
}

Image read_png(const std::string& path) {
  png_image png = {};
  png.version = PNG_IMAGE_VERSION;
  Image image;
  if (png_image_begin_read_from_file(&png, path.c_str()) == 0) return image;
  png.format = PNG_FORMAT_RGB;
  image.width = static_cast<int32_t>(png.width);
  image.height = static_cast<int32_t>(png.height);
  image.rgb.resize(PNG_IMAGE_SIZE(png));
  if (png_image_finish_read(&png, nullptr, image.rgb.data(), 0, nullptr) == 0) image = {};
  return image;
}

size_t n_colours(const Image& image) {
  std::set<uint32_t> colours;
  for (size_t i = 0; i + 2 < image.rgb.size(); i += 3) {
    colours.insert(image.rgb[i] << 16 | image.rgb[i + 1] << 8 | image.rgb[i + 2]);
  }
  return colours.size();
}

class GuiPicture : public ::testing::Test {
 protected:
  void SetUp() override {
    store_.append(make_info());
    for (uint64_t i = 0; i < 4; ++i) store_.append(make_round(i, 32));
  }

  RecordStore store_;
  const TempFolder folder_;
  const std::string path_ = folder_ / "picture.png";
};

#define SKIP_WITHOUT_EGL() \
  if (const std::string reason = why_no_egl(); !reason.empty()) GTEST_SKIP() << reason

TEST_F(GuiPicture, EveryPanelIsWrittenInTheSizeAskedFor) {
  SKIP_WITHOUT_EGL();
  for (const std::string& panel : panel_names()) {
    const Status written = render_panel_png(store_, {panel, -1, 640, 400}, path_);
    ASSERT_TRUE(written) << panel << ": " << written.error();
    const Image image = read_png(path_);
    EXPECT_EQ(image.width, 640) << panel;
    EXPECT_EQ(image.height, 400) << panel;
    EXPECT_GT(n_colours(image), 20u) << panel << " is (nearly) blank";
  }
}

TEST_F(GuiPicture, SameRecordSamePixels) {
  SKIP_WITHOUT_EGL();
  ASSERT_TRUE(render_panel_png(store_, {"window", 2, 800, 450}, path_));
  const Image first = read_png(path_);
  ASSERT_TRUE(render_panel_png(store_, {"window", 2, 800, 450}, path_));
  EXPECT_EQ(first.rgb, read_png(path_).rgb);
  ASSERT_TRUE(render_panel_png(store_, {"window", 1, 800, 450}, path_));
  EXPECT_NE(first.rgb, read_png(path_).rgb) << "another round looks the same";
}

TEST_F(GuiPicture, LightColoursAreLight) {
  SKIP_WITHOUT_EGL();
  const auto brightness = [&](bool light) {
    EXPECT_TRUE(render_panel_png(store_, {.width = 640, .height = 400, .light = light}, path_));
    const Image image = read_png(path_);
    return std::accumulate(image.rgb.begin(), image.rgb.end(), 0.0) / static_cast<double>(image.rgb.size());
  };
  EXPECT_GT(brightness(true), 200);
  EXPECT_LT(brightness(false), 60);
}

TEST_F(GuiPicture, TopRowFirst) {
  const std::vector<uint8_t> bottom_first = {1, 2, 3, 255, 4, 5, 6, 0};  // two rows of one pixel
  const Image image = image_of_gl_pixels(1, 2, bottom_first);
  EXPECT_EQ(image.rgb, (std::vector<uint8_t>{4, 5, 6, 1, 2, 3}));
}

TEST_F(GuiPicture, PngKeepsEveryPixel) {
  Image image{3, 2, {}};
  for (uint8_t i = 0; i < 18; ++i) image.rgb.push_back(static_cast<uint8_t>(i * 13));
  ASSERT_TRUE(write_png(path_, image));
  EXPECT_EQ(read_png(path_).rgb, image.rgb);
}

TEST_F(GuiPicture, ErrorsAreSentences) {
  const auto error_of = [&](const std::string& panel, int64_t round, int32_t width, const std::string& path) {
    const Status status = render_panel_png(store_, {panel, round, width, 100}, path);
    return status.ok() ? std::string() : status.error();
  };
  EXPECT_NE(error_of("forest", -1, 100, path_).find("found 'forest'"), std::string::npos);
  EXPECT_NE(error_of("tree", 4, 100, path_).find("expected 0 to 3"), std::string::npos);
  EXPECT_NE(error_of("tree", -1, 0, path_).find("found 0 x 100"), std::string::npos);
  EXPECT_NE(error_of("tree", -1, 99'999, path_).find("found 99999 x 100"), std::string::npos);
  SKIP_WITHOUT_EGL();
  const std::string nowhere = "/no/such/folder/x.png";
  EXPECT_NE(error_of("tree", -1, 100, nowhere).find(nowhere), std::string::npos);
}

}  // namespace
}  // namespace draftscope::test
