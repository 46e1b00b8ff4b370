#include "ui/gui/window.h"

#define GLFW_INCLUDE_NONE
#include <GL/gl.h>
#include <GLFW/glfw3.h>
#include <imgui.h>
#include <imgui_impl_glfw.h>
#include <imgui_impl_opengl3.h>
#include <imgui_internal.h>

#include <algorithm>
#include <utility>

#include "ui/gui/gui_context.h"
#include "ui/gui/theme.h"

namespace draftscope {
namespace {

std::string last_glfw_error() {
  const char* text = nullptr;
  glfwGetError(&text);
  return text != nullptr ? text : "no reason given";
}

/// A window with the context that we draw with, or null.
GLFWwindow* create_window(int32_t width, int32_t height, const char* title) {
  glfwWindowHint(GLFW_CONTEXT_VERSION_MAJOR, 3);
  glfwWindowHint(GLFW_CONTEXT_VERSION_MINOR, 3);
  glfwWindowHint(GLFW_OPENGL_PROFILE, GLFW_OPENGL_CORE_PROFILE);
  glfwWindowHint(GLFW_OPENGL_FORWARD_COMPAT, GLFW_TRUE);
  return glfwCreateWindow(width, height, title, nullptr, nullptr);
}

Error no_display() { return fail("window: there is no display to open it on ({})", last_glfw_error()); }
Error no_opengl() { return fail("window: OpenGL 3.3 is needed ({})", last_glfw_error()); }

}  // namespace

// Destroyed in reverse: renderer, contexts, window, GLFW.
struct Window::State {
  GLFWwindow* window = nullptr;
  std::unique_ptr<GuiContext> gui;
  bool glfw_backend = false, gl_backend = false;
  bool needs_redraw = true;  // set by callbacks that Dear ImGui does not queue as input
  float fixed_scale = 0;     // 0: the monitor's
  std::vector<std::string> dropped;

