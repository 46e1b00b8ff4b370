// The program without a command: the window, or, where there is no display, text, a trace and a picture.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "app/commands.h"
#include "app/cost_tools.h"
#include "app/engine_thread.h"
#include "app/first_profile.h"
#include "app/lab.h"
#include "app/options.h"
#include "app/profile_cache.h"
#include "app/round_text.h"
#include "app/validators.h"
#include "ui/gui/studio.h"
#include "ui/source.h"

namespace draftscope {
namespace {

constexpr const char* kFirstPrompt = "Tell a bedtime story with Mia, Tom and an umbrella.";

struct Options {
  DecodeOptions decode;
  std::string trace, picture;
  std::string open;       // a trace to look at
  bool no_window = false;
  float scale = 0;
};

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

/// Why there will be no window; success when there will be one.
Status check_window(const Options& options) {
  if (options.no_window) return fail("--no-window");
  if (!is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY")) return fail("no display here");
  return check_display();
}

StartCommand start_command(const DecodeOptions& options, const std::string& prompt) {
  StartCommand start;
  start.prompt_utf8 = prompt;
  start.method = parse_method(options.method).value();  // the parser let only known words through
  start.budget = options.budget;
  start.max_tokens = options.max_tokens;
  start.temperature = options.temperature;
  start.seed = options.seed;
  return start;
}

/// A trace for File > Open: whole at the first poll, and the lab's from then on when it is dense.
Result<Poll> open_trace(const std::string& path, const std::shared_ptr<Lab>& lab) {
  Result<TraceReader> reader = TraceReader::open(path);
  if (!reader) return Error{reader.error()};
  auto source = std::make_shared<TraceSource>(path);
  return Poll([source, lab](RecordStore& store) {
    if (source->poll(store) == 0) return false;
    if (store.info() && store.info()->dense) lab->use(*store.info(), {store.rounds().begin(), store.rounds().end()});
    return true;
  });
}

StudioOptions window_options(const Options& options, StartCommand start, const std::shared_ptr<Lab>& lab) {
  StudioOptions window;
  window.scale = options.scale;
  window.start = std::move(start);
  window.open_trace = [lab](const std::string& path) { return open_trace(path, lab); };
  window.lab = lab_link(lab);
  window.cost_tools = cost_tools();
  window.should_close = interrupted;
  return window;
}

int look_at_trace(const Options& options) {
  const auto lab = std::make_shared<Lab>();
  Result<Poll> poll = open_trace(options.open, lab);
  if (!poll) return report(poll.error());
  StudioOptions window = window_options(options, {}, lab);
  window.file = options.open;
  const Status shown = run_studio_window(
      *poll, [](const Command&) {}, false, window);
  return shown ? 0 : report(shown.error());
}

constexpr double kFirstRoundsPerS = 2;  // slow enough to watch; the controls change it

/// For a pair that has no kept profile yet. `pair` must outlive it.
std::shared_ptr<FirstProfile> first_profile(const Pair& pair) {
  return std::make_shared<FirstProfile>(
      first_use_sentence() + " Then decoding begins.",
      [&pair](const FirstProfile::Progress& progress) { return measure_and_keep(pair, progress); });
}

/// A session without a cost model waits until its window has seen it measured.
int run_window(const Options& options, const Pair& pair, SessionOptions session) {
  const DecodeOptions& decode = options.decode;
  StudioOptions window =
      window_options(options, start_command(decode, session.prompt_utf8), std::make_shared<Lab>());
  window.rounds_per_s = kFirstRoundsPerS;
  window.max_nodes = session.rule.max_nodes;
  window.correction = decode.correction_file;
  LiveQueue live;
  Result<Recorder> recorder = Recorder::open(options.trace, &live);
  if (!recorder) return report(recorder.error());
  EngineOptions engine_options{std::move(session), decode.raw, decode.thinking, nullptr};
  if (!engine_options.session.cost) {
    engine_options.first_profile = first_profile(pair);
    window.measuring = [profile = engine_options.first_profile] { return profile->now(); };
  }
  LiveSource source(live);
  std::optional<EngineThread> engine;
  bool is_drawn = false;
  const auto poll = [&](RecordStore& store) {
    // Behind the first frame: opening the window is much work, and what is measured beside it reads too long.
    if (std::exchange(is_drawn, true) && !engine) {
      engine.emplace(pair, std::move(engine_options), *std::move(recorder));
      engine->send(SetSpeedCommand{kFirstRoundsPerS});
      engine->send(window.start);
    }
    return source.poll(store) > 0;
  };
  const auto send = [&](Command command) {
    if (engine) engine->send(std::move(command));
  };
  const Status shown = run_studio_window(poll, send, true, window);
  const Status closed = engine ? engine->close() : recorder->close();
  if (!shown) return report(shown.error());
  return closed ? 0 : report(closed.error());
}

/// Draws the window as it would stand after the last round.
Status draw_picture(const std::string& trace, const std::string& picture, float scale) {
  RecordStore store;
  TraceSource(trace).poll(store);
  const float s = scale > 0 ? scale : 1;
  PictureOptions options;
  options.width = static_cast<int32_t>(1600 * s);
  options.height = static_cast<int32_t>(900 * s);
  options.scale = s;
  return render_panel_png(store, options, picture);
}

int run_without_display(const Options& options, const Pair& pair, const SessionOptions& session_opts) {
  const std::string trace = options.trace.empty() ? "draftscope.trace" : options.trace;
  const std::string picture = options.picture.empty() ? "draftscope.png" : options.picture;
  const Result<std::vector<int32_t>> ids =
      encode_prompt(pair, session_opts.prompt_utf8, options.decode.raw, options.decode.thinking);
  if (!ids) return report(ids.error());
  Result<Session> session =
      Session::start(pair, *ids, session_opts, [](int32_t, int32_t) { return !interrupted(); });
  if (!session) return interrupted() ? kInterruptedStatus : report(session.error());
  Result<Recorder> recorder = Recorder::open(trace, nullptr);  // now that new rounds will replace the old ones
  if (!recorder) return report(recorder.error());

  std::printf("%s\n", info_text(session->info()).c_str());
  const auto on_round = [](const RoundRecord& round) {
    std::fputs(round_text(round).c_str(), stdout);
    std::fflush(stdout);
  };
  const SessionEnd end = run_session(*session, *recorder, on_round, [] { return !interrupted(); });
  std::printf("\n%s\n\n%s", end.output_utf8.c_str(), end_text(end).c_str());
  if (Status closed = recorder->close(); !closed) return report(closed.error());
  std::printf("trace    %s\n", std::filesystem::absolute(trace).c_str());
  if (interrupted()) return kInterruptedStatus;
  if (end.n_rounds == 0) return 0;
  if (Status drawn = draw_picture(trace, picture, options.scale); !drawn) return report(drawn.error());
  std::printf("picture  %s\n", std::filesystem::absolute(picture).c_str());
  return 0;
}

int studio(const Options& options) {
  catch_interrupts();
  const Status window = check_window(options);
  if (!options.open.empty()) {
    if (!window)
      return report("--open: expected a display, found none (" + window.error() + "); use replay or render");
    return look_at_trace(options);
  }
  if (window && !options.picture.empty())
    return report(
        "--picture: expected --no-window beside it, found a display; the window saves pictures with F12");
  if (!window) std::fprintf(stderr, "draftscope: %s; decoding in the terminal\n\n", window.error().c_str());
  Options chosen = options;
  DecodeOptions& decode = chosen.decode;
  if (decode.prompt.empty() && decode.prompt_file.empty()) decode.prompt = kFirstPrompt;
  Result<std::string> prompt = read_prompt(decode);
  if (!prompt) return report(prompt.error());
  Result<Pair> pair = open_models(decode.models);
  if (!pair) return report(pair.error());
  if (!pair->drafter && decode.method == "exact") {
    std::fprintf(stderr, "draftscope: no drafter given, so decoding is plain\n");
    decode.method = "plain";
  }
  Result<SessionOptions> session = session_options(decode, *prompt);
  if (!session) return report(session.error());
  if (window && decode.cost_file.empty()) {
    session->cost = kept_profile(*pair);  // without one the window opens all the same
  } else {
    Result<CostModel> cost = cost_for(*pair, decode.cost_file);
    if (!cost) return interrupted() ? kInterruptedStatus : report(cost.error());
    session->cost = *std::move(cost);
  }
  return window ? run_window(chosen, *pair, *std::move(session))
                : run_without_display(chosen, *pair, *session);
}

}  // namespace

Run bind_studio(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_decode_options(app, options->decode);
  app.add_option("--trace", options->trace, "keep every round in this file (without a display: draftscope.trace)")
      ->type_name("FILE");
  app.add_option("--picture", options->picture, "without a display: the picture to write (draftscope.png)")
      ->type_name("FILE");
  app.add_option("--open", options->open, "look at a trace instead of decoding")->type_name("FILE");
  app.add_option("--scale", options->scale, "size of text and lines; 0: as the display asks")
      ->check(number_in(0, 4))->capture_default_str();
  app.add_flag("--no-window", options->no_window, "text and a picture, also where there is a display");
  return [options] { return studio(*options); };
}

}  // namespace draftscope
