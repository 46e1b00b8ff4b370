// Policies: every way to pick a round's tree, in one list that the commands, the benchmark and the window read.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "engine/record/round.h"

namespace draftscope {

/// What the number beside a policy means to it.
enum class BudgetUse : uint8_t { kNone, kNodes, kBucketRows };

struct Policy {
  Method method;
  BudgetUse budget;
  bool live;            // false: needs the text that followed, so only recordings can be decided by it
  const char* title;    // two or three words for lists
  const char* summary;  // one sentence
  const char* source;   // paper or system
};

/// All policies, plain decoding first, each once; name(Method) is the word on the command line.
std::span<const Policy> policies();
const Policy& policy_of(Method method);
/// nullopt for a word that names none.
std::optional<Method> method_named(std::string_view word);

}  // namespace draftscope
