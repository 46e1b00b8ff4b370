#include "decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "operations.h"
#include "tests/cuda/emulated/block.h"
#include "warp.h"

namespace emulated::ptx {
namespace {

using Form = Operand::Form;

const std::map<std::string, Constant::Is> kOfAxes = {{"%tid", Constant::Is::kThread},
                                                     {"%ctaid", Constant::Is::kBlock},
                                                     {"%ntid", Constant::Is::kBlockSize},
                                                     {"%nctaid", Constant::Is::kGridSize}};

const Operations& operations() {
  static const Operations all = [] {
    Operations ops;
    add_arithmetic(ops);
    add_warp_operations(ops);
    return ops;
  }();
  return all;
}

size_t up_to(size_t n, size_t alignment) { return (n + alignment - 1) / alignment * alignment; }

class Decoder {
 public:
  Decoder(const KernelCode& code, Program& program) : code_(code), program_(program) {}

  void place_parameters() {
    size_t end = 0;
    for (const auto& [name, variable] : code_.parameters) {
      end = up_to(end, variable.alignment);
      parameters_[name] = end;
      end += variable.n_bytes;
    }
    program_.parameter_bytes = end;
  }

  /// Shared memory that the kernel names: with a size side by side, without one behind these.
  void place_shared(std::map<std::string, Variable> all) {
    all.insert(code_.shared.begin(), code_.shared.end());
    size_t end = 0;
    for (const auto& [name, variable] : all) {
      if (variable.n_bytes == 0 || !is_named(name)) continue;
      end = up_to(end, variable.alignment);
      shared_[name] = kFirstShared + end;
      end += variable.n_bytes;
    }
    program_.static_shared_bytes = up_to(end, 16);
    for (const auto& [name, variable] : all) {
      if (variable.n_bytes == 0) shared_[name] = kFirstShared + program_.static_shared_bytes;
    }
  }

  void decode_all() {
    for (const Instruction& instruction : code_.instructions) program_.steps.push_back(decode_one(instruction));
    Step end;  // a label may stand at the end
    end.flow = Flow::kExit;
    program_.steps.push_back(end);
    program_.warp_bytes = up_to(next_row_, 64);
  }

 private:
  [[noreturn]] void reject(const Instruction& at, const std::string& what) const {
    fail(fmt::format("{}, line {}: {}: {}", program_.file, at.line, at.op, what));
  }

  bool is_named(const std::string& name) const {
    return std::any_of(code_.instructions.begin(), code_.instructions.end(), [&](const Instruction& instruction) {
      return std::any_of(instruction.operands.begin(), instruction.operands.end(),
                         [&](const Operand& operand) { return operand.names[0] == name; });
    });
  }

  uint32_t new_row(int bytes) {
    next_row_ = up_to(next_row_, bytes == Operation::kPredicate ? 4 : 64);
    const auto row = static_cast<uint32_t>(next_row_);
    next_row_ += bytes == Operation::kPredicate ? 4 : static_cast<size_t>(bytes) * kLanes;
    return row;
  }

  /// Bytes of a register; kPredicate; -1: no register.
  int register_bytes(const std::string& name) const {
    std::string type;
    if (const auto found = code_.registers.find(name); found != code_.registers.end()) {
      type = found->second;
    } else {
      const size_t digits = name.find_first_of("0123456789");
      const auto kind = code_.register_kinds.find(name.substr(0, digits));
      if (kind == code_.register_kinds.end()) return -1;
      type = kind->second;
    }
    return type == "pred" ? Operation::kPredicate : bits_of(type) / 8;
  }

  uint32_t constant(const Constant& wanted) {
    for (const Constant& known : program_.constants) {
      if (known.is == wanted.is && known.bytes == wanted.bytes && known.number == wanted.number) return known.row;
    }
    program_.constants.push_back(wanted);
    program_.constants.back().row = new_row(wanted.bytes);
    return program_.constants.back().row;
  }

  /// "12", "-1", "0f3F800000", "0d...": its bits.
  static uint64_t number(const std::string& word) {
    if (word.starts_with("0f") || word.starts_with("0d")) return std::stoull(word.substr(2), nullptr, 16);
    return word[0] == '-' ? static_cast<uint64_t>(std::stoll(word)) : std::stoull(word);
  }

  uint32_t row(const Instruction& at, const std::string& name, int bytes) {
    if (const auto found = rows_.find(name); found != rows_.end() && found->second.bytes == bytes)
      return found->second.row;
    if (const int found = register_bytes(name); found >= 0) {
      if (found != bytes) reject(at, fmt::format("{} has {} bytes, expected {}", name, found, bytes));
      return (rows_[name] = {new_row(bytes), bytes}).row;
    }
    if (name == "%laneid") return constant({Constant::Is::kLane, 0, 4, 0});
    const size_t dot = std::min(name.find('.'), name.size());
    if (const auto of_axis = kOfAxes.find(name.substr(0, dot)); of_axis != kOfAxes.end())
      return constant({of_axis->second, 0, 4, static_cast<uint64_t>(name.at(dot + 1) - 'x')});
    if (const auto shared = shared_.find(name); shared != shared_.end())
      return constant({Constant::Is::kNumber, 0, bytes, shared->second});
    if (const auto parameter = parameters_.find(name); parameter != parameters_.end())
      return constant({Constant::Is::kNumber, 0, 8, parameter->second});
    if (std::isdigit(static_cast<unsigned char>(name[0])) == 0 && name[0] != '-') reject(at, "unknown operand " + name);
    return constant({Constant::Is::kNumber, 0, bytes, number(name)});
  }

