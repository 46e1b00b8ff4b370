// The interpreter of device code, by small kernels of which the answer is known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/cuda/emulated/api.h"
#include "tests/cuda/emulated/block.h"
#include "tests/cuda/ptx/code.h"
#include "tests/cuda/ptx/decode.h"
#include "tests/cuda/ptx/run.h"

namespace emulated::ptx {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

constexpr size_t kWords = 64;

/// A kernel over registers %r (32 bits), %f, %rd (64), %d, %s (16) and %p whose %rd9 is the address of kWords words of
/// 64 bits, and %rd8 that of the thread's own among them.
std::string kernel(const std::string& body) {
  return "\n.shared .align 16 .b8 pool[1024];\n.entry test(\n.param .u64 out\n)\n{\n"
         ".reg .pred %p<9>; .reg .b16 %s<9>; .reg .b32 %r<20>; .reg .f32 %f<20>; .reg .b64 %rd<10>; .reg .f64 %d<9>;\n"
         "ld.param.u64 %rd9, [out];\nmov.u32 %r9, %tid.x;\nmul.wide.u32 %rd8, %r9, 8;\nadd.s64 %rd8, %rd9, %rd8;\n" +
         body + "\nret;\n}\n";
}

struct Shape {
  unsigned threads = 32;
  bool overlaps = false;
};

/// What the kernel leaves in its words, which are 0 at first.
std::vector<uint64_t> run(const std::string& body, Shape shape = {}) {
  const std::string text = kernel(body);
  const Program program =
      decode(parse_kernel(text, find_kernels(text).at("test")), parse_shared(text), "test", "test.ptx");
  void* out = nullptr;
  EXPECT_EQ(cudaMalloc(&out, kWords * 8), cudaSuccess);
  EXPECT_EQ(cudaMemset(out, 0, kWords * 8), cudaSuccess);
  Launch launch;
  launch.block = {shape.threads, 1, 1};
  launch.overlaps = shape.overlaps;
  run_blocks(launch, program, std::as_bytes(std::span(&out, 1)));
  std::vector<uint64_t> words(kWords);
  EXPECT_EQ(cudaMemcpy(words.data(), out, kWords * 8, cudaMemcpyDeviceToHost), cudaSuccess);
  EXPECT_EQ(cudaFree(out), cudaSuccess);
  words.resize(shape.threads);
  return words;
}

uint64_t bits(float value) { return std::bit_cast<uint32_t>(value); }
uint64_t bits(double value) { return std::bit_cast<uint64_t>(value); }
std::string immediate(float value) { return fmt::format("0f{:08X}", std::bit_cast<uint32_t>(value)); }
std::string immediate(double value) { return fmt::format("0d{:016X}", std::bit_cast<uint64_t>(value)); }

struct Case {
  std::string line;  // leaves its result in `to`
  std::string to;
  uint64_t expected;
};

TEST(PtxArithmetic, IsThatOfTheManual) {
  const float nan = std::nanf(""), tiny = 1e-38f;
  const std::string a = immediate(1.5f), b = immediate(-0.25f);
  const Case cases[] = {
      {"add.s32 %r1, 2147483647, 1;", "%r1", 0x80000000u},
      {"mul.lo.s32 %r1, -3, 5;", "%r1", 0xfffffff1u},
      {"mul.wide.s32 %rd1, -3, 5;", "%rd1", uint64_t(-15)},
      {"mul.wide.u16 %r1, 65535, 65535;", "%r1", 0xfffe0001u},
      {"mad.lo.s32 %r1, -3, 5, 20;", "%r1", 5},
      {"div.s32 %r1, -7, 2;", "%r1", uint32_t(-3)},
      {"rem.s32 %r1, -7, 2;", "%r1", uint32_t(-1)},
      {"shl.b32 %r1, 1, 32;", "%r1", 0},
      {"shr.s32 %r1, -8, 40;", "%r1", 0xffffffffu},
      {"shr.u32 %r1, -8, 40;", "%r1", 0},
      {"shr.u64 %rd1, -1, 63;", "%rd1", 1},
      {"min.s32 %r1, -1, 1;", "%r1", 0xffffffffu},
      {"min.u32 %r1, -1, 1;", "%r1", 1},
      {"prmt.b32 %r1, 287454020, 1432778632, 29776;", "%r1", 0x55887744u},
      {"bfi.b32 %r1, 255, 0, 4, 8;", "%r1", 0xff0},
      {"brev.b32 %r1, 1;", "%r1", 0x80000000u},
      {"bfind.shiftamt.u32 %r1, 0;", "%r1", 0xffffffffu},
      {"bfind.shiftamt.u32 %r1, 4096;", "%r1", 19},
      {"popc.b32 %r1, 255;", "%r1", 8},
      {"cvt.s64.s32 %rd1, -5;", "%rd1", uint64_t(-5)},
      {"mov.u64 %rd2, 8589934591; cvt.s64.s32 %rd1, %rd2;", "%rd1", ~uint64_t{0}},
      {"mov.b64 %rd1, {7, 9};", "%rd1", uint64_t{9} << 32 | 7},
      {"mov.b32 {%s1, %s2}, 196610; cvt.u32.u16 %r1, %s2;", "%r1", 3},
      {"add.f32 %f1, " + a + ", " + b + ";", "%f1", bits(1.25f)},
      {"fma.rn.f32 %f1, " + a + ", " + b + ", " + b + ";", "%f1", bits(-0.625f)},
      {"fma.rm.f32 %f1, " + immediate(1.0f) + ", " + immediate(1.0f) + ", " + immediate(-1e-10f) + ";", "%f1",
       bits(std::nextafter(1.0f, 0.0f))},
      {"max.f32 %f1, " + immediate(nan) + ", " + b + ";", "%f1", bits(-0.25f)},
      {"cvt.sat.f32.f32 %f1, " + immediate(nan) + ";", "%f1", 0},
      {"cvt.sat.f32.f32 %f1, " + a + ";", "%f1", bits(1.0f)},
      {"ex2.approx.ftz.f32 %f1, " + immediate(-130.0f) + ";", "%f1", 0},
      {"ex2.approx.ftz.f32 %f1, " + immediate(3.0f) + ";", "%f1", bits(8.0f)},
      {"mul.f32 %f1, " + immediate(tiny) + ", " + immediate(0.5f) + ";", "%f1", bits(tiny * 0.5f)},  // kept as it is
      {"cvt.rn.bf16x2.f32 %r1, " + immediate(1.00390625f) + ", " + immediate(1.01171875f) + ";", "%r1", 0x3f803f82},
      {"cvt.rn.bf16.f32 %s1, " + a + "; cvt.u32.u16 %r1, %s1;", "%r1", 0x3fc0},
      {"fma.rn.f64 %d1, " + immediate(3.0) + ", " + immediate(0.5) + ", " + immediate(1.0) + ";", "%d1", bits(2.5)},
      {"setp.ne.f32 %p1, " + immediate(nan) + ", " + a + "; selp.b32 %r1, 1, 0, %p1;", "%r1", 0},
      {"setp.neu.f32 %p1, " + immediate(nan) + ", " + a + "; selp.b32 %r1, 1, 0, %p1;", "%r1", 1},
      {"setp.geu.f32 %p1, " + immediate(nan) + ", " + a + "; selp.b32 %r1, 1, 0, %p1;", "%r1", 1},
      {"mov.pred %p1, -1; not.pred %p2, %p1; selp.b32 %r1, 1, 2, %p2;", "%r1", 2},
      {"{ .reg .b32 %t; mov.u32 %t, 4; { .reg .b32 %t; mov.u32 %t, 9; } mov.u32 %r1, %t; }", "%r1", 4},
      {"setp.eq.s32 %p1, %r9, %r9; mov.u32 %r1, 1; @!%p1 mov.u32 %r1, 2; @%p1 add.s32 %r1, %r1, 4;", "%r1", 5},
  };
  for (const Case& c : cases) {
    const bool wide = c.to[1] == 'd' || c.to[2] == 'd';
    EXPECT_THAT(run(c.line + (wide ? "st.global.u64" : "st.global.u32") + " [%rd8], " + c.to + ";"), Each(c.expected))
        << c.line;
  }
}

TEST(PtxWarp, LanesThatPartMeetAgain) {
  // a lane goes round as often as its number; those that are done wait where all shuffle
  const std::vector<uint64_t> found =
      run("mov.u32 %r1, 0;\nROUND:\nsetp.ge.u32 %p1, %r1, %r9;\n@%p1 bra DONE;\nadd.s32 %r1, %r1, 1;\nbra.uni "
          "ROUND;\nDONE:\n"
          "shfl.sync.idx.b32 %r2, %r1, 31, 31, -1;\nadd.s32 %r1, %r1, %r2;\nst.global.u32 [%rd8], %r1;");
  for (size_t lane = 0; lane < 32; ++lane) EXPECT_EQ(found[lane], lane + 31);
}

TEST(PtxWarp, ShufflesVotesAndReductionsReachTheirLanes) {
  struct Shuffle {
    const char* line;
    int from[4];  // lanes 0, 1, 30, 31
  };
  const Shuffle shuffles[] = {
      {"bfly.b32 %r1, %r9, 1, 31, -1;", {1, 0, 31, 30}},
      {"up.b32 %r1, %r9, 1, 0, -1;", {0, 0, 29, 30}},
      {"down.b32 %r1|%p1, %r9, 1, 31, -1;", {1, 2, 31, 31}},
      {"idx.b32 %r1, %r9, 3, 6175, -1;", {3, 3, 27, 27}}};  // within eight lanes: (32 - 8) * 256 + 31
  for (const Shuffle& s : shuffles) {
    const std::vector<uint64_t> found = run(std::string("shfl.sync.") + s.line + "st.global.u32 [%rd8], %r1;");
    EXPECT_EQ((std::vector<uint64_t>{found[0], found[1], found[30], found[31]}),
              std::vector<uint64_t>(s.from, s.from + 4))
        << s.line;
  }
  EXPECT_THAT(run("setp.lt.u32 %p1, %r9, 5; vote.sync.ballot.b32 %r1, %p1, -1; st.global.u32 [%rd8], %r1;"), Each(31u));
  EXPECT_THAT(run("redux.sync.max.u32 %r1, %r9, -1; st.global.u32 [%rd8], %r1;"), Each(31u));
}

TEST(PtxWarp, MultipliesMatrices) {
  // a: row r, column k holds r if k is 3, else 0; b: row 3 holds the column's number, so that d = row * column + 1
  const std::vector<uint64_t> found =
      run("shr.u32 %r1, %r9, 2; and.b32 %r2, %r9, 3; setp.eq.u32 %p1, %r2, 1;\n"
          "cvt.rn.f32.u32 %f1, %r1; add.f32 %f2, %f1, " +
          immediate(8.0f) +
          "; selp.f32 %f1, %f1, 0f00000000, %p1;\n"
          "selp.f32 %f2, %f2, 0f00000000, %p1;\n"
          "cvt.rn.bf16x2.f32 %r4, %f1, 0f00000000; cvt.rn.bf16x2.f32 %r5, %f2, 0f00000000; mov.u32 %r6, 0;\n"
          "cvt.rn.bf16x2.f32 %r8, %f1, 0f00000000; mov.f32 %f3, 0f3F800000;\n"
          "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f4, %f5, %f6, %f7}, {%r4, %r5, %r6, %r6}, {%r8, %r6}, "
          "{%f3, %f3, %f3, %f3};\n"
          "st.global.f32 [%rd8], %f7;");  // row group + 8, column 2 quad + 1
  for (size_t lane = 0; lane < 32; ++lane) {
    EXPECT_EQ(found[lane], bits(static_cast<float>((lane / 4 + 8) * (lane % 4 * 2 + 1) + 1))) << lane;
  }
}

TEST(PtxBlock, WarpsExchangeAtBarriers) {
  const std::vector<uint64_t> found =
      run("mov.u32 %r1, pool; shl.b32 %r2, %r9, 2; add.s32 %r3, %r1, %r2; st.shared.u32 [%r3], %r9; bar.sync 0;\n"
          "xor.b32 %r4, %r2, 128; add.s32 %r4, %r1, %r4; ld.shared.u32 %r5, [%r4]; st.global.u32 [%rd8], %r5;",
          {64, false});
  for (size_t thread = 0; thread < 64; ++thread) EXPECT_EQ(found[thread], thread ^ 32);
}

TEST(PtxBlock, CopiesLandWhereTheyAreWaitedFor) {
  const std::string begin =
      "mov.u32 %r1, pool; shl.b32 %r2, %r9, 4; add.s32 %r1, %r1, %r2; mov.u32 %r3, 16; mul.wide.u32 %rd1, %r2, 1;\n"
      "add.s64 %rd1, %rd9, %rd1; st.global.u32 [%rd1], 77;\n"
      "cp.async.cg.shared.global.L2::128B [%r1], [%rd1], 16, %r3; cp.async.commit_group;\n";
  const std::string wait = "cp.async.wait_group 0;", read = "ld.shared.u32 %r4, [%r1];";
  const std::string end = "bar.sync 0; st.global.u64 [%rd8], 0; bar.sync 0; st.global.u32 [%rd8], %r4;";
  EXPECT_THAT(run(begin + wait + read + end), Each(77u));
  EXPECT_THAT(run(begin + read + wait + end), Each(0xffffffffu));
  EXPECT_DEATH(run(begin + read + end), "ends with copies that it has not waited for");
}

TEST(PtxMisuse, StopsTheProgramWithKernelLaneAndLine) {
  EXPECT_DEATH(run("add.s64 %rd1, %rd8, 8; ld.global.v4.u32 {%r1, %r2, %r3, %r4}, [%rd1];"),
               "lane 0, test.ptx line [0-9]+: 0x[0-9a-f]+ is no multiple of 16 bytes");
  EXPECT_DEATH(run("st.global.u32 [%rd8+512], 1;"),
               "lane 0, .*: 4 bytes at 0x[0-9a-f]+ are not in memory of the device");
  EXPECT_DEATH(run("mov.u32 %r1, pool; st.shared.u32 [%r1+1024], 1;"), "is not one of the 1024 bytes of shared memory");
  EXPECT_DEATH(run("setp.lt.u32 %p1, %r9, 32; @%p1 ret; bar.sync 0;", {64, false}), "1 of 2 warps wait at a barrier");
  EXPECT_DEATH(run("setp.lt.u32 %p1, %r9, 8; @!%p1 bra OTHERS; bar.sync 0; OTHERS: bar.sync 0;"), "never come");
  EXPECT_DEATH(run("frobnicate.u32 %r1, %r2;"), "test.ptx, line [0-9]+: frobnicate.u32: unknown instruction");
  EXPECT_DEATH(run("add.s32 %r1, %rd1, 1;"), "%rd1 has 8 bytes, expected 4");
}

TEST(PtxMisuse, AnOverlappingLaunchWaitsBeforeItWritesAndEnds) {
  const Shape overlapping = {32, true};
  EXPECT_THAT(run("griddepcontrol.wait; st.global.u32 [%rd8], 5;", overlapping), Each(5u));
  EXPECT_DEATH(run("st.global.u32 [%rd8], 5; griddepcontrol.wait;", overlapping),
               "writes before it has waited for the launch ahead");
  EXPECT_DEATH(run("mov.u32 %r1, 1;", overlapping), "ends without having waited for the launch ahead");
}

struct DeviceFile {
  std::string name, text;
};
std::vector<DeviceFile> device_code() {
  std::vector<DeviceFile> files;
  std::ifstream list(DS_PTX_LIST);
  for (std::string name; std::getline(list, name);) {
    std::ostringstream text;
    text << std::ifstream(name).rdbuf();
    files.push_back({name, text.str()});
  }
  return files;
}

TEST(DeviceCode, OfEveryKernelIsUnderstood) {
  size_t n_kernels = 0;
  for (const DeviceFile& file : device_code()) {
    for (const auto& [name, at] : find_kernels(file.text)) {
      EXPECT_FALSE(decode(parse_kernel(file.text, at), parse_shared(file.text), name, file.name).steps.empty());
      ++n_kernels;
    }
  }
  EXPECT_GT(n_kernels, 30u);
}

/// Lines of sums that the assembler could make one with the product before them, rounding once: PTX leaves it free to
/// where neither names its rounding.
std::vector<int> fusable_lines(const KernelCode& code) {
  std::vector<int> lines;
  std::set<std::string> products;
  for (const Instruction& i : code.instructions) {
    if (i.operands.empty()) continue;
    const std::string& to = i.operands[0].names[0];
    const bool sums = i.op == "add.f32" || i.op == "add.f64" || i.op == "sub.f32" || i.op == "sub.f64";
    if (sums && (products.contains(i.operands[1].names[0]) || products.contains(i.operands[2].names[0])))
      lines.push_back(i.line);
    products.erase(to);
    if (i.op == "mul.f32" || i.op == "mul.f64") products.insert(to);
  }
  return lines;
}

/// What has to be the same bits in two kernels must not depend on the assembler: nvcc fuses what it fuses before.
TEST(DeviceCode, LeavesTheAssemblerNothingToFuse) {
  const std::string text =
      kernel("mul.f32 %f1, %f2, %f3;\nadd.f32 %f4, %f5, %f1;\nmul.rn.f32 %f1, %f2, %f3;\nadd.f32 %f4, %f5, %f1;");
  EXPECT_EQ(fusable_lines(parse_kernel(text, find_kernels(text).at("test"))).size(), 1u);
  for (const DeviceFile& file : device_code()) {
    for (const auto& [name, at] : find_kernels(file.text))
      EXPECT_THAT(fusable_lines(parse_kernel(file.text, at)), ElementsAre()) << file.name << ": " << name;
  }
}

}  // namespace
}  // namespace emulated::ptx
