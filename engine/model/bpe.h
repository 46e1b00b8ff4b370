// Byte-pair merging of one word.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace draftscope {

/// The learned merges of a byte-level vocabulary, over raw bytes.
class Bpe {
 public:
  /// Joins tokens left and right into `merged`; smaller ranks merge first.
  void add_merge(int32_t left, int32_t right, int32_t rank, int32_t merged);
  void set_byte(unsigned char byte, int32_t id) { byte_id_[byte] = id; }

  /// Ids of one word's bytes after all merges; a byte outside the vocabulary is left out.
  void encode(std::string_view word, std::vector<int32_t>& ids) const;

 private:
  struct Merge {
    int32_t rank, merged;
  };
  static uint64_t key(int32_t left, int32_t right) {
    return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
  }
  int32_t byte_id_[256] = {};
  std::unordered_map<uint64_t, Merge> merges_;
};

}  // namespace draftscope
