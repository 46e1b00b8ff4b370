// What the lanes of a warp do together, and what orders threads.
#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

#include "operations.h"
#include "tests/cuda/emulated/mma.h"
#include "warp.h"

namespace emulated::ptx {
namespace {

/// The lane that `lane` hears, by PTX's rule for shfl; out of range: itself, and false.
enum class Shuffle { kUp, kDown, kXor, kIndex };
template <Shuffle kind>
std::pair<int, bool> heard_lane(int lane, uint32_t b, uint32_t c) {
  const int by = static_cast<int>(b & 31), clamp = static_cast<int>(c & 31), segment = static_cast<int>(c >> 8 & 31);
  const int last = (lane & segment) | (clamp & ~segment), first = lane & segment;
  int from = lane;
  bool inside = false;
  if constexpr (kind == Shuffle::kUp) from = lane - by, inside = from >= last;
  if constexpr (kind == Shuffle::kDown) from = lane + by, inside = from <= last;
  if constexpr (kind == Shuffle::kXor) from = lane ^ by, inside = from <= last;
  if constexpr (kind == Shuffle::kIndex) from = first | (by & ~segment), inside = from <= last;
  return {inside ? from : lane, inside};
}

/// Rows: result, predicate or kNone, value, b, c.
template <Shuffle kind>
void shuffle(Warp& warp, const Step& step) {
  uint32_t values[kLanes];
  std::memcpy(values, warp.row<uint32_t>(step.rows[2]), sizeof values);
  const uint32_t *b = warp.row<uint32_t>(step.rows[3]), *c = warp.row<uint32_t>(step.rows[4]);
  uint32_t in_range = 0, result[kLanes];
  for_lanes(warp.lanes, [&](int lane) {
    const auto [from, inside] = heard_lane<kind>(lane, b[lane], c[lane]);
    if ((warp.lanes >> from & 1) == 0) warp.fail(step, lane, "shfl reads a lane that is not there");
    result[lane] = values[from];
    in_range |= uint32_t{inside} << lane;
  });
  for_lanes(warp.lanes, [&](int lane) { warp.row<uint32_t>(step.rows[0])[lane] = result[lane]; });
  if (step.rows[1] != Step::kNone) warp.set_predicate(step.rows[1], in_range);
}

/// Rows: result, predicate, mask.
void ballot(Warp& warp, const Step& step) {
  const uint32_t bits = warp.predicate(step.rows[1]) & warp.lanes;
  const uint32_t* masks = warp.row<uint32_t>(step.rows[2]);
  for_lanes(warp.lanes, [&](int lane) { warp.row<uint32_t>(step.rows[0])[lane] = bits & masks[lane]; });
}
template <bool kAll>
void vote(Warp& warp, const Step& step) {
  const uint32_t bits = warp.predicate(step.rows[1]), *masks = warp.row<uint32_t>(step.rows[2]);
  uint32_t result = 0;
  for_lanes(warp.lanes, [&](int lane) {
    const uint32_t voters = masks[lane] & warp.lanes;
    result |= static_cast<uint32_t>(kAll ? (bits & voters) == voters : (bits & voters) != 0) << lane;
  });
  warp.set_predicate(step.rows[0], result);
}

/// Rows: result, value, mask.
template <class T, auto fold>
void reduce(Warp& warp, const Step& step) {
  T values[kLanes];
  std::memcpy(values, warp.row<T>(step.rows[1]), sizeof values);
  const uint32_t* masks = warp.row<uint32_t>(step.rows[2]);
  T result[kLanes];
  for_lanes(warp.lanes, [&](int lane) {
    T sum = values[lane];
    for (uint32_t left = masks[lane] & warp.lanes & ~(uint32_t{1} << lane); left != 0; left &= left - 1)
      sum = fold(sum, values[std::countr_zero(left)]);
    result[lane] = sum;
  });
  for_lanes(warp.lanes, [&](int lane) { warp.row<T>(step.rows[0])[lane] = result[lane]; });
}

/// d = a b + c; rows: d 4, a 4, b 2, c 4.
void multiply(Warp& warp, const Step& step) {
  if (warp.traffic != nullptr) ++warp.traffic->products;
  float d[kLanes][4];
  uint32_t a[kLanes][4], b[kLanes][2];
  Fragments lanes[kLanes];
  for (int lane = 0; lane < kLanes; ++lane) {
    for (int i = 0; i < 4; ++i) a[lane][i] = warp.row<uint32_t>(step.rows[4 + i])[lane];
    for (int i = 0; i < 2; ++i) b[lane][i] = warp.row<uint32_t>(step.rows[8 + i])[lane];
    for (int i = 0; i < 4; ++i) d[lane][i] = warp.row<float>(step.rows[10 + i])[lane];
    lanes[lane] = {d[lane], a[lane], b[lane]};
  }
  multiply_fragments(lanes);
  for (int lane = 0; lane < kLanes; ++lane) {
    for (int i = 0; i < 4; ++i) warp.row<float>(step.rows[i])[lane] = d[lane][i];
  }
}

void count_copies(Warp& warp, const uint32_t* to, const uint64_t* from, const uint32_t* wanted) {
  uint64_t written[kLanes], read[kLanes];
  uint32_t readers = 0;
  for_lanes(warp.lanes, [&](int lane) {
    written[lane] = to[lane], read[lane] = from[lane];
    readers |= uint32_t{wanted[lane] != 0} << lane;
  });
  add_waves(*warp.traffic, warp.lanes, written, 16);
  add_sectors(*warp.traffic, readers, read, 16);
}

/// Rows: shared address, global address, bytes wanted of 16.
void begin_copy(Warp& warp, const Step& step) {
  const uint32_t *to = warp.row<uint32_t>(step.rows[0]), *wanted = warp.row<uint32_t>(step.rows[2]);
  const uint64_t* from = warp.row<uint64_t>(step.rows[1]);
  if (warp.traffic != nullptr) count_copies(warp, to, from, wanted);
  for_lanes(warp.lanes, [&](int lane) {
    if (wanted[lane] != 0 && wanted[lane] != 16) warp.fail(step, lane, "a part of 16 bytes is copied");
    std::byte* const place = warp.memory->find(warp, step, lane, Space::kShared, to[lane], 16);
    const std::byte* source = nullptr;
    if (wanted[lane] != 0) source = warp.memory->find(warp, step, lane, Space::kGlobal, from[lane], 16);
    warp.copies[lane].push_back({place, source, warp.n_batches[lane]});
  });
}
void close_batch(Warp& warp, const Step&) {
  for_lanes(warp.lanes, [&](int lane) { ++warp.n_batches[lane]; });
}
/// Copies land here, as late as they may.
void wait_for_batches(Warp& warp, const Step& step) {
  for_lanes(warp.lanes, [&](int lane) {
    std::erase_if(warp.copies[lane], [&](const LateCopy& copy) {
      if (copy.batch >= warp.n_batches[lane] - step.number) return false;
      if (copy.from != nullptr) std::memcpy(copy.to, copy.from, 16);
      if (copy.from == nullptr) std::memset(copy.to, 0, 16);
      return true;
    });
  });
}

void wait_for_launch_ahead(Warp& warp, const Step&) { warp.waited |= warp.lanes; }
void nothing(Warp&, const Step&) {}

constexpr int kPredicate = Operation::kPredicate;

}  // namespace

void add_warp_operations(Operations& ops) {
  constexpr auto least = [](auto a, auto b) { return std::min(a, b); };
  constexpr auto most = [](auto a, auto b) { return std::max(a, b); };
  const std::vector<int> shuffled = {4, kPredicate, 4, 4, 4, 4};
  ops["shfl.sync.up.b32"] = {&shuffle<Shuffle::kUp>, Flow::kMeet, shuffled};
  ops["shfl.sync.down.b32"] = {&shuffle<Shuffle::kDown>, Flow::kMeet, shuffled};
  ops["shfl.sync.bfly.b32"] = {&shuffle<Shuffle::kXor>, Flow::kMeet, shuffled};
  ops["shfl.sync.idx.b32"] = {&shuffle<Shuffle::kIndex>, Flow::kMeet, shuffled};
  ops["vote.sync.ballot.b32"] = {&ballot, Flow::kMeet, {4, kPredicate, 4}};
  ops["vote.sync.any.pred"] = {&vote<false>, Flow::kMeet, {kPredicate, kPredicate, 4}};
  ops["vote.sync.all.pred"] = {&vote<true>, Flow::kMeet, {kPredicate, kPredicate, 4}};
  ops["redux.sync.max.u32"] = {&reduce<uint32_t, most>, Flow::kMeet, {4, 4, 4}};
  ops["redux.sync.min.u32"] = {&reduce<uint32_t, least>, Flow::kMeet, {4, 4, 4}};
  ops["redux.sync.max.s32"] = {&reduce<int32_t, most>, Flow::kMeet, {4, 4, 4}};
  ops["redux.sync.min.s32"] = {&reduce<int32_t, least>, Flow::kMeet, {4, 4, 4}};
  ops["bar.warp.sync"] = {&nothing, Flow::kMeet, {4}};
  ops["bar.sync"] = {&nothing, Flow::kBarrier, {4}};
  ops["mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"] = {&multiply, Flow::kAligned, std::vector<int>(14, 4)};
  ops["cp.async.cg.shared.global.L2::128B"] = {&begin_copy, Flow::kOn, {4, 8, 4}};
  ops["cp.async.commit_group"] = {&close_batch, Flow::kOn, {}};
  ops["cp.async.wait_group"] = {&wait_for_batches, Flow::kOn, {}};
  ops["griddepcontrol.wait"] = {&wait_for_launch_ahead, Flow::kOn, {}};
  for (const char* op :
       {"griddepcontrol.launch_dependents", "membar.gl", "membar.sys", "membar.cta", "prefetch.global.L2"})
    ops[op] = {&nothing, Flow::kOn, {}};
}

}  // namespace emulated::ptx