  ~State();
  float monitor_scale() const;
  void install_callbacks();
};

Window::State::~State() {
  if (gui) gui->make_current();
  if (gl_backend) ImGui_ImplOpenGL3_Shutdown();
  if (glfw_backend) ImGui_ImplGlfw_Shutdown();
  gui.reset();
  if (window != nullptr) glfwDestroyWindow(window);
  glfwTerminate();
}

/// Pixels per 96 dpi pixel, less what the window system scales by itself (framebuffer larger than window).
float Window::State::monitor_scale() const {
  if (fixed_scale > 0) return fixed_scale;
  float x = 1, y = 1;
  glfwGetWindowContentScale(window, &x, &y);
  int framebuffer_width = 0, window_width = 0, height = 0;
  glfwGetFramebufferSize(window, &framebuffer_width, &height);
  glfwGetWindowSize(window, &window_width, &height);
  if (framebuffer_width > 0 && window_width > 0) x *= static_cast<float>(window_width) / framebuffer_width;
  return x > 0 ? x : 1;
}

void Window::State::install_callbacks() {
  glfwSetWindowUserPointer(window, this);
  glfwSetWindowRefreshCallback(
      window, [](GLFWwindow* w) { static_cast<State*>(glfwGetWindowUserPointer(w))->needs_redraw = true; });
  glfwSetFramebufferSizeCallback(window, [](GLFWwindow* w, int, int) {
    static_cast<State*>(glfwGetWindowUserPointer(w))->needs_redraw = true;
  });
  glfwSetWindowContentScaleCallback(window, [](GLFWwindow* w, float, float) {
    static_cast<State*>(glfwGetWindowUserPointer(w))->needs_redraw = true;
  });
  glfwSetDropCallback(window, [](GLFWwindow* w, int n, const char** paths) {
    State& state = *static_cast<State*>(glfwGetWindowUserPointer(w));
    state.dropped.insert(state.dropped.end(), paths, paths + n);
    state.needs_redraw = true;
  });
}

Window::Window(std::unique_ptr<State> state) : state_(std::move(state)) {}
Window::Window(Window&&) noexcept = default;
Window& Window::operator=(Window&&) noexcept = default;
Window::~Window() = default;

Result<Window> Window::open(const std::string& title, int32_t width, int32_t height, float scale,
                            const std::string& settings_path) {
  if (glfwInit() == GLFW_FALSE) return no_display();
  auto state = std::make_unique<State>();
  glfwDefaultWindowHints();  // check() leaves its own
  glfwWindowHint(GLFW_SCALE_TO_MONITOR, scale > 0 ? GLFW_FALSE : GLFW_TRUE);
  state->window = create_window(width, height, title.c_str());
  if (state->window == nullptr) return no_opengl();
  glfwMakeContextCurrent(state->window);
  glfwSwapInterval(1);
  state->fixed_scale = scale;
  state->gui = std::make_unique<GuiContext>(state->monitor_scale(), settings_path);
  state->install_callbacks();  // before the backend, which chains to what it finds
  state->glfw_backend = ImGui_ImplGlfw_InitForOpenGL(state->window, true);
  state->gl_backend = state->glfw_backend && ImGui_ImplOpenGL3_Init("#version 330 core");
  if (!state->gl_backend) return fail("window: Dear ImGui's renderer does not start");
  return Window(std::move(state));
}

Status Window::check() {
  if (glfwInit() == GLFW_FALSE) return no_display();
  glfwWindowHint(GLFW_VISIBLE, GLFW_FALSE);
  GLFWwindow* window = create_window(64, 64, "");
  if (window != nullptr) {
    glfwDestroyWindow(window);
    return success();
  }
  const Status found = no_opengl();
  glfwTerminate();
  return found;
}

void Window::set_title(const std::string& title) { glfwSetWindowTitle(state_->window, title.c_str()); }

bool Window::closing() const { return glfwWindowShouldClose(state_->window) == GLFW_TRUE; }

bool Window::wait_input(double wait_s) {
  state_->gui->make_current();
  glfwWaitEventsTimeout(std::max(wait_s, 1e-3));
  // Keys and pointer moves wait here until the next frame reads them.
  const bool queued = ImGui::GetCurrentContext()->InputEventsQueue.Size > 0;
  const bool held = ImGui::IsAnyMouseDown() || ImGui::GetIO().WantTextInput;  // drags; the blinking caret
  return std::exchange(state_->needs_redraw, false) || queued || held;
}

void Window::draw(const std::function<void()>& draw_frame, Image* picture) {
  state_->gui->make_current();
  const float scale = std::clamp(state_->monitor_scale() * user_scale(), kMinScale, kMaxScale);
  if (scale != current_scale()) apply_theme(current_theme(), scale);
  ImGui_ImplOpenGL3_NewFrame();
  ImGui_ImplGlfw_NewFrame();
  ImGui::NewFrame();
  draw_frame();
  ImGui::Render();
  int width = 0, height = 0;
  glfwGetFramebufferSize(state_->window, &width, &height);
  glViewport(0, 0, width, height);
  const ImVec4 back = ImGui::GetStyle().Colors[ImGuiCol_WindowBg];
  glClearColor(back.x, back.y, back.z, 1);
  glClear(GL_COLOR_BUFFER_BIT);
  ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
  if (picture != nullptr) {
    std::vector<uint8_t> rgba(static_cast<size_t>(width) * height * 4);
    glPixelStorei(GL_PACK_ALIGNMENT, 1);
    glReadPixels(0, 0, width, height, GL_RGBA, GL_UNSIGNED_BYTE, rgba.data());
    *picture = image_of_gl_pixels(width, height, rgba);
  }
  glfwSwapBuffers(state_->window);
}

float Window::user_scale() const { return state_->gui->text_scale(); }
void Window::set_user_scale(float scale) {
  state_->gui->set_text_scale(scale);
  state_->needs_redraw = true;
}

std::vector<std::string> Window::take_dropped_files() { return std::exchange(state_->dropped, {}); }
const std::string& Window::font_message() const { return state_->gui->font_message(); }

}  // namespace draftscope
