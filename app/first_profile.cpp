#include "app/first_profile.h"

#include <exception>
#include <utility>

#include "app/options.h"
#include "engine/speculate/cost.h"

namespace draftscope {
namespace {

/// What budgets follow when there is no whole profile, so that nobody takes it for one.
std::string outcome_of(const std::string& why, const std::optional<CostModel>& found) {
  if (!found) {
    return fmt::format("{} before anything was whole: budgets follow a made-up cost curve, and their figures are "
                       "illustrative. The next start measures again.",
                       why);
  }
  return fmt::format("{}: budgets follow what was measured by then, contexts up to {} tokens. The next start measures "
                     "again.",
                     why, found->context.back());
}

}  // namespace

FirstProfile::FirstProfile(std::string what, Measure measure) : measure_(std::move(measure)) {
  now_.running = true;  // from here on, so that the window's first frame says so
  now_.what = std::move(what);
}

Measuring FirstProfile::now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

void FirstProfile::publish(const ProfileProgress& progress) {
  const std::lock_guard lock(mutex_);
  now_.n_done = progress.n_done;
  now_.n_total = progress.n_total;
}

void FirstProfile::end(std::string outcome) {
  const std::lock_guard lock(mutex_);
  now_.running = false;
  now_.outcome = std::move(outcome);
}

Result<CostModel> FirstProfile::measured(const Progress& progress) const {
  try {
    return measure_(progress);
  } catch (const std::exception& error) {  // out of memory: the window lives on
    return Error{sentence_of(error)};
  }
}

std::optional<CostModel> FirstProfile::run(const std::function<bool()>& keep_going) {
  CostModel so_far;
  bool stopped = false;
  Result<CostModel> whole = measured([&](const ProfileProgress& progress) {
    if (progress.so_far.context.size() > so_far.context.size()) so_far = progress.so_far;
    publish(progress);
    stopped = !keep_going();
    return !stopped;
  });
  if (whole) {
    end({});
    return *std::move(whole);
  }
  std::optional<CostModel> found;
  if (validate(so_far)) found = std::move(so_far);
  end(outcome_of(stopped ? "Measuring was stopped" : fmt::format("Measuring failed ({})", whole.error()), found));
  return found;
}

}  // namespace draftscope
