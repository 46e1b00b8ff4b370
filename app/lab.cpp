#include "app/lab.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/lab/calibration.h"
#include "engine/lab/fit_correction.h"
#include "engine/lab/observations.h"
#include "engine/lab/regret.h"
#include "engine/speculate/cost.h"

namespace draftscope {
namespace {

constexpr int64_t kCellsPerSlice = 256;

LabRegret regret_of(const PreparedTexts& texts, const LabQuestion& question) {
  const CostTable assumed(question.cost), truth(question.true_cost.value_or(question.cost));
  const RegretFrame frame{prepared_for(texts, Method::kExact), texts.corrected, assumed, truth,
                          texts.text.max_nodes};
  return regret(simulate_policy(texts, question, question.regret_of, assumed), frame);
}

bool is_usable(const LabQuestion& question) {
  const auto usable = [](const std::optional<CostModel>& cost) { return !cost || validate(*cost).ok(); };
  return validate(question.cost).ok() && usable(question.other_cost) && usable(question.true_cost);
}

}  // namespace

Result<std::unique_ptr<LabWork>> LabWork::prepare(const SessionInfo& info,
                                                  std::span<const RoundRecord> rounds) {
  Result<DenseText> text = dense_text(info, rounds);
  if (!text) return Error{text.error()};
  const Observations observed = observations(*text, std::min(text->max_nodes, kCalibrationNodes));
  // Half of the text's tokens teach the correction; the calibrated policy then decides all of it.
  const Correction correction = fit_correction(split_by_blocks(observed).fitted, Fit::kAll);
  auto work = std::unique_ptr<LabWork>(new LabWork);
  work->session_ = info.session;
  work->calibration_ = calibrate(observed);
  work->calibration_.correction = correction;
  work->texts_ = prepare_all(*std::move(text), std::make_shared<const Correction>(correction));
  return work;
}

void LabWork::ask(const LabQuestion& question) {
  const auto began = std::chrono::steady_clock::now();
  report_ = answer(texts_, question);
  report_.solve_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  report_.session = session_;
  report_.regret = regret_of(texts_, question);
  report_.calibration = calibration_;
  report_.sweep = sweep_axes(question.cost, texts_.text.max_nodes);
  sweep_.emplace(prepared_for(texts_, Method::kDdtree), question.cost);
}

bool LabWork::advance() {
  if (report_.policies.empty()) return false;
  if (report_.best_fixed.budget == 0) {
    report_.best_fixed = best_fixed(texts_, report_.cost);
    return true;
  }
  if (report_.sweep.n_done == static_cast<int64_t>(report_.sweep.tokens_per_s.size())) return false;
  sweep_->fill(report_.sweep, kCellsPerSlice);
  return true;
}

Lab::Lab() : thread_([this] { run(); }) {}

Lab::~Lab() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Lab::use(SessionInfo info, std::vector<RoundRecord> rounds) {
  {
    const std::lock_guard lock(mutex_);
    recording_ = Recording{std::move(info), std::move(rounds)};
    question_.reset();
    latest_.reset();
  }
  wake_.notify_one();
}

void Lab::ask(LabQuestion question) {
  if (!is_usable(question)) return;
  {
    const std::lock_guard lock(mutex_);
    question_ = std::move(question);
  }
  wake_.notify_one();
}

std::shared_ptr<const LabReport> Lab::latest() const {
  const std::lock_guard lock(mutex_);
  return latest_;
}

void Lab::publish(const LabReport& report) {
  auto copy = std::make_shared<const LabReport>(report);
  const std::lock_guard lock(mutex_);
  if (!recording_) latest_ = std::move(copy);  // else it is about a recording that is gone
}

void Lab::run() {
  std::unique_ptr<LabWork> work;  // of the recording in use; null: none, or not a dense one
  bool unfinished = false;
  for (;;) {
    std::optional<Recording> recording;
    std::optional<LabQuestion> question;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return quit_ || recording_ || question_ || unfinished; });
      if (quit_) return;
      recording.swap(recording_);
      if (!recording) question.swap(question_);
    }
    if (recording) {
      Result<std::unique_ptr<LabWork>> prepared = LabWork::prepare(recording->info, recording->rounds);
      work = prepared ? *std::move(prepared) : nullptr;
      unfinished = false;
      if (!prepared) publish({.session = recording->info.session, .problem = prepared.error()});
      continue;
    }
    if (work == nullptr) continue;
    if (question) work->ask(*question);
    unfinished = question || work->advance();
    if (unfinished) publish(work->report());
  }
}

LabLink lab_link(std::shared_ptr<Lab> lab) {
  return {[lab](const LabQuestion& question) { lab->ask(question); }, [lab] { return lab->latest(); }};
}

LabLink immediate_lab(const RecordStore& store) {
  if (!store.info() || !store.info()->dense || store.empty()) return {};
  auto answer = std::make_shared<std::shared_ptr<const LabReport>>();
  const auto report = [answer] { return *answer; };
  const std::vector<RoundRecord> rounds(store.rounds().begin(), store.rounds().end());
  Result<std::unique_ptr<LabWork>> prepared = LabWork::prepare(*store.info(), rounds);
  if (!prepared) {
    *answer = std::make_shared<const LabReport>(
        LabReport{.session = store.info()->session, .problem = prepared.error()});
    return {[](const LabQuestion&) {}, report};
  }
  const std::shared_ptr<LabWork> work = *std::move(prepared);
  const auto ask = [work, answer](const LabQuestion& question) {
    if (!is_usable(question)) return;
    work->ask(question);
    while (work->advance()) {
    }
    *answer = std::make_shared<const LabReport>(work->report());
  };
  return {ask, report};
}

}  // namespace draftscope
