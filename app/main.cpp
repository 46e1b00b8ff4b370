// draftscope: see speculative decoding.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <vector>

#include "app/commands.h"

namespace {

int run(int argc, char** argv) {
  CLI::App app{"Draftscope shows speculative decoding: the draft tree of every round and the budget decision behind it."};
  app.name("draftscope");
  app.footer("Without a command: the window, or, where there is no display, text and pictures.");
  app.require_subcommand(0, 1);
  draftscope::Run chosen = draftscope::bind_studio(app);
  std::vector<std::pair<CLI::App*, draftscope::Run>> bound;
  for (const draftscope::CommandRow& row : draftscope::command_rows()) {
    CLI::App* sub = app.add_subcommand(row.name, row.summary);
    bound.emplace_back(sub, row.bind(*sub));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  for (auto& [sub, action] : bound) {
    if (sub->parsed()) chosen = std::move(action);
  }
  return chosen();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {  // out of memory and the like; everything else is a Result
    std::fprintf(stderr, "draftscope: %s\n", error.what());
    return 1;
  }
}
