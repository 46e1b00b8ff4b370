// decode and record: answer a prompt; the text goes to standard output, the rounds where asked.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "app/commands.h"
#include "app/options.h"
#include "app/recorder.h"
#include "app/round_text.h"
#include "app/validators.h"

namespace draftscope {
namespace {

struct Options {
  DecodeOptions decode;
  std::string trace;
  bool json = false;
  bool dense = false;  // record: plain decoding, the drafter asked at every position
  bool quiet = false;  // record: say where the trace is, nothing else
};

int finish(const SessionEnd& end, Recorder& recorder, const Options& options) {
  if (options.json) std::printf("%s\n", message_json(end).c_str());
  if (Status closed = recorder.close(); !closed) return report(closed.error());
  return interrupted() ? kInterruptedStatus : 0;
}

int decode(const Options& options) {
  catch_interrupts();
  Result<std::string> prompt = read_prompt(options.decode);
  if (interrupted()) return kInterruptedStatus;
  if (!prompt) return report(prompt.error());
  if (Status ok = check_output(options.trace, {options.decode.prompt_file, options.decode.cost_file,
                                               options.decode.correction_file}); !ok) return report(ok.error());
  if (prompt->empty()) return report("prompt: expected --prompt TEXT, --prompt-file FILE or text on standard input, found none");
  Result<SessionOptions> session_opts = session_options(options.decode, *prompt);
  if (!session_opts) return report(session_opts.error());
  if (options.dense) session_opts->dense = true, session_opts->rule.method = Method::kPlain;
  Result<Pair> pair = open_models(options.decode.models);
  if (!pair) return report(pair.error());
  const Result<std::vector<int32_t>> ids = encode_prompt(*pair, *prompt, options.decode.raw, options.decode.thinking);
  if (!ids) return report(ids.error());
  Result<CostModel> cost = cost_for(*pair, options.decode.cost_file);
  if (!cost) return interrupted() ? kInterruptedStatus : report(cost.error());
  session_opts->cost = *std::move(cost);
  Result<Session> session = Session::start(*pair, *ids, *session_opts, [](int32_t done, int32_t total) {
    if (total > 512) show_progress("prompt", done, total);
    return !interrupted();
  });
  if (!session) return interrupted() ? kInterruptedStatus : report(session.error());
  Result<Recorder> recorder = Recorder::open(options.trace, nullptr);  // an older recording stays until there is a new one
  if (!recorder) return report(recorder.error());

  if (options.json) std::printf("%s\n", message_json(session->info()).c_str());
  size_t n_told = 0;
  const auto on_round = [&](const RoundRecord& round) {
    n_told += round.committed_utf8.size();
    if (options.json) {
      std::printf("%s\n", message_json(round).c_str());
    } else if (options.quiet) {
      show_progress("tokens", static_cast<int64_t>(session->output().size()), options.decode.max_tokens);
    } else {
      std::fwrite(round.committed_utf8.data(), 1, round.committed_utf8.size(), stdout);
    }
    std::fflush(stdout);
  };
  const SessionEnd end = run_session(*session, *recorder, on_round, [] { return !interrupted(); });
  if (!options.json && !options.quiet) {  // what no round has told: a first token that was the last
    if (end.output_utf8.size() > n_told) std::fputs(end.output_utf8.c_str() + n_told, stdout);
    std::fputc('\n', stdout);
  }
  if (options.quiet) {
    show_progress("tokens", 1, 1);
    std::fprintf(stderr, "%s: %s", options.trace.c_str(), end_text(end).c_str());
  }
  return finish(end, *recorder, options);
}

}  // namespace

Run bind_decode(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_decode_options(app, options->decode);
  app.add_option("--trace", options->trace, "keep every round in this file")->check(not_empty())->type_name("FILE");
  app.add_flag("--json", options->json, "one JSON object per round instead of text");
  return [options] { return decode(*options); };
}

Run bind_record(CLI::App& app) {
  auto options = std::make_shared<Options>();
  options->quiet = true;
  add_decode_options(app, options->decode);
  app.add_option("-o,--trace", options->trace, "trace file to write")->check(not_empty())->type_name("FILE")->required();
  app.add_flag("--dense", options->dense,
               "decode plainly and ask the drafter at every position: what simulate and the lab need")
      ->excludes("--method");
  return [options] { return decode(*options); };
}

}  // namespace draftscope
