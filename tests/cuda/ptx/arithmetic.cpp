// Register to register, each lane for itself.
#include <algorithm>
#include <bit>
#include <cfenv>
#include <cmath>
#include <utility>

#include "operations.h"
#include "tests/cuda/emulated/cuda_bf16.h"
#include "tests/cuda/emulated/intrinsics.h"
#include "tests/cuda/emulated/mma.h"
#include "warp.h"

namespace emulated::ptx {
namespace {

template <auto function, class D, class... S, size_t... i>
void each(Warp& warp, const Step& step, std::index_sequence<i...>) {
  D* const to = warp.row<D>(step.rows[0]);
  for_lanes(warp.lanes, [&](int lane) { to[lane] = static_cast<D>(function(warp.row<S>(step.rows[i + 1])[lane]...)); });
}
template <auto function, class D, class... S>
void each_lane(Warp& warp, const Step& step) {
  each<function, D, S...>(warp, step, std::index_sequence_for<S...>());
}
/// to = function(from...), lane by lane.
template <auto function, class D, class... S>
Operation lanes() {
  return {&each_lane<function, D, S...>, Flow::kOn, {sizeof(D), static_cast<int>(sizeof(S))...}};
}

template <auto function, class S>
void compare_lanes(Warp& warp, const Step& step) {
  const S *a = warp.row<S>(step.rows[1]), *b = warp.row<S>(step.rows[2]);
  uint32_t bits = 0;
  for_lanes(warp.lanes, [&](int lane) { bits |= static_cast<uint32_t>(function(a[lane], b[lane])) << lane; });
  warp.set_predicate(step.rows[0], bits);
}
template <auto function, class S>
Operation compare() {
  return {&compare_lanes<function, S>, Flow::kOn, {Operation::kPredicate, sizeof(S), sizeof(S)}};
}

template <class S>
void select_lanes(Warp& warp, const Step& step) {
  S* const to = warp.row<S>(step.rows[0]);
  const S *a = warp.row<S>(step.rows[1]), *b = warp.row<S>(step.rows[2]);
  const uint32_t first = warp.predicate(step.rows[3]);
  for_lanes(warp.lanes, [&](int lane) { to[lane] = (first >> lane & 1) != 0 ? a[lane] : b[lane]; });
}

template <auto function, int n>
void on_predicates(Warp& warp, const Step& step) {
  const uint32_t a = warp.predicate(step.rows[1]);
  if constexpr (n == 1) warp.set_predicate(step.rows[0], function(a));
  if constexpr (n == 2) warp.set_predicate(step.rows[0], function(a, warp.predicate(step.rows[2])));
}
template <auto function, int n>
Operation predicates() {
  return {&on_predicates<function, n>, Flow::kOn, std::vector<int>(n + 1, Operation::kPredicate)};
}

/// Of two halves one whole, and back.
template <class Half, class Whole>
void join_lanes(Warp& warp, const Step& step) {
  const Half *low = warp.row<Half>(step.rows[1]), *high = warp.row<Half>(step.rows[2]);
  Whole* const to = warp.row<Whole>(step.rows[0]);
  for_lanes(warp.lanes, [&](int lane) {
    to[lane] = static_cast<Whole>(low[lane] | static_cast<Whole>(high[lane]) << (8 * sizeof(Half)));
  });
}
template <class Half, class Whole>
void split_lanes(Warp& warp, const Step& step) {
  Half *low = warp.row<Half>(step.rows[0]), *high = warp.row<Half>(step.rows[1]);
  const Whole* const from = warp.row<Whole>(step.rows[2]);
  for_lanes(warp.lanes, [&](int lane) {
    const Whole whole = from[lane];
    low[lane] = static_cast<Half>(whole);
    high[lane] = static_cast<Half>(whole >> (8 * sizeof(Half)));
  });
}

void read_clock(Warp& warp, const Step& step) {
  for_lanes(warp.lanes, [&](int lane) { warp.row<uint64_t>(step.rows[0])[lane] = now_ns(); });
}

/// A shift by the width or more leaves nothing (of a negative number: -1).
template <class T>
T shifted_left(T a, uint32_t by) {
  return by < 8 * sizeof(T) ? static_cast<T>(a << by) : T{0};
}
template <class T>
T shifted_right(T a, uint32_t by) {
  return static_cast<T>(a >> std::min(by, static_cast<uint32_t>(8 * sizeof(T) - 1)) >>
                        (std::is_unsigned_v<T> && by >= 8 * sizeof(T) ? 1 : 0));
}

uint32_t bytes_of(uint32_t a, uint32_t b, uint32_t selector) {
  const uint64_t both = uint64_t{b} << 32 | a;
  uint32_t result = 0;
  for (uint32_t i = 0; i < 4; ++i) {
    const uint32_t nibble = selector >> 4 * i & 0xf, byte = static_cast<uint32_t>(both >> 8 * (nibble & 7)) & 0xff;
    result |= ((nibble & 8) == 0 ? byte : (byte & 0x80) != 0 ? 0xffu : 0u) << 8 * i;
  }
  return result;
}

template <class T>
T inserted(T a, T b, uint32_t at, uint32_t n) {
  at &= 0xff, n &= 0xff;
  constexpr uint32_t kBits = 8 * sizeof(T);
  if (at >= kBits || n == 0) return b;
  const T mask = static_cast<T>((n >= kBits ? ~T{0} : (T{1} << n) - 1) << at);
  return static_cast<T>((b & ~mask) | (a << at & mask));
}

float without_denormal(float a) { return std::fpclassify(a) == FP_SUBNORMAL ? std::copysign(0.0f, a) : a; }

float fused_down(float a, float b, float c) {
  // exact in double, but for the last sum
  volatile double product = static_cast<double>(a) * static_cast<double>(b);
  const int before = std::fegetround();
  std::fesetround(FE_DOWNWARD);
  volatile double sum = product + static_cast<double>(c);
  volatile float result = static_cast<float>(sum);
  std::fesetround(before);
  return result;
}

/// A rough reciprocal: 20 bits of it.
double rough_reciprocal(double a) {
  return std::bit_cast<double>(std::bit_cast<uint64_t>(1.0 / a) & 0xffffffff00000000u);
}

template <class T>
void add_ordered(Operations& ops, const std::string& type) {
  ops["setp.lt." + type] = compare<[](T a, T b) { return a < b; }, T>();
  ops["setp.le." + type] = compare<[](T a, T b) { return a <= b; }, T>();
  ops["setp.gt." + type] = compare<[](T a, T b) { return b < a; }, T>();
  ops["setp.ge." + type] = compare<[](T a, T b) { return a >= b; }, T>();
  ops["setp.eq." + type] = compare<[](T a, T b) { return a == b; }, T>();
  ops["setp.ne." + type] = compare<[](T a, T b) { return a != b && a == a && b == b; }, T>();
  ops["selp." + type] = {&select_lanes<T>, Flow::kOn, {sizeof(T), sizeof(T), sizeof(T), Operation::kPredicate}};
  ops["mov." + type] = lanes<[](T a) { return a; }, T, T>();
}

/// T unsigned. Sums and products of signed numbers have the same bits.
template <class T>
void add_integers(Operations& ops, const std::string& bits) {
  using S = std::make_signed_t<T>;
  add_ordered<T>(ops, "u" + bits);
  add_ordered<S>(ops, "s" + bits);
  add_ordered<T>(ops, "b" + bits);
  for (const char* sign : {"u", "s"}) {
    const std::string type = sign + bits;
    ops["add." + type] = lanes<[](T a, T b) { return a + b; }, T, T, T>();
    ops["sub." + type] = lanes<[](T a, T b) { return a - b; }, T, T, T>();
    ops["mul.lo." + type] = lanes<[](T a, T b) { return static_cast<T>(static_cast<uint64_t>(a) * b); }, T, T, T>();
    ops["mad.lo." + type] =
        lanes<[](T a, T b, T c) { return static_cast<T>(static_cast<uint64_t>(a) * b + c); }, T, T, T, T>();
  }
  ops["neg.s" + bits] = lanes<[](T a) { return T{0} - a; }, T, T>();
  ops["abs.s" + bits] = lanes<[](S a) { return a < 0 ? T{0} - static_cast<T>(a) : static_cast<T>(a); }, T, S>();
  ops["div.u" + bits] = lanes<[](T a, T b) { return b != 0 ? a / b : T(~T{0}); }, T, T, T>();
  ops["rem.u" + bits] = lanes<[](T a, T b) { return b != 0 ? a % b : a; }, T, T, T>();
  ops["div.s" + bits] =
      lanes<[](S a, S b) { return b == 0 || b == -1 ? S(T{0} - static_cast<T>(a)) : S(a / b); }, S, S, S>();
  ops["rem.s" + bits] = lanes<[](S a, S b) { return b == 0 || b == -1 ? S{0} : S(a % b); }, S, S, S>();
  ops["min.u" + bits] = lanes<[](T a, T b) { return std::min(a, b); }, T, T, T>();
  ops["max.u" + bits] = lanes<[](T a, T b) { return std::max(a, b); }, T, T, T>();
  ops["min.s" + bits] = lanes<[](S a, S b) { return std::min(a, b); }, S, S, S>();
  ops["max.s" + bits] = lanes<[](S a, S b) { return std::max(a, b); }, S, S, S>();
  ops["and.b" + bits] = lanes<[](T a, T b) { return a & b; }, T, T, T>();
  ops["or.b" + bits] = lanes<[](T a, T b) { return a | b; }, T, T, T>();
  ops["xor.b" + bits] = lanes<[](T a, T b) { return a ^ b; }, T, T, T>();
  ops["not.b" + bits] = lanes<[](T a) { return ~a; }, T, T>();
  ops["shl.b" + bits] = lanes<[](T a, uint32_t by) { return shifted_left(a, by); }, T, T, uint32_t>();
  ops["shr.u" + bits] = lanes<[](T a, uint32_t by) { return shifted_right(a, by); }, T, T, uint32_t>();
  ops["shr.s" + bits] = lanes<[](S a, uint32_t by) { return shifted_right(a, by); }, S, S, uint32_t>();
  ops["popc.b" + bits] = lanes<[](T a) { return std::popcount(a); }, uint32_t, T>();
}

template <class T>
void add_floats(Operations& ops, const std::string& type) {
  add_ordered<T>(ops, type);
  // "or one is NaN"
  ops["setp.geu." + type] = compare<[](T a, T b) { return !(a < b); }, T>();
  ops["setp.gtu." + type] = compare<[](T a, T b) { return !(a <= b); }, T>();
  ops["setp.leu." + type] = compare<[](T a, T b) { return !(b < a); }, T>();
  ops["setp.ltu." + type] = compare<[](T a, T b) { return !(a >= b); }, T>();
  ops["setp.neu." + type] = compare<[](T a, T b) { return a != b; }, T>();
  ops["setp.equ." + type] = compare<[](T a, T b) { return !(a < b) && !(b < a); }, T>();
  ops["setp.nan." + type] = compare<[](T a, T b) { return a != a || b != b; }, T>();
  for (const char* rounding : {"", "rn."}) {
    const std::string how = rounding + type;
    ops["add." + how] = lanes<[](T a, T b) { return a + b; }, T, T, T>();
    ops["sub." + how] = lanes<[](T a, T b) { return a - b; }, T, T, T>();
    ops["mul." + how] = lanes<[](T a, T b) { return a * b; }, T, T, T>();
  }
  ops["fma.rn." + type] = lanes<[](T a, T b, T c) { return std::fma(a, b, c); }, T, T, T, T>();
  ops["div.rn." + type] = lanes<[](T a, T b) { return a / b; }, T, T, T>();
  ops["rcp.rn." + type] = lanes<[](T a) { return T{1} / a; }, T, T>();
  ops["sqrt.rn." + type] = lanes<[](T a) { return std::sqrt(a); }, T, T>();
  ops["neg." + type] = lanes<[](T a) { return -a; }, T, T>();
  ops["abs." + type] = lanes<[](T a) { return std::fabs(a); }, T, T>();
  ops["min." + type] = lanes<[](T a, T b) { return std::fmin(a, b); }, T, T, T>();
  ops["max." + type] = lanes<[](T a, T b) { return std::fmax(a, b); }, T, T, T>();
}

template <class D, class S>
void add_conversion(Operations& ops, const std::string& name) {
  ops["cvt." + name] = lanes<[](S a) { return static_cast<D>(a); }, D, S>();
  if constexpr (sizeof(S) == 4)  // of the lower half of a wide register
    ops["cvt." + name + "/8"] =
        lanes<[](uint64_t a) { return static_cast<D>(std::bit_cast<S>(static_cast<uint32_t>(a))); }, D, uint64_t>();
}

void add_conversions(Operations& ops) {
  add_conversion<int64_t, int32_t>(ops, "s64.s32");
  add_conversion<uint64_t, uint32_t>(ops, "u64.u32");
  add_conversion<uint64_t, uint16_t>(ops, "u64.u16");
  add_conversion<uint32_t, uint64_t>(ops, "u32.u64");
  add_conversion<uint32_t, uint16_t>(ops, "u32.u16");
  add_conversion<int32_t, int16_t>(ops, "s32.s16");
  add_conversion<uint16_t, uint32_t>(ops, "u16.u32");
  add_conversion<double, float>(ops, "f64.f32");
  add_conversion<float, double>(ops, "rn.f32.f64");
  add_conversion<float, int32_t>(ops, "rn.f32.s32");
  add_conversion<float, uint32_t>(ops, "rn.f32.u32");
  add_conversion<double, int32_t>(ops, "rn.f64.s32");
  add_conversion<double, int64_t>(ops, "rn.f64.s64");
  add_conversion<double, uint64_t>(ops, "rn.f64.u64");
  ops["cvt.sat.f32.f32"] = lanes<[](float a) { return 0 < a ? std::min(a, 1.0f) : 0.0f; }, float, float>();
  ops["cvt.f32.bf16"] = lanes<[](uint16_t a) { return uint32_t{a} << 16; }, uint32_t, uint16_t>();
  ops["cvt.rn.bf16.f32"] = lanes<[](float a) { return bf16_bits(a); }, uint16_t, float>();
  ops["cvt.rn.bf16x2.f32"] =
      lanes<[](float high, float low) { return uint32_t{bf16_bits(high)} << 16 | bf16_bits(low); }, uint32_t, float,
            float>();
}

void add_moves(Operations& ops) {
  ops["mov.globaltimer"] = {&read_clock, Flow::kOn, {8}};
  ops["join.b32"] = {&join_lanes<uint16_t, uint32_t>, Flow::kOn, {4, 2, 2}};
  ops["join.b64"] = {&join_lanes<uint32_t, uint64_t>, Flow::kOn, {8, 4, 4}};
  ops["split.b32"] = {&split_lanes<uint16_t, uint32_t>, Flow::kOn, {2, 2, 4}};
  ops["split.b64"] = {&split_lanes<uint32_t, uint64_t>, Flow::kOn, {4, 4, 8}};
  const auto same = lanes<[](uint64_t a) { return a; }, uint64_t, uint64_t>();
  ops["cvta.to.global.u64"] = ops["cvta.global.u64"] = same;
  ops["mov.pred"] = predicates<[](uint32_t a) { return a; }, 1>();
  ops["not.pred"] = predicates<[](uint32_t a) { return ~a; }, 1>();
  ops["and.pred"] = predicates<[](uint32_t a, uint32_t b) { return a & b; }, 2>();
  ops["or.pred"] = predicates<[](uint32_t a, uint32_t b) { return a | b; }, 2>();
  ops["xor.pred"] = predicates<[](uint32_t a, uint32_t b) { return a ^ b; }, 2>();
}

void generic_from_shared(Warp& warp, const Step& step) {
  const auto base = reinterpret_cast<uint64_t>(warp.memory->shared()) - kFirstShared;
  for_lanes(warp.lanes,
            [&](int l) { warp.row<uint64_t>(step.rows[0])[l] = warp.row<uint64_t>(step.rows[1])[l] + base; });
}
void shared_from_generic(Warp& warp, const Step& step) {
  const auto base = reinterpret_cast<uint64_t>(warp.memory->shared()) - kFirstShared;
  for_lanes(warp.lanes,
            [&](int l) { warp.row<uint64_t>(step.rows[0])[l] = warp.row<uint64_t>(step.rows[1])[l] - base; });
}

}  // namespace

void add_arithmetic(Operations& ops) {
  add_integers<uint16_t>(ops, "16");
  add_integers<uint32_t>(ops, "32");
  add_integers<uint64_t>(ops, "64");
  add_floats<float>(ops, "f32");
  add_floats<double>(ops, "f64");
  add_conversions(ops);
  add_moves(ops);
  ops["cvta.shared.u64"] = {&generic_from_shared, Flow::kOn, {8, 8}};
  ops["cvta.to.shared.u64"] = {&shared_from_generic, Flow::kOn, {8, 8}};
  ops["mul.wide.u16"] = lanes<[](uint16_t a, uint16_t b) { return uint32_t{a} * b; }, uint32_t, uint16_t, uint16_t>();
  ops["mul.wide.s16"] = lanes<[](int16_t a, int16_t b) { return int32_t{a} * b; }, int32_t, int16_t, int16_t>();
  ops["mul.wide.u32"] = lanes<[](uint32_t a, uint32_t b) { return uint64_t{a} * b; }, uint64_t, uint32_t, uint32_t>();
  ops["mul.wide.s32"] = lanes<[](int32_t a, int32_t b) { return int64_t{a} * b; }, int64_t, int32_t, int32_t>();
  ops["prmt.b32"] = lanes<[](uint32_t a, uint32_t b, uint32_t c) { return bytes_of(a, b, c); }, uint32_t, uint32_t,
                          uint32_t, uint32_t>();
  ops["bfi.b32"] = lanes<[](uint32_t a, uint32_t b, uint32_t at, uint32_t n) { return inserted(a, b, at, n); },
                         uint32_t, uint32_t, uint32_t, uint32_t, uint32_t>();
  ops["bfi.b64"] = lanes<[](uint64_t a, uint64_t b, uint32_t at, uint32_t n) { return inserted(a, b, at, n); },
                         uint64_t, uint64_t, uint64_t, uint32_t, uint32_t>();
  ops["brev.b32"] = lanes<[](uint32_t a) { return __brev(a); }, uint32_t, uint32_t>();
  // how far the highest 1 is from the top
  ops["bfind.shiftamt.u32"] = lanes<[](uint32_t a) { return a != 0 ? std::countl_zero(a) : -1; }, uint32_t, uint32_t>();
  ops["fma.rm.f32"] =
      lanes<[](float a, float b, float c) { return fused_down(a, b, c); }, float, float, float, float>();
  ops["div.approx.f32"] = lanes<[](float a, float b) { return a / b; }, float, float, float>();
  ops["ex2.approx.ftz.f32"] =
      lanes<[](float a) { return without_denormal(std::exp2(without_denormal(a))); }, float, float>();
  ops["rcp.approx.ftz.f64"] = lanes<[](double a) { return rough_reciprocal(a); }, double, double>();
}

}  // namespace emulated::ptx
