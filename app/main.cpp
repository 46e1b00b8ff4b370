// draftscope: see speculative decoding.
#include <fcntl.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "app/commands.h"
#include "app/options.h"

namespace {

/// A closed standard stream would hand its number to the next file that is opened, and text would be written into that.
void keep_standard_streams() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) < 0) (void)open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
  }
}

/// The first option of the window that stands before a command, whose it cannot be; empty: none does.
std::string option_before_command(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() > 0) return option->get_name();
  }
  return {};
}

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
    if (!sub->parsed()) continue;
    chosen = std::move(action);
    if (const std::string option = option_before_command(app); !option.empty()) {
      return draftscope::report(fmt::format("{}: expected after the command {}, found before it", option, sub->get_name()));
    }
  }
  const int status = chosen();
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
  return draftscope::report("standard output: expected to write all of it, found no room or no permission");
}

}  // namespace

int main(int argc, char** argv) {
  keep_standard_streams();
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {  // out of memory and the like; everything else is a Result
    return draftscope::report(draftscope::sentence_of(error));
  }
}
