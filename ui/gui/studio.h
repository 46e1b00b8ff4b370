// Studio: menu, dockspace, panels, status bar. Names no graphics library, so that app/ may include it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/record/command.h"
#include "ui/gui/lab_state.h"
#include "ui/gui/measuring_strip.h"
#include "ui/gui/panels.h"
#include "ui/gui/status_bar.h"
#include "ui/selection.h"
#include "ui/store.h"

namespace draftscope {

enum class Action : uint8_t;
enum class PanelSet : uint8_t;

/// What a frame asks of whoever owns the window.
struct StudioRequests {
  std::optional<std::string> open_trace;  // a path, not yet checked
  std::optional<SetCorrectionCommand> use_correction;  // for the live engine's controls
  bool back_to_live = false;
  bool save_picture = false;
  bool quit = false;
  int32_t scale_steps = 0;  // Ctrl+plus and Ctrl+minus since the last frame
  bool scale_reset = false;
};

/// One recording or one live engine, drawn. Needs a current GuiContext only inside draw_* calls.
class Studio {
 public:
  /// `store` must outlive the studio. `live`: an engine answers `send`. `lab` answers questions about dense recordings.
  Studio(RecordStore& store, std::function<void(Command)> send, bool live, LabLink lab = {});
  Studio(const Studio&) = delete;
  Studio& operator=(const Studio&) = delete;

  /// One frame of the whole window, between NewFrame and Render.
  void draw_frame();
  /// One frame with a single panel over the whole viewport; `panel` is one of panel_names().
  void draw_single_panel(std::string_view panel);

  StudioRequests take_requests();
  /// One sentence for the status bar, until the next one; `warns`: something did not work.
  void set_notice(std::string sentence, bool warns = false);
  /// What a recording is called.
  void set_file(std::string name) { facts_.file = std::move(name); }
  /// What the controls offer before anything was decoded, e.g. the prompt of the command line.
  void set_start(StartCommand start, double rounds_per_s, int32_t max_nodes) {
    controls_.start = std::move(start);
    controls_.rounds_per_s = rounds_per_s;
    controls_.max_nodes = max_nodes;
  }
  void allow_opening(bool traces, bool back_to_live);
  /// The engine has been given, or is sent now, what the calibrated method corrects by.
  void set_correction_source(std::string source) { controls_.correction = std::move(source); }
  void use_correction(SetCorrectionCommand command);
  /// What the cost panel can do beyond moving points; before the first frame.
  void set_cost_tools(CostTools tools) { context_.cost_tools = std::move(tools); }
  /// Where the engine's first measurement stands.
  void set_measuring(Measuring now);
  /// Offers the cost curves of a file, as the panel's own import does.
  void import_cost_file(const std::string& path) { import_cost(context_, cost_, path); }
  /// True while the picture changes without input: a recording plays, or the lab's answer grows.
  bool animating() const { return controls_.playing || lab_.busy(); }

  Selection& selection() { return selection_; }
  const ControlState& controls() const { return controls_; }
  const LabState& lab() const { return lab_; }
  void perform(Action action);

 private:
  void run();
  void pause_or_resume();
  void play_or_pause();
  void step_engine();
  void stop();
  void follow();
  void dismiss();
  void ask_window(Action action);
  void refresh_status();
  void choose_request();
  void begin_selection_frame();
  void begin_lab_frame();
  void begin_batch_frame();
  void show_panel_set(PanelSet set);
  void play_recording();
  void handle_keys();
  void step_rounds(int64_t n_rounds);
  void step_requests(int64_t n_requests);
  void draw_panel(int index);
  void draw_panel_windows(bool new_layout);
  void draw_menu_bar();
  void draw_file_menu();
  void draw_edit_menu();
  void draw_view_menu();
  void draw_help_menu();
  void draw_action_item(Action action, bool enabled = true);
  void draw_open_dialog();
  void draw_explanation();
  void draw_keys();
  void draw_key_list();

  RecordStore& store_;  // only the request that it shows is changed here
  Selection selection_;
  ControlState controls_;
  CostEditState cost_;
  MeasuringStrip measuring_;
  LabState lab_;
  PanelContext context_;
  StudioRequests requests_;
  std::string open_path_;
  StatusFacts facts_;
  std::vector<StatusItem> status_;  // of facts_ and status_version_
  std::optional<uint64_t> status_version_;
  PanelSet panel_set_;
  std::array<bool, 13> panel_open_;  // in PanelIndex order
  bool can_open_ = false, can_go_live_ = false;
  bool reset_layout_ = false, swap_theme_ = false;
  bool ask_path_ = false, show_explanation_ = false, show_keys_ = false;
  bool batch_ = false;  // several requests decoded together
  double next_step_s_ = 0;  // ImGui time of the next round while playing
  int64_t last_seq_ = -1;   // round drawn last frame
};

/// Names for `render --panel`: "window" for everything, "lab" for everything in the lab's layout, then tree,
/// throughput, ... as in the View menu.
std::vector<std::string> panel_names();

/// Appends what is new to the store; true when something was. Never waits.
using Poll = std::function<bool(RecordStore&)>;

struct StudioOptions {
  std::string title = "Draftscope";
  int32_t width = 1600, height = 900;  // pixels at scale 1
  float scale = 0;                     // 0: the monitor's
  bool remember_layout = true;         // in the person's configuration folder
  StartCommand start;                  // what the controls begin with
  double rounds_per_s = 0;             // the speed they show; 0: as fast as possible
  int32_t max_nodes = 256;             // the largest budget that they offer
  std::string file;                    // of the recording on show; empty: an engine
  std::string correction;              // where the engine's correction comes from; empty: it has none
  LabLink lab;                         // for dense recordings
  CostTools cost_tools;                // presets, knees and files of the cost panel
  std::function<Measuring()> measuring;  // the engine's first measurement, asked often; empty: there is none
  std::function<bool()> should_close;  // asked every frame, e.g. after Ctrl-C in the terminal; may be empty
  /// Opens a trace for File > Open and for dropped files; empty: no such menu entry.
  std::function<Result<Poll>(const std::string& path)> open_trace;
};

/// Why no window can be opened here; success when one can be.
Status check_display();

/// Shows the window until it is closed, drawing when there is input or data. Sends no QuitCommand itself.
/// Fails with one sentence when there is no display.
Status run_studio_window(Poll poll, std::function<void(Command)> send, bool live,
                         const StudioOptions& options);

struct PictureOptions {
  std::string panel = "window";        // one of panel_names()
  int64_t round = -1;                  // index into store.rounds(); -1: the last
  int32_t width = 1600, height = 900;  // pixels
  float scale = 1;
  bool light = false;                  // light colours
};

/// Draws one picture to the PNG `path` without a display. `lab` must answer within its ask; `tools` are the cost
/// panel's. Fails on an unknown panel or round, without EGL, or when `path` cannot be written.
Status render_panel_png(RecordStore& store, const PictureOptions& options, const std::string& path,
                        const LabLink& lab = {}, const CostTools& tools = {});

}  // namespace draftscope
