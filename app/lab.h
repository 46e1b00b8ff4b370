// Lab: answers the window's questions about one dense recording on a thread of its own; the window never
// waits.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "engine/base/check.h"
#include "engine/lab/answer.h"
#include "engine/lab/sweep.h"
#include "engine/record/lab_report.h"
#include "ui/gui/lab_state.h"
#include "ui/store.h"

namespace draftscope {

/// One text and the question in hand. The policies are answered at once, the rest in slices, so that a new
/// question never waits long.
class LabWork {
 public:
  /// Does everything about the text that no question changes; an Error when it is not a whole dense
  /// recording.
  static Result<std::unique_ptr<LabWork>> prepare(const SessionInfo& info,
                                                  std::span<const RoundRecord> rounds);

  /// Policies and regret are in the report when it returns. Requires validate of the question's cost models.
  void ask(const LabQuestion& question);
  /// Adds one slice to the report, some milliseconds of work; false when nothing was left to add.
  bool advance();
  const LabReport& report() const { return report_; }

 private:
  LabWork() = default;

  PreparedTexts texts_;
  int64_t session_ = 0;
  LabCalibration calibration_;
  LabReport report_;
  std::optional<Sweep> sweep_;  // of the question in hand
};

class Lab {
 public:
  Lab();
  ~Lab();

  /// The recording to answer about from now on; forgets the one before with its questions and answers.
  void use(SessionInfo info, std::vector<RoundRecord> rounds);
  /// The latest question wins: earlier ones without an answer are dropped, and so is one whose cost models do
  /// not pass validate.
  void ask(LabQuestion question);
  /// The latest answer, which grows while its parts are computed; null: none yet. Takes as long as copying a
  /// pointer.
  std::shared_ptr<const LabReport> latest() const;

 private:
  struct Recording {
    SessionInfo info;
    std::vector<RoundRecord> rounds;
  };
  void run();
  void publish(const LabReport& report);

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  // Guarded by mutex_.
  std::optional<Recording> recording_;   // not looked at yet
  std::optional<LabQuestion> question_;  // not looked at yet
  std::shared_ptr<const LabReport> latest_;
  bool quit_ = false;

  std::thread thread_;  // last: starts when everything above is ready
};

/// What the window asks; keeps `lab` alive.
LabLink lab_link(std::shared_ptr<Lab> lab);
/// Answers whole and within the call, for pictures; empty when `store` holds no dense recording.
LabLink immediate_lab(const RecordStore& store);

}  // namespace draftscope
