#include "ui/gui/offscreen.h"

#define GL_GLEXT_PROTOTYPES
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GL/gl.h>
#include <GL/glext.h>
#include <imgui.h>
#include <imgui_impl_opengl3.h>

#include <array>
#include <utility>
#include <vector>

#include "ui/gui/gui_context.h"

namespace draftscope {
namespace {

constexpr int32_t kMaxSide = 16384;
constexpr float kFrame_s = 1.0f / 60;  // animations see the same time in every run

}  // namespace

// Destroyed in reverse: the renderer first, then the contexts it draws with.
struct Offscreen::State {
  int32_t width = 0, height = 0;
  EGLDisplay display = EGL_NO_DISPLAY;
  EGLContext context = EGL_NO_CONTEXT;
  GLuint framebuffer = 0, colour = 0;
  std::unique_ptr<GuiContext> gui;
  bool renderer_ready = false;

  ~State();
  Status open_egl();
  Status open_framebuffer();
  bool make_current() const {
    return eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, context) == EGL_TRUE;
  }
};

Offscreen::State::~State() {
  if (context != EGL_NO_CONTEXT && make_current()) {
    if (gui) gui->make_current();
    if (renderer_ready) ImGui_ImplOpenGL3_Shutdown();
    gui.reset();
    glDeleteRenderbuffers(1, &colour);
    glDeleteFramebuffers(1, &framebuffer);
    eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    eglDestroyContext(display, context);
  }
  if (display != EGL_NO_DISPLAY) eglTerminate(display);
}

Status Offscreen::State::open_egl() {
  const auto get_platform_display =
      reinterpret_cast<PFNEGLGETPLATFORMDISPLAYEXTPROC>(eglGetProcAddress("eglGetPlatformDisplayEXT"));
  if (get_platform_display == nullptr)
    return fail("EGL: eglGetPlatformDisplayEXT is missing, a newer EGL is needed");
  display = get_platform_display(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, nullptr);
  if (display == EGL_NO_DISPLAY) return fail("EGL: no surfaceless display, Mesa's libegl is needed");
  if (eglInitialize(display, nullptr, nullptr) == EGL_FALSE) {
    display = EGL_NO_DISPLAY;
    return fail("EGL: the surfaceless display does not start (is libgl1-mesa-dri installed?)");
  }
  const std::array<EGLint, 5> want = {EGL_RENDERABLE_TYPE, EGL_OPENGL_BIT, EGL_SURFACE_TYPE, 0, EGL_NONE};
  EGLConfig config = nullptr;
  EGLint n_configs = 0;
  eglChooseConfig(display, want.data(), &config, 1, &n_configs);
  const std::array<EGLint, 7> version = {EGL_CONTEXT_MAJOR_VERSION,
                                         3,
                                         EGL_CONTEXT_MINOR_VERSION,
                                         3,
                                         EGL_CONTEXT_OPENGL_PROFILE_MASK,
                                         EGL_CONTEXT_OPENGL_CORE_PROFILE_BIT,
                                         EGL_NONE};
  if (n_configs > 0 && eglBindAPI(EGL_OPENGL_API) == EGL_TRUE) {
    context = eglCreateContext(display, config, EGL_NO_CONTEXT, version.data());
  }
  if (context == EGL_NO_CONTEXT || !make_current()) return fail("EGL: no OpenGL 3.3 core context");
  return success();
}

Status Offscreen::State::open_framebuffer() {
  glGenFramebuffers(1, &framebuffer);
  glGenRenderbuffers(1, &colour);
  glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
  glBindRenderbuffer(GL_RENDERBUFFER, colour);
  glRenderbufferStorage(GL_RENDERBUFFER, GL_RGBA8, width, height);
  glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, colour);
  if (glCheckFramebufferStatus(GL_FRAMEBUFFER) != GL_FRAMEBUFFER_COMPLETE) {
    return fail("OpenGL: a framebuffer of {} x {} pixels is not possible here", width, height);
  }
  return success();
}

Offscreen::Offscreen(std::unique_ptr<State> state) : state_(std::move(state)) {}
Offscreen::Offscreen(Offscreen&&) noexcept = default;
Offscreen& Offscreen::operator=(Offscreen&&) noexcept = default;
Offscreen::~Offscreen() = default;

Result<Offscreen> Offscreen::create(int32_t width, int32_t height, float scale, Theme theme) {
  if (width < 1 || height < 1 || width > kMaxSide || height > kMaxSide) {
    return fail("picture size: expected 1 to {} pixels a side, found {} x {}", kMaxSide, width, height);
  }
  auto state = std::make_unique<State>();
  state->width = width;
  state->height = height;
  if (const Status opened = state->open_egl(); !opened) return Error{opened.error()};
  if (const Status opened = state->open_framebuffer(); !opened) return Error{opened.error()};
  state->gui = std::make_unique<GuiContext>(scale);
  apply_theme(theme, scale);
  state->renderer_ready = ImGui_ImplOpenGL3_Init("#version 330 core");
  if (!state->renderer_ready) return fail("OpenGL: Dear ImGui's renderer does not start");
  ImGui::GetIO().BackendPlatformName = "draftscope_offscreen";
  return Offscreen(std::move(state));
}

Result<Image> Offscreen::render(const std::function<void()>& draw_frame, int32_t n_frames) {
  DS_CHECK(n_frames >= 1);
  State& s = *state_;
  if (!s.make_current()) return fail("EGL: the context cannot be made current");
  s.gui->make_current();
  ImGuiIO& io = ImGui::GetIO();
  io.DisplaySize = ImVec2(static_cast<float>(s.width), static_cast<float>(s.height));
  io.DeltaTime = kFrame_s;
  for (int32_t frame = 0; frame < n_frames; ++frame) {
    ImGui_ImplOpenGL3_NewFrame();
    ImGui::NewFrame();
    draw_frame();
    ImGui::Render();
    glBindFramebuffer(GL_FRAMEBUFFER, s.framebuffer);
    glViewport(0, 0, s.width, s.height);
    const ImVec4 back = ImGui::GetStyle().Colors[ImGuiCol_WindowBg];
    glClearColor(back.x, back.y, back.z, 1);
    glClear(GL_COLOR_BUFFER_BIT);
    ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
  }
  std::vector<uint8_t> rgba(static_cast<size_t>(s.width) * s.height * 4);
  glPixelStorei(GL_PACK_ALIGNMENT, 1);
  glReadPixels(0, 0, s.width, s.height, GL_RGBA, GL_UNSIGNED_BYTE, rgba.data());
  if (const GLenum error = glGetError(); error != GL_NO_ERROR) {
    return fail("OpenGL: reading the picture failed with code {:#x}", error);
  }
  return image_of_gl_pixels(s.width, s.height, rgba);
}

const std::string& Offscreen::font_message() const { return state_->gui->font_message(); }

}  // namespace draftscope
