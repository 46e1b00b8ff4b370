#include "engine/model/tokenizer.h"

#include <utf8proc.h>

#include <cstdlib>
#include <unordered_map>

#include "engine/base/file_map.h"
#include "engine/base/json.h"
#include "engine/base/utf8.h"
#include "engine/model/added_tokens.h"
#include "engine/model/bpe.h"
#include "engine/model/pretokenize.h"

namespace draftscope {
namespace {

constexpr int64_t kMaxId = 1 << 22;

// Byte-level vocabularies write bytes as printable characters: printable Latin-1 bytes stand for
// themselves, the others follow from U+0100 on in ascending order.
struct ByteAlphabet {
  std::unordered_map<std::string, unsigned char> byte_of;
  ByteAlphabet() {
    int32_t next = 0x100;
    for (int32_t byte = 0; byte < 256; ++byte) {
      const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
      const int32_t code = printable ? byte : next++;
      std::string text;
      if (code < 0x80) text = {static_cast<char>(code)};
      else text = {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
      byte_of[text] = static_cast<unsigned char>(byte);
    }
  }
  // Raw bytes behind a vocabulary entry; the entry itself when it uses other characters.
  std::string decode(const std::string& entry) const {
    std::string bytes;
    for (size_t at = 0; at < entry.size();) {
      const int n = utf8_length(std::string_view(entry).substr(at));
      const auto found = n > 0 ? byte_of.find(entry.substr(at, static_cast<size_t>(n))) : byte_of.end();
      if (found == byte_of.end()) return entry;
      bytes.push_back(static_cast<char>(found->second));
      at += static_cast<size_t>(n);
    }
    return bytes;
  }
};

const ByteAlphabet& alphabet() {
  static const ByteAlphabet instance;
  return instance;
}

Error unsupported(const Json& value, const char* expected) {
  const Result<std::string> type = value.has("type") ? value.at("type")->as_string() : Result<std::string>(std::string("none"));
  return fail("{}: type: not supported: expected {}, found \"{}\"", value.where(), expected, type ? *type : "?");
}

bool is_type(const Json& value, const char* type) {
  const Result<Json> found = value.at("type");
  if (!found) return false;
  const Result<std::string> text = found->as_string();
  return text && *text == type;
}

bool flag(const Json& value, const char* key, bool otherwise) {
  if (!value.has(key)) return otherwise;
  const Result<bool> found = value.at(key)->as_bool();
  return found ? *found : otherwise;
}

std::string nfc(const std::string& text) {
  utf8proc_uint8_t* composed = nullptr;
  const utf8proc_ssize_t n =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                   &composed, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  std::string result = n < 0 ? text : std::string(reinterpret_cast<char*>(composed), static_cast<size_t>(n));
  std::free(composed);
  return result;
}

}  // namespace

struct Tokenizer::Impl {
  bool normalise_nfc = false;
  bool ignore_merges = false;
  bool add_prefix_space = false;
  std::vector<Splitter> splitters;              // applied one after the other
  Bpe bpe;
  std::vector<std::string> bytes;               // (n_ids,) raw bytes; empty for unused ids
  std::vector<AddedToken> added;
  std::unordered_map<std::string, int32_t> id;  // vocabulary entry as written, and added tokens
  std::unordered_map<std::string, int32_t> id_of_bytes;

