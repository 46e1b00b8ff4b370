// Loads, stores and atomic operations.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "operations.h"
#include "warp.h"

namespace emulated::ptx {
namespace {

constexpr const char* kTooEarly = "writes before it has waited for the launch ahead";

/// A lane's address: a row of 32 or 64 bits and an offset.
uint64_t address_of(Warp& warp, const Step& step, uint32_t row, int lane) {
  const uint64_t base = step.wide_address ? warp.row<uint64_t>(row)[lane] : warp.row<uint32_t>(row)[lane];
  return base + static_cast<uint64_t>(step.number);
}

/// Counts the warp's access, of `bytes` a lane; its address in that row.
void count(Warp& warp, const Step& step, Space space, uint32_t row, size_t bytes) {
  if (warp.traffic == nullptr || space == Space::kParameter) return;
  uint64_t addresses[kLanes];
  for_lanes(warp.lanes, [&](int lane) { addresses[lane] = address_of(warp, step, row, lane); });
  if (space == Space::kShared) return add_waves(*warp.traffic, warp.lanes, addresses, bytes);
  add_sectors(*warp.traffic, warp.lanes, addresses, bytes);
}

/// R: what the register holds; M: what memory holds, widened by its sign. Rows: results, address.
template <Space space, class M, class R, int n>
void load(Warp& warp, const Step& step) {
  count(warp, step, space, step.rows[n], n * sizeof(M));
  for_lanes(warp.lanes, [&](int lane) {
    M values[n];
    const uint64_t address = address_of(warp, step, step.rows[n], lane);
    std::memcpy(values, warp.memory->find(warp, step, lane, space, address, sizeof values), sizeof values);
    for (int i = 0; i < n; ++i) warp.row<R>(step.rows[i])[lane] = static_cast<R>(values[i]);
  });
}

/// Rows: address, values.
template <Space space, class M, class R, int n>
void store(Warp& warp, const Step& step) {
  count(warp, step, space, step.rows[0], n * sizeof(M));
  for_lanes(warp.lanes, [&](int lane) {
    M values[n];
    for (int i = 0; i < n; ++i) values[i] = static_cast<M>(warp.row<R>(step.rows[1 + i])[lane]);
    const uint64_t address = address_of(warp, step, step.rows[0], lane);
    if (space != Space::kShared && (warp.waited >> lane & 1) == 0) warp.fail(step, lane, kTooEarly);
    std::memcpy(warp.memory->find(warp, step, lane, space, address, sizeof values), values, sizeof values);
  });
}

/// Rows: old value, address, operand.
template <Space space, class T, auto change>
void change_atomically(Warp& warp, const Step& step) {
  for_lanes(warp.lanes, [&](int lane) {
    const uint64_t address = address_of(warp, step, step.rows[1], lane);
    std::byte* const place = warp.memory->find(warp, step, lane, space, address, sizeof(T));
    if (space != Space::kShared && (warp.waited >> lane & 1) == 0) warp.fail(step, lane, kTooEarly);
    T old;
    std::memcpy(&old, place, sizeof old);
    const T next = change(old, warp.row<T>(step.rows[2])[lane]);
    std::memcpy(place, &next, sizeof next);
    warp.row<T>(step.rows[0])[lane] = old;
  });
}

/// By the name with the register's bytes: "ld.global.v4.u32/4".
using Table = std::map<std::string, Run>;

template <Space space, class M, class R, int n>
void add_vector(Table& ops, const std::string& where, const std::string& type) {
  const std::string vector = n == 1 ? "" : fmt::format("v{}.", n);
  const std::string end = fmt::format("{}{}{}/{}", where, vector, type, sizeof(R));
  for (const std::string how : {"", "volatile.", "nc."}) {
    ops["ld." + how + end] = &load<space, M, R, n>;
    if constexpr (space != Space::kParameter) ops["st." + how + end] = &store<space, M, R, n>;
  }
}

template <Space space, class M, class R>
void add_type(Table& ops, const std::string& where, const std::string& type) {
  add_vector<space, M, R, 1>(ops, where, type);
  add_vector<space, M, R, 2>(ops, where, type);
  add_vector<space, M, R, 4>(ops, where, type);
}

template <Space space>
void add_space(Table& ops, const std::string& where) {
  add_type<space, uint8_t, uint16_t>(ops, where, "u8");
  add_type<space, uint8_t, uint16_t>(ops, where, "b8");
  add_type<space, int8_t, int16_t>(ops, where, "s8");
  add_type<space, uint8_t, uint32_t>(ops, where, "u8");
  add_type<space, uint16_t, uint16_t>(ops, where, "u16");
  add_type<space, uint16_t, uint16_t>(ops, where, "b16");
  add_type<space, uint16_t, uint32_t>(ops, where, "u16");
  add_type<space, uint32_t, uint32_t>(ops, where, "u32");
  add_type<space, uint32_t, uint32_t>(ops, where, "b32");
  add_type<space, uint32_t, uint32_t>(ops, where, "s32");
  add_type<space, uint32_t, uint32_t>(ops, where, "f32");
  add_type<space, uint32_t, uint64_t>(ops, where, "u32");
  add_type<space, int32_t, int64_t>(ops, where, "s32");
  add_type<space, uint64_t, uint64_t>(ops, where, "u64");
  add_type<space, uint64_t, uint64_t>(ops, where, "b64");
  add_type<space, uint64_t, uint64_t>(ops, where, "s64");
  add_type<space, uint64_t, uint64_t>(ops, where, "f64");
}

template <Space space>
void add_atomics(Table& ops, const std::string& where) {
  constexpr auto sum = [](uint32_t a, uint32_t b) { return a + b; };
  constexpr auto least = [](auto a, auto b) { return std::min(a, b); };
  constexpr auto most = [](auto a, auto b) { return std::max(a, b); };
  const std::string begin = "atom." + where;
  ops[begin + "add.u32/4"] = &change_atomically<space, uint32_t, sum>;
  ops[begin + "max.u32/4"] = &change_atomically<space, uint32_t, most>;
  ops[begin + "max.s32/4"] = &change_atomically<space, int32_t, most>;
  ops[begin + "min.s32/4"] = &change_atomically<space, int32_t, least>;
}

Table make_table() {
  Table ops;
  add_space<Space::kGlobal>(ops, "global.");
  add_space<Space::kShared>(ops, "shared.");
  add_space<Space::kParameter>(ops, "param.");
  add_space<Space::kGeneric>(ops, "");
  add_atomics<Space::kGlobal>(ops, "global.");
  add_atomics<Space::kShared>(ops, "shared.");
  return ops;
}

}  // namespace

Run find_access(std::string_view op, int register_bytes) {
  static const Table ops = make_table();
  const auto found = ops.find(fmt::format("{}/{}", op, register_bytes));
  return found != ops.end() ? found->second : nullptr;
}

}  // namespace emulated::ptx
