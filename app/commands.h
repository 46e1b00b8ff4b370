// The command table: every word that may follow `draftscope`. Help, tests and the README read this list.
#pragma once

#include <functional>
#include <span>

namespace CLI {
class App;
}

namespace draftscope {

/// Runs a parsed command; the exit status.
using Run = std::function<int()>;

struct CommandRow {
  const char* name;
  const char* summary;      // one line of help
  Run (*bind)(CLI::App&);   // adds the command's options, returns what to run once they are parsed
};

std::span<const CommandRow> command_rows();

Run bind_studio(CLI::App& app);  // no word at all: the window, or text without a display
Run bind_decode(CLI::App& app);
Run bind_record(CLI::App& app);
Run bind_batch(CLI::App& app);
Run bind_replay(CLI::App& app);
Run bind_simulate(CLI::App& app);
Run bind_calibrate(CLI::App& app);
Run bind_info(CLI::App& app);
Run bind_profile(CLI::App& app);
Run bind_bench(CLI::App& app);
Run bind_render(CLI::App& app);

}  // namespace draftscope
