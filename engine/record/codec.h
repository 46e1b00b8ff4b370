// Codec: messages to bytes and back. The schema is round.fbs (FlatBuffers).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/base/check.h"
#include "engine/record/round.h"

namespace draftscope {

/// Version of the wire format that encode() writes and decode() reads.
inline constexpr uint16_t kRecordVersion = 1;

/// No message is larger; a longer frame is damage, not data.
inline constexpr size_t kMaxMessageBytes = size_t{64} << 20;

/// Encodes messages one after the other into one buffer that keeps its memory.
class Encoder {
 public:
  Encoder();
  ~Encoder();
  Encoder(Encoder&&) noexcept;
  Encoder& operator=(Encoder&&) noexcept;

  /// The encoded message; the bytes are valid until the next call. Does not check the message: see
  /// check_invariants (invariants.h), which decode() applies.
  std::span<const std::byte> encode(const SessionInfo& info);
  std::span<const std::byte> encode(const RoundRecord& round);
  std::span<const std::byte> encode(const SessionEnd& end);
  std::span<const std::byte> encode(const Message& message);

 private:
  struct Buffer;
  std::unique_ptr<Buffer> buffer_;
};

/// One message with a buffer of its own.
std::vector<std::byte> encode(const Message& message);

/// The message in `bytes`, checked in full: structure, version, and every invariant that round.h states, so
/// that a viewer may index what it gets. Any bytes at all are safe. decode(encode(m)) gives m, bit for bit.
Result<Message> decode(std::span<const std::byte> bytes);

}  // namespace draftscope