  Status read_normalizer(const Json& root);
  Status read_pre_tokenizer(const Json& value);
  Status read_vocabulary(const Json& model);
  Status read_merges(const Json& model);
  Status read_added(const Json& root);
  void place(int32_t token, std::string raw);
  void encode_words(std::string_view text, std::vector<int32_t>& ids) const;
};

void Tokenizer::Impl::place(int32_t token, std::string raw) {
  if (bytes.size() <= static_cast<size_t>(token)) bytes.resize(static_cast<size_t>(token) + 1);
  bytes[static_cast<size_t>(token)] = std::move(raw);
}

Status Tokenizer::Impl::read_normalizer(const Json& root) {
  if (!root.has("normalizer")) return success();
  const Json value = *root.at("normalizer");
  if (is_type(value, "NFC")) normalise_nfc = true;
  else if (!(is_type(value, "Sequence") && value.has("normalizers") && value.at("normalizers")->size() == 0)) {
    return unsupported(value, "NFC or none");
  }
  return success();
}

Status Tokenizer::Impl::read_pre_tokenizer(const Json& value) {
  if (is_type(value, "Sequence")) {
    const Result<Json> list = value.at("pretokenizers");
    if (!list || !list->is_array()) return fail("{}: expected a list pretokenizers", value.where());
    for (size_t i = 0; i < list->size(); ++i) {
      if (const Status each = read_pre_tokenizer(list->at(i)); !each) return each;
    }
    return success();
  }
  std::string pattern;
  if (is_type(value, "Split")) {
    const Result<Json> source = value.at("pattern");
    const Result<std::string> behavior = value.has("behavior") ? value.at("behavior")->as_string() : Result<std::string>(Error{""});
    if (!source || !source->has("Regex") || !behavior || *behavior != "Isolated" || flag(value, "invert", false)) {
      return fail("{}: not supported: expected Split by a Regex with behavior Isolated", value.where());
    }
    const Result<std::string> text = source->at("Regex")->as_string();
    if (!text) return Error{text.error()};
    pattern = *text;
  } else if (is_type(value, "ByteLevel")) {
    add_prefix_space = flag(value, "add_prefix_space", true);
    if (!flag(value, "use_regex", true)) return success();
    pattern = kByteLevelPattern;
  } else {
    return unsupported(value, "Sequence, Split or ByteLevel");
  }
  Result<Splitter> splitter = Splitter::compile(pattern);
  if (!splitter) return fail("{}: {}", value.where(), splitter.error());
  splitters.push_back(std::move(*splitter));
  return success();
}

Status Tokenizer::Impl::read_vocabulary(const Json& model) {
  const Result<Json> vocab = model.at("vocab");
  if (!vocab) return Error{vocab.error()};
  if (!vocab->is_object() || vocab->size() == 0) return fail("{}: expected an object of tokens", vocab->where());
  std::string error;
  vocab->each([&](const std::string& entry, const Json& value) {
    const Result<int64_t> token = value.as_int(0, kMaxId);
    if (!token) {
      if (error.empty()) error = token.error();
      return;
    }
    id[entry] = static_cast<int32_t>(*token);
    place(static_cast<int32_t>(*token), alphabet().decode(entry));
  });
  if (!error.empty()) return Error{error};
  for (int byte = 0; byte < 256; ++byte) bpe.set_byte(static_cast<unsigned char>(byte), -1);
  for (const auto& [entry, byte] : alphabet().byte_of) {
    if (const auto found = id.find(entry); found != id.end()) bpe.set_byte(byte, found->second);
  }
  for (size_t token = 0; token < bytes.size(); ++token) id_of_bytes.try_emplace(bytes[token], static_cast<int32_t>(token));
  return success();
}

Status Tokenizer::Impl::read_merges(const Json& model) {
  const Result<Json> merges = model.at("merges");
  if (!merges) return Error{merges.error()};
  if (!merges->is_array()) return fail("{}: expected a list of merges", merges->where());
  for (size_t rank = 0; rank < merges->size(); ++rank) {
    const Json merge = merges->at(rank);
    std::string left, right;
    if (merge.is_array() && merge.size() == 2 && merge.at(size_t{0}).is_string() && merge.at(1).is_string()) {
      left = *merge.at(size_t{0}).as_string();
      right = *merge.at(1).as_string();
    } else {
      const Result<std::string> text = merge.as_string();
      const size_t space = text ? text->find(' ') : std::string::npos;
      if (space == std::string::npos) return fail("{}: expected \"left right\" or [left, right]", merge.where());
      left = text->substr(0, space);
      right = text->substr(space + 1);
    }
    const auto a = id.find(left), b = id.find(right), both = id.find(left + right);
    if (a == id.end() || b == id.end() || both == id.end()) {
      return fail("{}: expected tokens of the vocabulary, found \"{}\" and \"{}\"", merge.where(), left, right);
    }
    bpe.add_merge(a->second, b->second, static_cast<int32_t>(rank), both->second);
  }
  return success();
}

Status Tokenizer::Impl::read_added(const Json& root) {
  if (!root.has("added_tokens")) return success();
  const Json list = *root.at("added_tokens");
  if (!list.is_array()) return fail("{}: expected a list", list.where());
  for (size_t i = 0; i < list.size(); ++i) {
    const Json entry = list.at(i);
    const Result<Json> token = entry.at("id"), content = entry.at("content");
    if (!token) return Error{token.error()};
    if (!content) return Error{content.error()};
    const Result<int64_t> number = token->as_int(0, kMaxId);
    const Result<std::string> text = content->as_string();
    if (!number) return Error{number.error()};
    if (!text) return Error{text.error()};
    added.push_back({*text, static_cast<int32_t>(*number), flag(entry, "normalized", false), flag(entry, "lstrip", false),
                     flag(entry, "rstrip", false), flag(entry, "single_word", false)});
    place(added.back().id, *text);
    id[*text] = added.back().id;
  }
  return success();
}

void Tokenizer::Impl::encode_words(std::string_view text, std::vector<int32_t>& ids) const {
  std::vector<std::string_view> words{text}, next;
  std::string prefixed;
  if (add_prefix_space && !text.empty() && text[0] != ' ') {
    prefixed = ' ' + std::string(text);
    words[0] = prefixed;
  }
  for (const Splitter& splitter : splitters) {
    next.clear();
    for (const std::string_view word : words) splitter.split(word, next);
    words.swap(next);
  }
  for (const std::string_view word : words) {
    if (ignore_merges) {
      if (const auto found = id_of_bytes.find(std::string(word)); found != id_of_bytes.end()) {
        ids.push_back(found->second);
        continue;
      }
    }
    bpe.encode(word, ids);
  }
}

Tokenizer::Tokenizer() : impl_(std::make_unique<Impl>()) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

Result<Tokenizer> Tokenizer::open(const std::string& dir) {
  const std::string path = dir + "/tokenizer.json";
  const Result<std::string> text = read_text(path);
  if (!text) return Error{text.error()};
  return parse(*text, path);
}

Result<Tokenizer> Tokenizer::parse(std::string_view text, const std::string& path) {
  const Result<Json> root = Json::parse(text, path);
  if (!root) return Error{root.error()};
  const Result<Json> model = root->at("model");
  if (!model) return Error{model.error()};
  if (model->has("type") && !is_type(*model, "BPE")) return unsupported(*model, "BPE");
  Tokenizer tokenizer;
  Impl& impl = *tokenizer.impl_;
  impl.ignore_merges = flag(*model, "ignore_merges", false);
  if (model->has("byte_fallback") && flag(*model, "byte_fallback", false)) {
    return fail("{}: byte_fallback: not supported: expected false", model->where());
  }
  const Result<Json> pre = root->at("pre_tokenizer");
  if (!pre) return Error{pre.error()};
  for (const Status& step : {impl.read_normalizer(*root), impl.read_pre_tokenizer(*pre), impl.read_vocabulary(*model),
                             impl.read_merges(*model), impl.read_added(*root)}) {
    if (!step) return Error{step.error()};
  }
  return tokenizer;
}

std::vector<int32_t> Tokenizer::encode(std::string_view utf8) const {
  const std::string text = replace_broken_utf8(utf8);
  std::vector<int32_t> ids;
  for (const TextPiece& piece : split_added(text, impl_->added, /*normalized=*/false)) {
    if (piece.token != nullptr) {
      ids.push_back(piece.token->id);
      continue;
    }
    const std::string normal = impl_->normalise_nfc ? nfc(std::string(piece.text)) : std::string(piece.text);
    for (const TextPiece& inner : split_added(normal, impl_->added, /*normalized=*/true)) {
      if (inner.token != nullptr) ids.push_back(inner.token->id);
      else impl_->encode_words(inner.text, ids);
    }
  }
  return ids;
}

std::string_view Tokenizer::bytes_of(int32_t id) const {
  if (id < 0 || id >= n_ids()) return {};
  return impl_->bytes[static_cast<size_t>(id)];
}

std::optional<int32_t> Tokenizer::id_of(std::string_view token) const {
  const auto found = impl_->id.find(std::string(token));
  if (found == impl_->id.end()) return std::nullopt;
  return found->second;
}

int32_t Tokenizer::n_ids() const { return static_cast<int32_t>(impl_->bytes.size()); }

}  // namespace draftscope
