// render: the window or one panel of a trace as a PNG, without a display.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "app/commands.h"
#include "app/cost_tools.h"
#include "app/lab.h"
#include "app/options.h"
#include "app/validators.h"
#include "ui/gui/studio.h"
#include "ui/source.h"

namespace draftscope {
namespace {

struct Options {
  std::string trace, out, theme = "dark";
  PictureOptions picture;
  int32_t request = 1;
};

int render(const Options& options) {
  if (Status ok = check_output(options.out, {options.trace}); !ok) return report(ok.error());
  RecordStore store;
  TraceSource source(options.trace);
  source.poll(store);
  const auto n_requests = static_cast<int32_t>(store.requests().size());
  if (options.request > n_requests) {
    return report(fmt::format("{}: --request: expected 1 to {}, found {}", options.trace, n_requests, options.request));
  }
  store.show_request(static_cast<size_t>(options.request) - 1);
  if (store.empty()) {
    return report(store.errors().empty() ? options.trace + ": expected at least one round, found none" : store.errors()[0]);
  }
  for (const std::string& error : store.errors()) std::fprintf(stderr, "draftscope: %s\n", error.c_str());
  PictureOptions picture = options.picture;
  picture.light = options.theme == "light";
  const Status drawn = render_panel_png(store, picture, options.out, immediate_lab(store), cost_tools());
  return drawn ? 0 : report(drawn.error());
}

}  // namespace

Run bind_render(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("--trace", options->trace, "trace file")->type_name("FILE")->required();
  app.add_option("--panel", options->picture.panel, "what to draw")
      ->check(CLI::IsMember(panel_names()))
      ->capture_default_str();
  app.add_option("-o,--out", options->out, "picture to write (PNG)")->check(not_empty())->type_name("FILE")->required();
  app.add_option("--round", options->picture.round, "round to show, from 0; -1: the last")
      ->capture_default_str();
  app.add_option("--request", options->request, "of a batch: the request to show, from 1")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--width", options->picture.width, "pixels")
      ->check(CLI::Range(200, 8192))
      ->capture_default_str();
  app.add_option("--height", options->picture.height, "pixels")
      ->check(CLI::Range(150, 8192))
      ->capture_default_str();
  app.add_option("--scale", options->picture.scale, "size of text and lines")
      ->check(number_in(0.5, 4))
      ->capture_default_str();
  app.add_option("--theme", options->theme, "colours")
      ->check(CLI::IsMember({"dark", "light"}))
      ->capture_default_str();
  return [options] { return render(*options); };
}

}  // namespace draftscope
