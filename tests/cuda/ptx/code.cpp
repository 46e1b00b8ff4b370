#include "code.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "tests/cuda/emulated/block.h"

namespace emulated::ptx {
namespace {

/// Splits text into words: names with their dots, numbers with their sign, single signs.
class Words {
 public:
  Words(std::string_view text, size_t at) : text_(text), at_(at) {
    line_ = 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(at), '\n'));
    advance();
  }
  const std::string& now() const { return word_; }
  int line() const { return line_; }
  bool is(std::string_view word) const { return word_ == word; }
  std::string take() {
    std::string word = std::move(word_);
    advance();
    return word;
  }
  void expect(std::string_view word) {
    if (take() != word) fail(fmt::format("PTX line {}: expected '{}'", line_, word));
  }
  bool skip(std::string_view word) {
    if (!is(word)) return false;
    advance();
    return true;
  }

 private:
  static bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
  static bool in_name(char c) {
    return is_digit(c) || (c != '\0' && std::isalpha(c) != 0) || std::string_view("_$%.").find(c) < 4;
  }
  char at(size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  void skip_blanks() {
    for (;;) {
      while (std::isspace(static_cast<unsigned char>(at(at_))) != 0) line_ += at(at_++) == '\n';
      if (at(at_) != '/' || at(at_ + 1) != '/') return;
      while (at_ < text_.size() && at(at_) != '\n') ++at_;
    }
  }
  void advance() {
    skip_blanks();
    const size_t begin = at_;
    if (at(at_) == '"') {
      at_ = text_.find('"', at_ + 1) + 1;
    } else if (in_name(at(at_)) || (at(at_) == '-' && is_digit(at(at_ + 1)))) {
      ++at_;
      while (in_name(at(at_)) || (at(at_) == ':' && at(at_ + 1) == ':') || (at(at_) == ':' && at(at_ - 1) == ':'))
        ++at_;
    } else if (at_ < text_.size()) {
      ++at_;
    }
    word_ = text_.substr(begin, at_ - begin);
  }

  std::string_view text_;
  size_t at_;
  int line_;
  std::string word_;
};

/// ".align 8 .b8 name[24]" or ".u64 name", after what begins it.
std::pair<std::string, Variable> parse_variable(Words& words) {
  Variable variable;
  size_t element = 0;
  while (words.now()[0] == '.') {
    const std::string word = words.take();
    if (word == ".align") variable.alignment = std::stoul(words.take());
    element = std::max(element, static_cast<size_t>(bits_of(word.substr(1))) / 8);
  }
  std::string name = words.take();
  variable.n_bytes = element;
  variable.alignment = std::max(variable.alignment, element);
  if (words.skip("[")) {
    variable.n_bytes = words.is("]") ? 0 : element * std::stoul(words.take());
    words.expect("]");
  }
  return {std::move(name), variable};
}

/// Reads the statements of one kernel.
class Body {
 public:
  Body(Words& words, KernelCode& code) : words_(words), code_(code) {}

  void parse() {
    words_.expect("{");
    do {
      if (words_.is("")) fail("PTX: a kernel without end");
      if (words_.skip("{")) {
        scopes_.emplace_back();
      } else if (words_.skip("}")) {
        scopes_.pop_back();
      } else if (words_.now()[0] == '.') {
        parse_directive();
      } else {
        parse_statement();
      }
    } while (!scopes_.empty());
  }

 private:
  void parse_directive() {
    const std::string directive = words_.take();
    if (directive == ".reg") return parse_registers();
    if (directive == ".shared") code_.shared.insert(parse_variable(words_));
    while (!words_.skip(";")) words_.take();  // such as .pragma
  }

  void parse_registers() {
    const std::string type = words_.take().substr(1);
    do {
      const std::string name = words_.take();
      if (words_.skip("<")) {
        code_.register_kinds[name] = type;
        words_.take();
        words_.expect(">");
      } else {
        const std::string unique = fmt::format("{}#{}", name, code_.registers.size());
        scopes_.back()[name] = unique;
        code_.registers[unique] = type;
      }
    } while (words_.skip(","));
    words_.expect(";");
  }

  std::string name() {
    std::string word = words_.take();
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
      if (const auto found = scope->find(word); found != scope->end()) return found->second;
    }
    return word;
  }

  void parse_statement() {
    Instruction instruction;
    instruction.line = words_.line();
    if (words_.skip("@")) {
      instruction.negated = words_.skip("!");
      instruction.guard = name();
    }
    instruction.op = words_.take();
    if (words_.skip(":")) {
      code_.labels[instruction.op] = code_.instructions.size();
      return;
    }
    while (!words_.skip(";")) {
      instruction.operands.push_back(parse_operand());
      words_.skip(",");
    }
    code_.instructions.push_back(std::move(instruction));
  }

  Operand parse_operand() {
    Operand operand;
    if (words_.skip("{")) {
      operand.form = Operand::Form::kGroup;
      do operand.names.push_back(name());
      while (words_.skip(","));
      words_.expect("}");
    } else if (words_.skip("[")) {
      operand.form = Operand::Form::kAddress;
      operand.names.push_back(name());
      if (words_.skip("+")) operand.offset = std::stoll(words_.take());
      words_.expect("]");
    } else {
      operand.names.push_back(name());
      if (!words_.skip("|")) return operand;
      operand.form = Operand::Form::kPair;
      operand.names.push_back(name());
    }
    return operand;
  }

  Words& words_;
  KernelCode& code_;
  std::vector<std::map<std::string, std::string>> scopes_ = std::vector<std::map<std::string, std::string>>(1);
};

}  // namespace

int bits_of(std::string_view type) {
  if (type == "pred") return 1;
  if (type.size() < 2 || std::string_view("busf").find(type[0]) == std::string_view::npos) return 0;
  const std::string_view digits = type.substr(1);
  for (const int bits : {8, 16, 32, 64}) {
    if (digits == std::to_string(bits)) return bits;
  }
  return 0;
}

KernelCode parse_kernel(std::string_view text, size_t at) {
  KernelCode code;
  Words words(text, at);
  words.expect(".entry");
  words.take();  // its name
  words.expect("(");
  while (!words.skip(")")) {
    words.expect(".param");
    code.parameters.push_back(parse_variable(words));
    words.skip(",");
  }
  while (!words.is("{")) words.take();  // .maxntid and its kin
  Body(words, code).parse();
  return code;
}

std::map<std::string, Variable> parse_shared(std::string_view text) {
  constexpr std::string_view kShared = "\n.shared ", kExtern = "\n.extern .shared ";
  std::map<std::string, Variable> shared;
  for (const std::string_view begin : {kShared, kExtern}) {
    for (size_t at = text.find(begin); at != std::string_view::npos; at = text.find(begin, at + 1)) {
      Words words(text, at + begin.size());
      shared.insert(parse_variable(words));
    }
  }
  return shared;
}

std::map<std::string, size_t> find_kernels(std::string_view text) {
  constexpr std::string_view kEntry = ".entry ";
  std::map<std::string, size_t> kernels;
  for (size_t at = text.find(kEntry); at != std::string_view::npos; at = text.find(kEntry, at + 1)) {
    const size_t name = at + kEntry.size();
    kernels[std::string(text.substr(name, text.find('(', name) - name))] = at;
  }
  return kernels;
}

}  // namespace emulated::ptx
