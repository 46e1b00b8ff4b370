// Layout of a trace file; every number little-endian. One idea: whatever is cut off, what was whole stays.
//
//   header   kMagic, u32 version
//   frame*   FrameHeader, stored bytes (zstd)          kind kMessage: one encoded message (round.fbs)
//   index    FrameHeader, stored bytes (zstd)          kind kIndex: u64 file offset of every message frame
//   trailer  u64 offset of the index frame, kEndMagic  present only in a file that was closed
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/base/check.h"

struct ZSTD_CCtx_s;  // zstd.h: a compressor

namespace draftscope::trace {

static_assert(std::endian::native == std::endian::little, "trace files are written as memory holds them");

inline constexpr char kMagic[] = {'\x89', 'D', 'S', 'T', 'R', 'A', 'C', 'E'};
inline constexpr char kEndMagic[] = {'D', 'S', 'T', 'R', 'A', 'E', 'N', 'D'};
inline constexpr uint32_t kVersion = 1;
inline constexpr size_t kHeader_bytes = sizeof(kMagic) + sizeof(kVersion);
inline constexpr size_t kTrailer_bytes = sizeof(uint64_t) + sizeof(kEndMagic);

enum class FrameKind : uint32_t { kMessage = 1, kIndex = 2 };

struct FrameHeader {
  uint32_t kind = 0;
  uint32_t raw_bytes = 0;     // before compression
  uint32_t stored_bytes = 0;  // after this header
  uint32_t crc32c = 0;        // of the three fields above and the stored bytes
};
static_assert(sizeof(FrameHeader) == 16);

/// CRC of a frame as FrameHeader::crc32c holds it.
uint32_t frame_crc(const FrameHeader& header, std::span<const std::byte> stored);

/// Makes frames one after the other, keeping the compressor's memory, which costs more to make than a frame.
class FramePacker {
 public:
  FramePacker();
  ~FramePacker();
  FramePacker(FramePacker&&) noexcept = default;

  /// Header and zstd-compressed `raw`, ready to be written at once; valid until the next call.
  std::span<const std::byte> pack(FrameKind kind, std::span<const std::byte> raw);

 private:
  struct FreeContext {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_CCtx_s, FreeContext> context_;
  std::vector<std::byte> frame_;
};

/// The raw bytes of a frame whose header lies before `stored`; an Error says what does not fit.
Result<std::vector<std::byte>> unpack_frame(const FrameHeader& header, std::span<const std::byte> stored);

}  // namespace draftscope::trace