  Step decode_one(const Instruction& instruction) {
    Step step;
    step.line = instruction.line;
    step.negated = instruction.negated;
    if (!instruction.guard.empty()) step.guard = row(instruction, instruction.guard, Operation::kPredicate);
    const std::string& op = instruction.op;
    if (op == "ret" || op == "exit") {
      step.flow = Flow::kExit;
    } else if (op == "bra" || op == "bra.uni") {
      step.flow = Flow::kBranch;
      step.target = static_cast<uint32_t>(code_.labels.at(instruction.operands[0].names[0]));
    } else if (op.starts_with("ld.") || op.starts_with("st.") || op.starts_with("atom.")) {
      decode_access(instruction, step);
    } else {
      decode_operation(instruction, step);
    }
    return step;
  }

  void set_address(const Instruction& at, const Operand& operand, Step& step, size_t place) {
    if (operand.form != Form::kAddress) reject(at, "expected an address");
    step.number = operand.offset;
    const int bytes = register_bytes(operand.names[0]);
    step.wide_address = bytes != 4;
    step.rows[place] = row(at, operand.names[0], step.wide_address ? 8 : 4);
  }

  void decode_access(const Instruction& instruction, Step& step) {
    const bool stores = instruction.op.starts_with("st.");
    const std::vector<Operand>& operands = instruction.operands;
    const std::vector<std::string>& names = operands.at(stores ? 1 : 0).names;
    int bytes = register_bytes(names[0]);
    if (bytes < 0) bytes = std::max(2, bits_of(instruction.op.substr(instruction.op.rfind('.') + 1)) / 8);  // a number
    step.run = find_access(instruction.op, bytes);
    if (step.run == nullptr) reject(instruction, "unknown instruction");
    const size_t first = stores ? 1 : 0;
    for (size_t i = 0; i < names.size(); ++i) step.rows[first + i] = row(instruction, names[i], bytes);
    set_address(instruction, operands[stores ? 0 : 1], step, stores ? 0 : names.size());
    if (operands.size() > 2) step.rows[2] = row(instruction, operands[2].names[0], bytes);
  }

  /// The name under which the tables hold it: a group makes mov a join or a split, a clock is read by a move of its
  /// own.
  std::string table_name(const Instruction& instruction) const {
    const bool halves = instruction.op.starts_with("cvt.") && instruction.op.ends_with("32");  // a wide register
    if (halves && register_bytes(instruction.operands.at(1).names[0]) == 8) return instruction.op + "/8";
    if (!instruction.op.starts_with("mov.") || instruction.operands.size() != 2) return instruction.op;
    if (instruction.operands[1].form == Form::kGroup) return "join" + instruction.op.substr(3);
    if (instruction.operands[0].form == Form::kGroup) return "split" + instruction.op.substr(3);
    return instruction.operands[1].names[0] == "%globaltimer" ? "mov.globaltimer" : instruction.op;
  }

  void decode_operation(const Instruction& instruction, Step& step) {
    const std::string name = table_name(instruction);
    const auto found = operations().find(name);
    if (found == operations().end()) reject(instruction, "unknown instruction");
    const Operation& operation = found->second;
    step.run = operation.run;
    step.flow = operation.flow;
    size_t n = 0;
    for (const Operand& operand : instruction.operands) {
      for (const std::string& word : operand.names) {
        if (n == operation.widths.size()) {  // a count behind the rows, or what nothing needs
          step.number = std::isdigit(static_cast<unsigned char>(word[0])) != 0 ? static_cast<int64_t>(number(word)) : 0;
          continue;
        }
        if (instruction.op.starts_with("cp.async.cg") && n == 2 && word == "16") continue;  // the size of every copy
        step.rows[n] = row(instruction, word, operation.widths[n]);
        ++n;
      }
      if (instruction.op.starts_with("shfl") && n == 1) step.rows[n++] = Step::kNone;  // no predicate asked for
    }
    if (n != operation.widths.size() && name != "mov.globaltimer") reject(instruction, "unexpected number of operands");
    if (step.flow == Flow::kMeet) step.mask = step.rows[n - 1];
  }

  struct RegisterRow {
    uint32_t row;
    int bytes;  // of a value
  };
  const KernelCode& code_;
  Program& program_;
  std::map<std::string, size_t> parameters_, shared_;  // to an address
  std::map<std::string, RegisterRow> rows_;
  size_t next_row_ = 0;
};

}  // namespace

Program decode(const KernelCode& code, const std::map<std::string, Variable>& module_shared, std::string name,
               std::string file) {
  Program program;
  program.name = std::move(name);
  program.file = std::move(file);
  Decoder decoder(code, program);
  decoder.place_parameters();
  decoder.place_shared(module_shared);
  decoder.decode_all();
  return program;
}

}  // namespace emulated::ptx
