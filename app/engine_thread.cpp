#include "app/engine_thread.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "app/options.h"
#include "engine/base/overloaded.h"
#include "engine/record/policies.h"
#include "engine/speculate/correction.h"

namespace draftscope {

EngineThread::EngineThread(const Pair& pair, EngineOptions options, Recorder recorder)
    : pair_(pair), recorder_(std::move(recorder)), options_(std::move(options)), thread_([this] { run(); }) {}

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
  if (options_.first_profile) measure();
  while (!quit_) guarded([this] { one_turn(); });
  if (session_) finish(EndReason::kStopped);
}

void EngineThread::guarded(const std::function<void()>& step) {
  try {
    step();
  } catch (const std::exception& error) {  // out of memory and the like; everything else is a Result
    if (session_) {
      finish(EndReason::kError, sentence_of(error));
    } else {
      fail_start(sentence_of(error));
    }
  }
}

void EngineThread::measure() {
  std::vector<Command> later;  // in order
  bool stop = false;
  const auto keep_going = [&] {
    while (std::optional<Command> command = commands_.try_pop()) {
      quit_ |= std::holds_alternative<QuitCommand>(*command);
      stop |= std::holds_alternative<StopMeasuringCommand>(*command);
      if (std::holds_alternative<StartCommand>(*command)) {
        std::erase_if(later, [](const Command& held) { return std::holds_alternative<StartCommand>(held); });
      }
      later.push_back(*std::move(command));
    }
    return !quit_ && !stop && !interrupted();
  };
  options_.session.cost = options_.first_profile->run(keep_going);
  (void)keep_going();  // takes what came during the last pass: of several starts still the last one counts
  if (quit_ || interrupted()) return;  // a prompt read now would only be in the way
  for (const Command& command : later) guarded([&] { apply(command); });
}

void EngineThread::one_turn() {
  using namespace std::chrono_literals;
  const bool may_run = session_ && (!paused_ || n_steps_ > 0);
  // A working engine only looks; an idle or paused one sleeps until somebody asks for something.
  if (std::optional<Command> command = may_run ? commands_.try_pop() : commands_.wait_pop(1h)) {
    apply(*command);
  } else if (may_run) {
    one_round();
  }
}

void EngineThread::apply(const Command& command) {
  BudgetRule& rule = options_.session.rule;
  std::visit(Overloaded{
                 [&](const StartCommand& start_command) { start(start_command); },
                 [&](const StopCommand&) {
                   if (session_) finish(EndReason::kStopped);
                 },
                 [&](const PauseCommand&) { paused_ = true; },
                 [&](const ResumeCommand&) { paused_ = false; },
                 [&](const StepCommand&) { paused_ = true, ++n_steps_; },
                 [&](const SetMethodCommand& set) {
                   rule.method = set.method;
                   rule.budget = set.budget;
                   if (session_) (void)session_->set_rule(rule);  // the controls offer valid ones only
                 },
                 [&](const SetCostCommand& set) {
                   if (!validate(set.cost)) return;  // the panel checks and says so before it sends
                   options_.session.cost = set.cost;
                   if (session_) (void)session_->set_cost(set.cost);
                 },
                 [&](const SetCorrectionCommand& set) {
                   if (!validate(set.correction))
                     return;  // files are checked when read; fits are valid by themselves
                   rule.correction = std::make_shared<const Correction>(set.correction);
                   if (session_) (void)session_->set_rule(rule);
                 },
                 [&](const SetSpeedCommand& set) { rounds_per_s_ = set.rounds_per_s; },
                 [](const StopMeasuringCommand&) {},  // it had ended by itself
                 [&](const QuitCommand&) { quit_ = true; },
             },
             command);
}

void EngineThread::start(const StartCommand& command) {
  if (session_) finish(EndReason::kStopped);
  n_steps_ = 0;
  asked_ = command;
  options_.session.rule.method = command.method;
  options_.session.rule.budget = command.budget;
  const Result<std::vector<int32_t>> prompt =
      encode_prompt(pair_, command.prompt_utf8, options_.raw, options_.thinking);
  if (!prompt) return fail_start(prompt.error());
  Result<Session> session =
      Session::start(pair_, *prompt, next_options(), [](int32_t, int32_t) { return !interrupted(); });
  if (!session) return fail_start(session.error());
  session_.emplace(*std::move(session));
  ++next_session_;
  recorder_.begin(session_->info());
  if (session_->done()) finish(EndReason::kStopped);
}

SessionOptions EngineThread::next_options() const {
  SessionOptions options = options_.session;
  options.session = next_session_;
  if (policy_of(asked_.method).budget == BudgetUse::kNodes)
    options.rule.max_nodes = std::max(options.rule.max_nodes, asked_.budget);
  options.max_tokens = asked_.max_tokens;
  options.sampling.temperature = asked_.temperature;
  options.sampling.seed = asked_.seed;
  options.prompt_utf8 = asked_.prompt_utf8;
  return options;
}

void EngineThread::fail_start(const std::string& sentence) {
  SessionInfo info;
  info.session = next_session_++;
  info.target_name = pair_.target_name;
  info.prompt_utf8 = asked_.prompt_utf8;
  if (options_.session.cost) info.cost = *options_.session.cost;
  recorder_.begin(info);
  SessionEnd end;
  end.session = info.session;
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

void EngineThread::finish(EndReason reason, const std::string& message) {
  session_->stop(reason);  // keeps its own reason when it is done already
  SessionEnd end = session_->end();
  end.message = message;
  session_.reset();  // gives its memory back before more is asked for
  recorder_.end(end);
}

}  // namespace draftscope
