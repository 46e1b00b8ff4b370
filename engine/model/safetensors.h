// Checkpoint: names -> Tensor views over memory-mapped safetensors, single file or sharded by an index.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/file_map.h"
#include "engine/base/tensor.h"

namespace draftscope {

/// Parses one safetensors image; a total function of its bytes (fuzzed). Tensors view into `file`.
/// Errors name `path`, the tensor, what was expected and found. Tensors of other dtypes than DType are left out.
Result<std::map<std::string, Tensor, std::less<>>> parse_safetensors(std::span<const std::byte> file,
                                                                     const std::string& path);

class Checkpoint {
 public:
  /// Opens DIR/model.safetensors or the shards named by DIR/model.safetensors.index.json.
  static Result<Checkpoint> open(const std::string& dir);
  /// Tensors from anywhere, over bytes that the caller keeps; `name` stands for the folder in messages.
  static Checkpoint of(std::string name, std::map<std::string, Tensor, std::less<>> tensors);

  /// The tensor of that name, whatever its shape; nullptr when missing.
  const Tensor* find(std::string_view tensor) const {
    const auto found = tensors_.find(tensor);
    return found == tensors_.end() ? nullptr : &found->second;
  }
  /// The tensor of that name; an Error when it is missing, holds no weights (is_weight) or its shape is
  /// not `expected`.
  Result<Tensor> get(std::string_view tensor, const Shape& expected) const;
  /// Gives mapped pages back to the system once the weights are packed; tensors stay readable.
  void release_pages() const {
    for (const std::shared_ptr<FileMap>& file : files_) file->release_pages();
  }

 private:
  std::string dir_;
  std::vector<std::shared_ptr<FileMap>> files_;
  std::map<std::string, Tensor, std::less<>> tensors_;
};

}  // namespace draftscope
