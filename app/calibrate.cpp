// calibrate: whether the drafter's probabilities mean what they say, and a correction fitted to recordings.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "app/commands.h"
#include "app/options.h"
#include "app/validators.h"
#include "engine/base/file_map.h"
#include "engine/base/overloaded.h"
#include "engine/lab/calibration.h"
#include "engine/lab/fit_correction.h"
#include "engine/record/trace_file.h"
#include "ui/view/decoded_tokens.h"

namespace draftscope {
namespace {

struct Options {
  std::vector<std::string> traces, judge;
  std::string out, fit = name(Fit::kAll);
};

/// A session of a trace, as far as it was read.
struct Recorded {
  std::optional<SessionInfo> info;
  std::vector<RoundRecord> rounds;
};

constexpr int64_t kEveryToken = std::numeric_limits<int64_t>::max();

/// As it was recorded: from every position of a dense recording, else round by round.
Status observe_session(const std::string& path, const Recorded& session, int64_t n_decoded, Observations& found) {
  if (session.rounds.empty()) return success();
  if (session.info && session.info->dense) {
    Result<DenseText> text = dense_text(*session.info, session.rounds);
    if (!text) return fail("{}: {}", path, text.error());
    found.append(observations(*text, std::min(text->max_nodes, kCalibrationNodes)));
  } else {
    found.append(observations(session.rounds, n_decoded));
  }
  return success();
}

/// The sessions of one trace, in the order of their ends; those of a batch run side by side.
Result<Observations> observe_trace(const std::string& path) {
  Result<TraceReader> reader = TraceReader::open(path);
  if (!reader) return Error{reader.error()};
  Observations found;
  std::map<int64_t, Recorded> open;  // by session
  const auto finish = [&](int64_t session, int64_t n_decoded) {
    const auto ended = open.extract(session);
    return ended ? observe_session(path, ended.mapped(), n_decoded, found) : success();
  };
  const Overloaded take{[&](SessionInfo&& info) {
                          const Status before = finish(info.session, kEveryToken);
                          open[info.session].info = std::move(info);
                          return before;
                        },
                        [&](RoundRecord&& round) {
                          open[round.session].rounds.push_back(std::move(round));
                          return success();
                        },
                        [&](SessionEnd&& end) { return finish(end.session, decoded_tokens(end)); }};
  for (size_t i = 0; i < reader->size() && !interrupted(); ++i) {
    Result<Message> message = reader->message(i);
    if (!message) return Error{message.error()};
    if (Status taken = std::visit(take, *std::move(message)); !taken) return Error{taken.error()};
  }
  while (!open.empty()) {
    if (Status finished = finish(open.begin()->first, kEveryToken); !finished) return Error{finished.error()};
  }
  if (!reader->complete()) std::fprintf(stderr, "draftscope: %s\n", reader->note().c_str());
  if (!found.children.empty() || interrupted()) return found;
  return fail("{}: expected rounds with a drafted tree or a dense recording (record --dense), found neither", path);
}

Result<Observations> observe_all(const std::vector<std::string>& paths) {
  Observations all;
  for (size_t i = 0; i < paths.size() && !interrupted(); ++i) {
    show_progress("traces", static_cast<int64_t>(i), static_cast<int64_t>(paths.size()));
    Result<Observations> one = observe_trace(paths[i]);
    if (!one) return one;
    all.append(*one);
  }
  show_progress("traces", 1, 1);
  return all;
}

void print_tables(const LabCalibration& report, bool separate) {
  std::printf("%-14s %9s %9s %9s %9s\n", "candidates", "n", "stated", "accepted", "error");
  for (const ReliabilityCurve& curve : report.curves) {
    double stated = 0, accepted = 0;
    for (const ReliabilityBin& bin : curve.bins) {
      stated += bin.stated * static_cast<double>(bin.n), accepted += bin.observed * static_cast<double>(bin.n);
    }
    const auto n = static_cast<double>(curve.n);
    std::printf("%-14s %9lld %9.4f %9.4f %9.4f\n", curve.label.c_str(), static_cast<long long>(curve.n), stated / n,
                accepted / n, curve.error);
  }
  if (report.scores.empty()) {
    std::printf("\nno correction is judged: the text is too short for two halves\n");
    return;
  }
  std::printf("\n%-14s %9s %9s   %s\n", "correction", "error", "corrected",
              separate ? "fitted on the traces, judged on --judge"
                       : fmt::format("fitted and judged on alternate blocks of {} tokens", kBlockTokens).c_str());
  for (const CorrectionScore& score : report.scores) {
    std::printf("%-14s %9.4f %9.4f\n", score.label.c_str(), score.error_before, score.error_after);
  }
}

int calibrate_command(const Options& options) {
  catch_interrupts();
  for (const std::vector<std::string>* inputs : {&options.traces, &options.judge}) {
    for (const std::string& input : *inputs) {
      if (Status ok = check_output(options.out, {input}); !ok) return report(ok.error());
    }
  }
  Result<Observations> fitted = observe_all(options.traces);
  if (!fitted) return report(fitted.error());
  Result<Observations> judged = observe_all(options.judge);
  if (!judged) return report(judged.error());
  if (interrupted()) return kInterruptedStatus;
  const bool separate = !options.judge.empty();
  print_tables(separate ? calibrate(*fitted, *judged) : calibrate(*fitted), separate);

  const Fit fit = *std::find_if(std::begin(kAllFits), std::end(kAllFits),
                                [&](Fit candidate) { return options.fit == name(candidate); });
  const Correction correction = fit_correction(*fitted, fit);
  std::printf("\n%s, fitted on all %zu candidates of %zu accepted nodes: temperature %.3f, map of %zu points, "
              "factor off the spine %.3f\n",
              name(fit), fitted->children.size(), fitted->rows.size(), correction.temperature, correction.stated.size(),
              correction.off_spine);
  if (options.out.empty()) return 0;
  if (Status written = replace_file(options.out, correction_json(correction)); !written) return report(written.error());
  return 0;
}

}  // namespace

Run bind_calibrate(CLI::App& app) {
  auto options = std::make_shared<Options>();
  std::vector<std::string> fits;
  for (const Fit fit : kAllFits) fits.emplace_back(name(fit));
  app.add_option("traces", options->traces, "recordings to fit on")->type_name("FILE")->required();
  app.add_option("--judge", options->judge, "recordings to judge on; default: half of every text")->type_name("FILE");
  app.add_option("--fit", options->fit, "what the correction may change")
      ->check(CLI::IsMember(fits))->capture_default_str();
  app.add_option("-o,--out", options->out, "write the correction (JSON), for --correction")
      ->check(not_empty())->type_name("FILE");
  return [options] { return calibrate_command(*options); };
}

}  // namespace draftscope
