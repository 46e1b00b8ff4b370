// The two ways to see a studio: in a window until it is closed, or as one picture in a file.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <utility>

#include "ui/gui/offscreen.h"
#include "ui/gui/studio.h"
#include "ui/gui/studio_pace.h"
#include "ui/gui/window.h"

namespace draftscope {
namespace {

constexpr double kLiveWait_s = 1.0 / 120;  // and the vertical sync: new rounds show at 60 Hz
constexpr double kIdleWait_s = 0.25;
constexpr std::chrono::milliseconds kMeasuringFrame{500};  // frames take their time from what is measured
constexpr float kScaleStep = 1.1f;
constexpr int32_t kPictureFrames = 6;  // docking and plot ranges settle over the first frames

/// One place that records come from, with everything that is shown of it.
struct Feed {
  RecordStore store;
  Poll poll;
  std::unique_ptr<Studio> studio;
};

std::unique_ptr<Feed> make_feed(Poll poll, std::function<void(Command)> send, bool live, LabLink lab) {
  auto feed = std::make_unique<Feed>();
  feed->poll = std::move(poll);
  feed->studio = std::make_unique<Studio>(feed->store, std::move(send), live, std::move(lab));
  return feed;
}

/// Where the layout is kept; empty when there is no configuration folder.
std::string settings_path() {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  std::filesystem::path folder;
  if (config != nullptr && *config != 0) {
    folder = config;
  } else if (home != nullptr && *home != 0) {
    folder = std::filesystem::path(home) / ".config";
  } else {
    return {};
  }
  folder /= "draftscope";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  return error ? std::string() : (folder / "layout.ini").string();
}

std::string file_name(const std::string& path) { return std::filesystem::path(path).filename().string(); }

std::string free_picture_path() {
  for (int i = 1;; ++i) {
    std::string path = fmt::format("draftscope-{}.png", i);
    std::error_code error;
    if (!std::filesystem::exists(path, error)) return path;
  }
}

/// The window's loop: polls both feeds, draws the one on show, answers what its frame asked for.
class Loop {
 public:
  Loop(Window window, std::unique_ptr<Feed> first, bool live, const StudioOptions& options)
      : window_(std::move(window)), first_(std::move(first)), live_(live), options_(options) {
    first_->studio->allow_opening(options_.open_trace != nullptr, false);
    if (live_) first_->studio->set_start(options_.start, options_.rounds_per_s, options_.max_nodes);
    first_->studio->set_file(file_name(options_.file));
    first_->studio->set_correction_source(options_.correction);
    first_->studio->set_notice(window_.font_message());
    first_->studio->set_cost_tools(options_.cost_tools);
    name_window(options_.file);
  }

  void run() {
    while (!window_.closing() && !quit_ && !(options_.should_close && options_.should_close())) {
      const bool animating = shown().studio->animating();
      const bool soon = live_ || animating || pace_.settling();
      bool fresh = window_.wait_input(soon ? kLiveWait_s : kIdleWait_s);
      for (const std::string& path : window_.take_dropped_files()) take_file(path);
      fresh |= first_->poll(first_->store);
      if (opened_) fresh |= opened_->poll(opened_->store);
      const bool moved = follow_measuring(Pace::Clock::now());
      if (pace_.due(fresh || animating, Pace::Clock::now()) || moved) draw();
    }
  }

 private:
  Feed& shown() { return opened_ ? *opened_ : *first_; }

  /// Hands on where the first measurement stands; true when a single frame is to show that it moved.
  bool follow_measuring(Pace::Clock::time_point now) {
    if (!options_.measuring) return false;
    Measuring state = options_.measuring();
    if (std::exchange(measuring_, state.running) != state.running) pace_.settle();  // panels move
    const bool moved = state.running && now >= next_measuring_frame_;
    if (moved) next_measuring_frame_ = now + kMeasuringFrame;
    first_->studio->set_measuring(std::move(state));
    return moved;
  }

  void name_window(const std::string& file) {
    window_.set_title(file.empty() ? options_.title : file_name(file) + " - " + options_.title);
  }

