// Enumerations of round.h as the schema stores them: by value, in the same order.
#pragma once

#include "engine/record/round.h"
#include "engine/record/round_generated.h"

namespace draftscope {

template <class Plain>
struct WireEnum;
template <>
struct WireEnum<Provenance> {
  using Type = wire::Provenance;
  static constexpr Provenance kLast = Provenance::kIllustrative;
};
template <>
struct WireEnum<Method> {
  using Type = wire::Method;
  static constexpr Method kLast = Method::kOracle;
};
template <>
struct WireEnum<StopReason> {
  using Type = wire::StopReason;
  static constexpr StopReason kLast = StopReason::kFixedBudget;
};
template <>
struct WireEnum<EndReason> {
  using Type = wire::EndReason;
  static constexpr EndReason kLast = EndReason::kError;
};
template <>
struct WireEnum<CostKind> {
  using Type = wire::CostKind;
  static constexpr CostKind kLast = CostKind::kByHand;
};

template <class Plain>
typename WireEnum<Plain>::Type to_wire(Plain value) {
  using Wire = WireEnum<Plain>;
  static_assert(static_cast<int>(Wire::kLast) == static_cast<int>(Wire::Type::MAX),
                "round.fbs mirrors round.h");
  return static_cast<typename Wire::Type>(value);
}

/// False when the stored value names no enumerator (a damaged frame, or one of a later version).
template <class Plain>
bool from_wire(typename WireEnum<Plain>::Type stored, Plain& value) {
  if (stored > WireEnum<Plain>::Type::MAX) return false;
  value = static_cast<Plain>(stored);
  return true;
}

}  // namespace draftscope
