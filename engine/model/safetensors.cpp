#include "engine/model/safetensors.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <set>
#include <utility>

#include "engine/base/json.h"

namespace draftscope {
namespace {

constexpr uint64_t kMaxHeaderBytes = 100 << 20;

std::string text_of(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

// Bytes per element of a dtype that the format knows; 0 for an unknown one.
size_t file_dtype_bytes(const std::string& dtype) {
  if (dtype == "F64" || dtype == "I64" || dtype == "U64") return 8;
  if (dtype == "F32" || dtype == "I32" || dtype == "U32") return 4;
  if (dtype == "F16" || dtype == "BF16" || dtype == "I16" || dtype == "U16") return 2;
  if (dtype == "I8" || dtype == "U8" || dtype == "BOOL" || dtype == "F8_E4M3" || dtype == "F8_E5M2") return 1;
  return 0;
}

// Dtypes of the format that a Tensor can have; the others are checked and left out.
constexpr std::pair<std::string_view, DType> kTensorDtypes[] = {
    {"F32", DType::kF32}, {"F16", DType::kF16}, {"BF16", DType::kBf16}, {"F64", DType::kF64},  {"I64", DType::kI64},
    {"I32", DType::kI32}, {"I16", DType::kI16}, {"U8", DType::kU8},     {"BOOL", DType::kBool}};

const std::pair<std::string_view, DType>* tensor_dtype(std::string_view file_dtype) {
  const auto* found = std::find_if(std::begin(kTensorDtypes), std::end(kTensorDtypes),
                                   [file_dtype](const auto& known) { return known.first == file_dtype; });
  return found == std::end(kTensorDtypes) ? nullptr : found;
}

Result<Tensor> read_entry(const std::string& name, const Json& entry, std::span<const std::byte> data,
                          std::string& dtype) {
  for (const char* key : {"dtype", "shape", "data_offsets"}) {
    if (const Result<Json> value = entry.at(key); !value) return Error{value.error()};
  }
  const Result<std::string> dtype_text = entry.at("dtype")->as_string();
  if (!dtype_text) return Error{dtype_text.error()};
  dtype = *dtype_text;
  const size_t element_bytes = file_dtype_bytes(dtype);
  if (element_bytes == 0) return fail("{}: dtype: expected one of the format, found \"{}\"", entry.where(), dtype);
  Tensor tensor;
  tensor.name = name;
  if (const auto* known = tensor_dtype(dtype)) tensor.dtype = known->second;
  uint64_t n_bytes = element_bytes;
  const Json shape = *entry.at("shape");
  if (!shape.is_array() || shape.size() > 8) return fail("{}: expected a shape of at most 8 sizes", shape.where());
  for (size_t i = 0; i < shape.size(); ++i) {
    const Result<int64_t> size = shape.at(i).as_int(0, int64_t{1} << 40);
    if (!size) return Error{size.error()};
    if (*size > 0 && n_bytes > data.size() / static_cast<uint64_t>(*size)) {
      return fail("{}: shape is larger than the file's {} bytes of data", entry.where(), data.size());
    }
    n_bytes *= static_cast<uint64_t>(*size);
    tensor.shape.push_back(*size);
  }
  const Json offsets = *entry.at("data_offsets");
  if (!offsets.is_array() || offsets.size() != 2) return fail("{}: expected [begin, end]", offsets.where());
  const Result<int64_t> begin = offsets.at(size_t{0}).as_int(0, static_cast<int64_t>(data.size()));
  if (!begin) return Error{begin.error()};
  const Result<int64_t> end = offsets.at(size_t{1}).as_int(*begin, static_cast<int64_t>(data.size()));
  if (!end) return Error{end.error()};
  if (static_cast<uint64_t>(*end - *begin) != n_bytes) {
    return fail("{}: shape {} of {} needs {} bytes, data_offsets give {}", entry.where(), text_of(tensor.shape), dtype,
                n_bytes, *end - *begin);
  }
  tensor.bytes = data.subspan(static_cast<size_t>(*begin), static_cast<size_t>(n_bytes));
  return tensor;
}

Status check_no_overlap(const std::map<std::string, Tensor, std::less<>>& tensors, const std::string& path) {
  std::vector<const Tensor*> by_place;
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.bytes.empty()) by_place.push_back(&tensor);
  }
  std::sort(by_place.begin(), by_place.end(),
            [](const Tensor* a, const Tensor* b) { return a->bytes.data() < b->bytes.data(); });
  for (size_t i = 1; i < by_place.size(); ++i) {
    if (by_place[i - 1]->bytes.data() + by_place[i - 1]->bytes.size() > by_place[i]->bytes.data()) {
      return fail("{}: tensors {} and {} overlap", path, by_place[i - 1]->name, by_place[i]->name);
    }
  }
  return success();
}

Result<std::vector<std::string>> shard_files(const std::string& dir) {
  const std::string index = dir + "/model.safetensors.index.json";
  std::error_code none;  // whatever keeps the index from being looked at, opening the file will name it
  if (!std::filesystem::exists(index, none)) return std::vector<std::string>{"model.safetensors"};
  const Result<std::string> text = read_text(index);
  if (!text) return Error{text.error()};
  const Result<Json> json = Json::parse(*text, index);
  if (!json) return Error{json.error()};
  const Result<Json> map = json->at("weight_map");
  if (!map) return Error{map.error()};
  if (!map->is_object() || map->size() == 0) return fail("{}: weight_map: expected an object of tensors", index);
  std::set<std::string> names;
  std::string error;
  map->each([&](const std::string&, const Json& value) {
    const Result<std::string> name = value.as_string();
    if (!name) error = name.error();
    else if (name->find('/') != std::string::npos || name->find("..") != std::string::npos || name->empty()) {
      error = fmt::format("{}: expected a file name in the same folder, found \"{}\"", value.where(), *name);
    } else {
      names.insert(*name);
    }
  });
  if (!error.empty()) return Error{error};
  return std::vector<std::string>(names.begin(), names.end());
}

}  // namespace