  void draw() {
    Image picture;
    Studio& studio = *shown().studio;
    window_.draw([&] { studio.draw_frame(); }, std::exchange(take_picture_, false) ? &picture : nullptr);
    if (!picture.rgb.empty()) {
      const std::string path = free_picture_path();
      const Status saved = write_png(path, picture);
      studio.set_notice(saved ? "saved " + path : saved.error(), !saved);
    }
    answer(studio.take_requests());
  }

  void answer(const StudioRequests& requests) {
    quit_ |= requests.quit;
    take_picture_ |= requests.save_picture;  // the next frame, without the open menu
    if (requests.scale_reset) window_.set_user_scale(1);
    if (requests.scale_steps != 0) {
      const auto steps = static_cast<float>(requests.scale_steps);
      window_.set_user_scale(window_.user_scale() * std::pow(kScaleStep, steps));
    }
    if (requests.use_correction && live_) {
      first_->studio->use_correction(*requests.use_correction);
      shown().studio->set_notice("the engine has the correction: back to live, choose the method calibrated");
    }
    if (requests.back_to_live) {
      opened_.reset();
      name_window(options_.file);
    }
    if (requests.open_trace) open(*requests.open_trace);
  }

  /// A dropped file: a cost curve by its name, else a trace.
  void take_file(const std::string& path) {
    if (!path.ends_with(".json")) return open(path);
    shown().studio->import_cost_file(path);
    pace_.settle();
  }

  void open(const std::string& path) {
    if (!options_.open_trace) return;
    Result<Poll> poll = options_.open_trace(path);
    if (!poll) return shown().studio->set_notice(poll.error(), true);
    opened_ = make_feed(
        std::move(*poll), [](const Command&) {}, false, options_.lab);
    opened_->studio->allow_opening(true, live_);
    opened_->studio->set_cost_tools(options_.cost_tools);
    opened_->studio->set_file(file_name(path));
    opened_->studio->set_notice("opened " + path);
    name_window(path);
    pace_.settle();
  }

  Window window_;
  std::unique_ptr<Feed> first_, opened_;  // opened_: a trace from the menu, shown instead of first_
  bool live_;
  const StudioOptions& options_;
  bool quit_ = false, take_picture_ = false;
  bool measuring_ = false;  // the first measurement ran when last looked at
  Pace pace_;
  Pace::Clock::time_point next_measuring_frame_{};
};

}  // namespace

Status check_display() { return Window::check(); }

Status run_studio_window(Poll poll, std::function<void(Command)> send, bool live,
                         const StudioOptions& options) {
  Result<Window> window = Window::open(options.title, options.width, options.height, options.scale,
                                       options.remember_layout ? settings_path() : std::string());
  if (!window) return Error{window.error()};
  Loop(std::move(*window), make_feed(std::move(poll), std::move(send), live, options.lab), live, options).run();
  return success();
}

Status render_panel_png(RecordStore& store, const PictureOptions& options, const std::string& path,
                        const LabLink& lab, const CostTools& tools) {
  const std::vector<std::string> names = panel_names();
  if (std::ranges::find(names, options.panel) == names.end()) {
    return fail("panel: expected one of {}, found '{}'", fmt::join(names, ", "), options.panel);
  }
  const int64_t round = options.round;
  const auto n_rounds = static_cast<int64_t>(store.rounds().size());
  if (round < -1 || round >= n_rounds) {
    if (n_rounds == 0) return fail("round {}: the recording has no rounds", round);
    return fail("round: expected 0 to {} or -1 for the last, found {}", n_rounds - 1, round);
  }
  Result<Offscreen> offscreen = Offscreen::create(options.width, options.height, options.scale,
                                                  options.light ? Theme::kLight : Theme::kDark);
  if (!offscreen) return Error{offscreen.error()};
  Studio studio(
      store, [](const Command&) {}, false, lab);
  studio.set_notice(offscreen->font_message());
  studio.set_cost_tools(tools);
  if (round >= 0) {
    studio.selection().follow_live = false;
    studio.selection().round = round;
  }
  const Result<Image> image =
      offscreen->render([&] { studio.draw_single_panel(options.panel); }, kPictureFrames);
  if (!image) return Error{image.error()};
  return write_png(path, *image);
}

}  // namespace draftscope
