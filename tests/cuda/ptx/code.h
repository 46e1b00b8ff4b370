// PTX as text: what nvcc makes of the kernels, before an assembler for one chip gets it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace emulated::ptx {

/// One operand: "%r1", "0f3F800000", "name", a group {a, b}, a pair a|b, or an address [a+offset].
struct Operand {
  enum class Form { kOne, kGroup, kPair, kAddress };
  Form form = Form::kOne;
  std::vector<std::string> names;  // one; members of the group or pair; the address without its offset
  int64_t offset = 0;              // bytes, of an address
};

struct Instruction {
  std::string op;     // "ld.global.v4.f32"
  std::string guard;  // "%p1" or empty: lanes where it holds (or does not, if negated) carry it out
  bool negated = false;
  std::vector<Operand> operands;
  int line = 0;  // of the file
};

/// Bytes with a name: a parameter of a kernel, or shared memory.
struct Variable {
  size_t n_bytes = 0, alignment = 1;
};

struct KernelCode {
  std::vector<Instruction> instructions;
  std::map<std::string, size_t> labels;               // to an instruction, or to the end
  std::map<std::string, std::string> registers;       // "%temp#2" -> "b32"; those named one by one
  std::map<std::string, std::string> register_kinds;  // "%rd" -> "b64"; those numbered
  std::vector<std::pair<std::string, Variable>> parameters;
  std::map<std::string, Variable> shared;  // its own; the module's hold for it too
};

/// The kernel whose `.entry` begins at `at` of the file's text. Fails the program at what it cannot read.
KernelCode parse_kernel(std::string_view text, size_t at);
/// Shared memory that a file declares outside its kernels; extern ones have 0 bytes.
std::map<std::string, Variable> parse_shared(std::string_view text);
/// Where the kernels of a file begin, by the mangled name.
std::map<std::string, size_t> find_kernels(std::string_view text);

/// Bits of "b32", "u16", "pred", ...; 0: not a type.
int bits_of(std::string_view type);

}  // namespace emulated::ptx
