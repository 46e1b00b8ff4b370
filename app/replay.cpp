// replay: a trace as text, round by round.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include "app/commands.h"
#include "app/options.h"
#include "app/round_text.h"
#include "app/validators.h"
#include "engine/record/trace_file.h"

namespace draftscope {
namespace {

struct Options {
  std::string trace;
  bool json = false;
  double rounds_per_s = 0;
};

struct ToText {
  std::string operator()(const SessionInfo& info) const { return info_text(info); }
  std::string operator()(const RoundRecord& round) const { return round_text(round); }
  std::string operator()(const SessionEnd& end) const { return end_text(end); }
};

/// Ends early with Ctrl-C.
void wait_s(double seconds) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < until && !interrupted()) {
    const std::chrono::duration<double> left = until - std::chrono::steady_clock::now();
    std::this_thread::sleep_for(std::min(left, std::chrono::duration<double>(0.05)));
  }
}

int replay(const Options& options) {
  catch_interrupts();
  Result<TraceReader> reader = TraceReader::open(options.trace);
  if (!reader) return report(reader.error());
  int status = 0;
  for (size_t i = 0; i < reader->size() && !interrupted(); ++i) {
    Result<Message> message = reader->message(i);
    if (!message) {  // the frames behind a damaged one are whole
      status = report(message.error());
      continue;
    }
    const std::string text = options.json ? message_json(*message) + "\n" : std::visit(ToText{}, *message);
    std::fputs(text.c_str(), stdout);
    if (options.rounds_per_s > 0 && std::holds_alternative<RoundRecord>(*message)) {
      std::fflush(stdout);
      wait_s(1 / options.rounds_per_s);
    }
  }
  if (!reader->complete()) std::fprintf(stderr, "draftscope: %s\n", reader->note().c_str());
  return interrupted() ? kInterruptedStatus : status;
}

}  // namespace

Run bind_replay(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("trace", options->trace, "trace file")->type_name("FILE")->required();
  app.add_flag("--json", options->json, "one JSON object a line");
  app.add_option("--speed", options->rounds_per_s, "rounds per second; 0: as fast as possible")
      ->check(number_in(0, 1000))->capture_default_str();
  return [options] { return replay(*options); };
}

}  // namespace draftscope
