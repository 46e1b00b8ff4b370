// The small trained pair among the golden data: token ids in and out, long accepted paths.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "engine/model/pair.h"
#include "engine/record/policies.h"
#include "engine/session.h"
#include "tests/engine/tested_backends.h"
#include "tests/speculate/golden_files.h"

namespace draftscope {

/// The long comparisons take every prompt, under a sanitizer every eleventh. Sampling options change with every second
/// and third prompt; 11 has no factor in common with those, so the few still meet every combination.
#ifdef DS_SANITIZED
constexpr int kPromptStep = 11;
#else
constexpr int kPromptStep = 1;
#endif

/// Always the project's own copy: these tests are no golden tests, whatever DRAFTSCOPE_GOLDEN_DIR says.
inline std::string test_pair_dir(const std::string& model) { return DS_SOURCE_DIR "/tests/golden/e2e/trained/" + model; }

inline Pair open_test_pair(Precision precision, bool with_drafter = true) {
  PairOptions options;
  options.target_dir = test_pair_dir("target");
  if (with_drafter) options.drafter_dir = test_pair_dir("draft");
  options.precision = precision;
  options.needs_tokenizer = false;
  options.n_threads = 2;
  options.backend = tested_choice();
  return golden::must(open_pair(options));
}

/// Letters and spaces in word-like runs: what the pair was trained on looks like this.
inline std::vector<int32_t> make_prompt(uint64_t seed, int32_t length) {
  std::mt19937_64 random(seed);
  static const std::string kText = "the quick answer is automatically extended and the other one, that is there, ends here.\n";
  std::vector<int32_t> prompt;
  size_t at = random() % kText.size();
  while (static_cast<int32_t>(prompt.size()) < length) {
    prompt.push_back(static_cast<unsigned char>(kText[at % kText.size()]));
    at = random() % 6 == 0 ? random() % kText.size() : at + 1;
  }
  return prompt;
}

inline SessionOptions make_options(Method method, int32_t max_tokens) {
  SessionOptions options;
  options.rule = {method, 24, 64};
  options.rule.correction = std::make_shared<Correction>();  // the calibrated method asks for one; this changes nothing
  options.max_tokens = max_tokens;
  options.whole_curves = false;
  options.stop_ids = std::vector<int32_t>{257};
  return options;
}

/// Every method that can decode.
inline std::vector<Method> live_methods() {
  std::vector<Method> methods;
  for (const Policy& policy : policies()) {
    if (policy.live) methods.push_back(policy.method);
  }
  return methods;
}

struct Generation {
  std::vector<int32_t> output;
  std::vector<RoundRecord> rounds;
  SessionEnd end;
};

inline Generation generate(const Pair& pair, const std::vector<int32_t>& prompt, SessionOptions options) {
  Session session = golden::must(Session::start(pair, prompt, std::move(options)));
  Generation result;
  while (!session.done()) result.rounds.push_back(session.round());
  result.output = session.output();
  result.end = session.end();
  return result;
}

}  // namespace draftscope