Result<std::map<std::string, Tensor, std::less<>>> parse_safetensors(std::span<const std::byte> file,
                                                                     const std::string& path) {
  uint64_t header_bytes = 0;
  if (file.size() < sizeof(header_bytes)) {
    return fail("{}: expected a safetensors file, found only {} bytes", path, file.size());
  }
  std::memcpy(&header_bytes, file.data(), sizeof(header_bytes));
  if (header_bytes > kMaxHeaderBytes || header_bytes > file.size() - sizeof(header_bytes)) {
    return fail("{}: header of {} bytes does not fit the file of {} bytes (truncated?)", path, header_bytes, file.size());
  }
  const std::string_view text(reinterpret_cast<const char*>(file.data()) + sizeof(header_bytes),
                              static_cast<size_t>(header_bytes));
  const Result<Json> header = Json::parse(text, path + " header");
  if (!header) return Error{header.error()};
  if (!header->is_object()) return fail("{}: expected a JSON object as header", path);
  const std::span<const std::byte> data = file.subspan(sizeof(header_bytes) + static_cast<size_t>(header_bytes));
  std::map<std::string, Tensor, std::less<>> tensors;
  std::string error;
  header->each([&](const std::string& name, const Json& entry) {
    if (!error.empty() || name == "__metadata__") return;
    std::string dtype;
    Result<Tensor> tensor = read_entry(name, entry, data, dtype);
    if (!tensor) error = tensor.error();
    else if (tensor_dtype(dtype) != nullptr) tensors.emplace(name, std::move(*tensor));
  });
  if (!error.empty()) return Error{error};
  if (const Status overlap = check_no_overlap(tensors, path); !overlap) return Error{overlap.error()};
  return tensors;
}

Result<Checkpoint> Checkpoint::open(const std::string& dir) {
  const Result<std::vector<std::string>> files = shard_files(dir);
  if (!files) return Error{files.error()};
  Checkpoint checkpoint;
  checkpoint.dir_ = dir;
  for (const std::string& file : *files) {
    const std::string path = dir + "/" + file;
    Result<std::shared_ptr<FileMap>> map = FileMap::open(path);
    if (!map) return Error{map.error()};
    Result<std::map<std::string, Tensor, std::less<>>> tensors = parse_safetensors((*map)->bytes(), path);
    if (!tensors) return Error{tensors.error()};
    checkpoint.files_.push_back(*map);
    for (auto& [name, tensor] : *tensors) {
      if (!checkpoint.tensors_.emplace(name, std::move(tensor)).second) {
        return fail("{}: tensor {} is in more than one shard", path, name);
      }
    }
  }
  return checkpoint;
}

Checkpoint Checkpoint::of(std::string name, std::map<std::string, Tensor, std::less<>> tensors) {
  Checkpoint checkpoint;
  checkpoint.dir_ = std::move(name);
  checkpoint.tensors_ = std::move(tensors);
  return checkpoint;
}

Result<Tensor> Checkpoint::get(std::string_view tensor, const Shape& expected) const {
  const auto found = tensors_.find(tensor);
  if (found == tensors_.end()) return fail("{}: no tensor {}", dir_, tensor);
  if (!is_weight(found->second.dtype)) {
    return fail("{}: {}: expected f32, f16 or bf16 weights, found {}", dir_, tensor, name(found->second.dtype));
  }
  if (found->second.shape != expected) {
    return fail("{}: {}: expected shape {}, found {}", dir_, tensor, text_of(expected), text_of(found->second.shape));
  }
  return found->second;
}

}  // namespace draftscope
