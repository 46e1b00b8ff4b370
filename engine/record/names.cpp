#include "engine/record/round.h"

namespace draftscope {

const char* name(Method method) {
  switch (method) {
    case Method::kPlain: return "plain";
    case Method::kDflash: return "dflash";
    case Method::kDdtree: return "ddtree";
    case Method::kCaddtree: return "caddtree";
    case Method::kExact: return "exact";
    case Method::kSpine: return "spine";
    case Method::kBastion: return "bastion";
    case Method::kCast: return "cast";
    case Method::kExactFill: return "exact-fill";
    case Method::kCalibrated: return "calibrated";
    case Method::kOracle: return "oracle";
  }
  return "unknown";
}

const char* name(Provenance provenance) {
  switch (provenance) {
    case Provenance::kMeasured: return "measured";
    case Provenance::kPredicted: return "predicted";
    case Provenance::kDerived: return "derived";
    case Provenance::kImported: return "imported";
    case Provenance::kIllustrative: return "illustrative";
  }
  return "unknown";
}

const char* name(StopReason reason) {
  switch (reason) {
    case StopReason::kNone: return "none";
    case StopReason::kThetaFell: return "theta did not rise";
    case StopReason::kNodeLimit: return "node limit";
    case StopReason::kHeapEmpty: return "no candidate left";
    case StopReason::kBoundProved: return "no larger tree can win";
    case StopReason::kFixedBudget: return "fixed budget";
  }
  return "unknown";
}

const char* name(EndReason reason) {
  switch (reason) {
    case EndReason::kEos: return "end of text";
    case EndReason::kMaxTokens: return "token limit";
    case EndReason::kContextFull: return "context full";
    case EndReason::kStopped: return "stopped";
    case EndReason::kError: return "error";
  }
  return "unknown";
}

const char* name(CostKind kind) {
  switch (kind) {
    case CostKind::kMeasured: return "measured";
    case CostKind::kConvexFit: return "convex fit";
    case CostKind::kAffine: return "affine fit";
    case CostKind::kStaircase: return "staircase";
    case CostKind::kRoofline: return "roofline";
    case CostKind::kByHand: return "edited by hand";
  }
  return "unknown";
}

}  // namespace draftscope
