#include "engine/record/trace_format.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>

#include "engine/record/codec.h"
#include "engine/record/crc32c.h"

namespace draftscope::trace {
namespace {

// Fast enough to be written between rounds; higher levels save little on records.
constexpr int kZstdLevel = 1;

}  // namespace

uint32_t frame_crc(const FrameHeader& header, std::span<const std::byte> stored) {
  const auto fields = std::as_bytes(std::span(&header, 1)).first(offsetof(FrameHeader, crc32c));
  return crc32c(stored, crc32c(fields));
}

FramePacker::FramePacker() : context_(ZSTD_createCCtx()) { DS_CHECK(context_ != nullptr); }
FramePacker::~FramePacker() = default;
void FramePacker::FreeContext::operator()(ZSTD_CCtx_s* context) const { ZSTD_freeCCtx(context); }

std::span<const std::byte> FramePacker::pack(FrameKind kind, std::span<const std::byte> raw) {
  DS_CHECK(raw.size() <= kMaxMessageBytes, "a frame of {} bytes", raw.size());
  frame_.resize(std::max(frame_.size(), sizeof(FrameHeader) + ZSTD_compressBound(raw.size())));
  const std::span<std::byte> body = std::span(frame_).subspan(sizeof(FrameHeader));
  const size_t n_stored =
      ZSTD_compressCCtx(context_.get(), body.data(), body.size(), raw.data(), raw.size(), kZstdLevel);
  DS_CHECK(ZSTD_isError(n_stored) == 0, "zstd: {}", ZSTD_getErrorName(n_stored));
  FrameHeader header{static_cast<uint32_t>(kind), static_cast<uint32_t>(raw.size()),
                     static_cast<uint32_t>(n_stored), 0};
  header.crc32c = frame_crc(header, body.first(n_stored));
  std::memcpy(frame_.data(), &header, sizeof(header));
  return std::span(frame_).first(sizeof(FrameHeader) + n_stored);
}

Result<std::vector<std::byte>> unpack_frame(const FrameHeader& header, std::span<const std::byte> stored) {
  if (stored.size() != header.stored_bytes) {
    return fail("frame has {} bytes, expected {}", stored.size(), header.stored_bytes);
  }
  if (frame_crc(header, stored) != header.crc32c)
    return fail("frame is damaged: its checksum does not match");
  if (header.raw_bytes > kMaxMessageBytes) {
    return fail("frame unpacks to {} bytes, expected at most {}", header.raw_bytes, kMaxMessageBytes);
  }
  std::vector<std::byte> raw(header.raw_bytes);
  const size_t n_raw = ZSTD_decompress(raw.data(), raw.size(), stored.data(), stored.size());
  if (ZSTD_isError(n_raw) != 0) return fail("frame cannot be unpacked: {}", ZSTD_getErrorName(n_raw));
  if (n_raw != raw.size()) return fail("frame unpacks to {} bytes, expected {}", n_raw, raw.size());
  return raw;
}

}  // namespace draftscope::trace
