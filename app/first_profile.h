// FirstProfile: what rounds cost here, measured by the engine's thread before it decodes, while the window watches.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "engine/profile.h"
#include "ui/measuring.h"

namespace draftscope {

class FirstProfile {
 public:
  /// As measure_profile: asked between passes, false stops.
  using Progress = std::function<bool(const ProfileProgress&)>;
  using Measure = std::function<Result<CostModel>(const Progress&)>;

  /// `what`: a sentence or two for the window. `measure` is called once, by run().
  FirstProfile(std::string what, Measure measure);

  /// Measures until all is done or `keep_going`, asked between passes, returns false. The profile; where it was stopped
  /// or failed the contexts that were whole by then; empty when none was.
  std::optional<CostModel> run(const std::function<bool()>& keep_going);
  /// Where it stands. Any thread may ask.
  Measuring now() const;

 private:
  Result<CostModel> measured(const Progress& progress) const;
  void publish(const ProfileProgress& progress);
  void end(std::string outcome);

  Measure measure_;
  mutable std::mutex mutex_;
  Measuring now_;  // guarded by mutex_
};

}  // namespace draftscope
