#include "app/engine_thread.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "app/options.h"
#include "engine/base/overloaded.h"
#include "engine/speculate/correction.h"

namespace draftscope {
namespace {

SessionOptions session_options(const StartCommand& command, int64_t id, const BudgetRule& rule,
                               const CostModel& cost, bool online_cost) {
  SessionOptions options;
  options.session = id;
  options.rule = rule;
  options.rule.max_nodes = std::max(256, command.budget);
  options.max_tokens = command.max_tokens;
  options.sampling.temperature = command.temperature;
  options.sampling.seed = command.seed;
  options.prompt_utf8 = command.prompt_utf8;
  options.cost = cost;
  options.online_cost = online_cost;
  return options;
}

}  // namespace

EngineThread::EngineThread(const Pair& pair, CostModel cost, Recorder recorder, bool online_cost)
    : pair_(pair), cost_(std::move(cost)), online_cost_(online_cost), recorder_(std::move(recorder)),
      thread_([this] { run(); }) {}

EngineThread::~EngineThread() {
  if (thread_.joinable()) {
    commands_.push(QuitCommand{});
    thread_.join();
  }
}

Status EngineThread::close() {
  commands_.push(QuitCommand{});
  thread_.join();
  return recorder_.close();
}

void EngineThread::run() {
  using namespace std::chrono_literals;
  while (!quit_) {
    const bool may_run = session_ && (!paused_ || n_steps_ > 0);
    // A working engine only looks; an idle or paused one sleeps until somebody asks for something.
    if (std::optional<Command> command = may_run ? commands_.try_pop() : commands_.wait_pop(1h)) {
      apply(*command);
    } else if (may_run) {
      one_round();
    }
  }
  if (session_) finish(EndReason::kStopped);
}

void EngineThread::apply(const Command& command) {
  std::visit(Overloaded{
                 [&](const StartCommand& start_command) { start(start_command); },
                 [&](const StopCommand&) {
                   if (session_) finish(EndReason::kStopped);
                 },
                 [&](const PauseCommand&) { paused_ = true; },
                 [&](const ResumeCommand&) { paused_ = false; },
                 [&](const StepCommand&) { paused_ = true, ++n_steps_; },
                 [&](const SetMethodCommand& set) {
                   rule_.method = set.method;
                   rule_.budget = set.budget;
                   if (session_) (void)session_->set_rule(rule_);  // the controls offer valid ones only
                 },
                 [&](const SetCostCommand& set) {
                   if (!validate(set.cost)) return;  // the panel checks and says so before it sends
                   cost_ = set.cost;
                   if (session_) (void)session_->set_cost(cost_);
                 },
                 [&](const SetCorrectionCommand& set) {
                   if (!validate(set.correction))
                     return;  // files are checked when read; fits are valid by themselves
                   rule_.correction = std::make_shared<const Correction>(set.correction);
                   if (session_) (void)session_->set_rule(rule_);
                 },
                 [&](const SetSpeedCommand& set) { rounds_per_s_ = set.rounds_per_s; },
                 [&](const QuitCommand&) { quit_ = true; },
             },
             command);
}

void EngineThread::start(const StartCommand& command) {
  if (session_) finish(EndReason::kStopped);
  n_steps_ = 0;
  rule_.method = command.method;
  rule_.budget = command.budget;
  const std::vector<int32_t> prompt = encode_prompt(pair_, command.prompt_utf8, false, false);
  Result<Session> session =
      Session::start(pair_, prompt, session_options(command, next_session_, rule_, cost_, online_cost_),
                     [](int32_t, int32_t) { return !interrupted(); });
  if (!session) {
    fail_start(command, session.error());
  } else {
    session_.emplace(*std::move(session));
    recorder_.begin(session_->info());
    if (session_->done()) finish(EndReason::kStopped);
  }
  ++next_session_;
}

void EngineThread::fail_start(const StartCommand& command, const std::string& sentence) {
  SessionInfo info;
  info.session = next_session_;
  info.target_name = pair_.target_name;
  info.prompt_utf8 = command.prompt_utf8;
  info.cost = cost_;
  recorder_.begin(info);
  SessionEnd end;
  end.session = next_session_;
  end.reason = EndReason::kError;
  end.message = sentence;
  recorder_.end(end);
}

void EngineThread::one_round() {
  const auto began = std::chrono::steady_clock::now();
  recorded_round(*session_, recorder_);
  const auto spent = std::chrono::steady_clock::now() - began;
  if (n_steps_ > 0) --n_steps_;
  if (session_->done()) {
    finish(EndReason::kStopped);
  } else if (rounds_per_s_ > 0) {  // slowed down to be watched; a command ends the wait
    const auto rest = std::chrono::duration<double>(1 / rounds_per_s_) - spent;
    if (rest.count() > 0) {
      const auto wait = std::chrono::duration_cast<std::chrono::nanoseconds>(rest);
      if (std::optional<Command> command = commands_.wait_pop(wait)) apply(*command);
    }
  }
}

void EngineThread::finish(EndReason reason) {
  session_->stop(reason);  // keeps its own reason when it is done already
  recorder_.end(session_->end());
  session_.reset();
}

}  // namespace draftscope
