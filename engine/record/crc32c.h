// CRC-32C (Castagnoli; RFC 3720, appendix B.4), the checksum of trace frames.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace draftscope {

/// Row k: remainder of every byte value with k zero bytes behind it, least significant bit first. Eight rows
/// let one step take eight bytes ("slicing by 8", Kounavis and Berry 2005).
inline constexpr std::array<std::array<uint32_t, 256>, 8> kCrc32cTable = [] {
  constexpr uint32_t kPolynomial = 0x82F63B78;  // 0x1EDC6F41, bits reversed
  std::array<std::array<uint32_t, 256>, 8> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) != 0 ? kPolynomial : 0);
    table[0][byte] = rest;
  }
  for (size_t row = 1; row < 8; ++row) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = table[row - 1][byte];
      table[row][byte] = (before >> 8) ^ table[0][before & 0xFF];
    }
  }
  return table;
}();

/// Checksum of `bytes`; `before` is the checksum of what precedes them. Little-endian machines only, as the
/// trace file itself.
inline uint32_t crc32c(std::span<const std::byte> bytes, uint32_t before = 0) {
  uint32_t crc = ~before;
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof(word));
    word ^= crc;
    crc = 0;
    for (size_t i = 0; i < 8; ++i) crc ^= kCrc32cTable[7 - i][(word >> (8 * i)) & 0xFF];
  }
  for (const std::byte byte : bytes) {
    crc = (crc >> 8) ^ kCrc32cTable[0][(crc ^ static_cast<uint8_t>(byte)) & 0xFF];
  }
  return ~crc;
}

}  // namespace draftscope
