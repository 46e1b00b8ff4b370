// The ring that rounds are published in: mapped host memory that kernels write and the host reads one round late.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/shared/host_device.h"
#include "kernels/shared/round_types.h"

namespace draftscope::cuda {

/// Where each array of a slot, which holds one text's round, begins, in bytes from the slot's start.
struct SlotLayout {
  int32_t max_nodes = 0, n_depths = 0, n_ranks = 0;
  int64_t path_log_q = 0;                            // double (max_nodes + 1,)
  int64_t token = 0, parent = 0, depth = 0, rank = 0;  // int32 (max_nodes + 1,)
  int64_t q_token = 0, q_log_q = 0;                  // int32, float (n_depths, n_ranks), packed by the header's n_ranks
  int64_t choice = 0, choice_log_p = 0;              // int32, float (max_nodes + 1,)
  int64_t path = 0;                                  // int32 (n_depths + 1,)
  int64_t n_bytes = 0;                               // a multiple of 128
};
SlotLayout ring_slot_layout(int32_t max_nodes, int32_t n_depths, int32_t n_ranks);

/// n_slots * max_texts slots one after another; round seq goes to the max_texts slots from seq % n_slots * max_texts on.
struct RingView {
  char* slots = nullptr;
  int32_t n_slots = 0, max_texts = 1;
  SlotLayout layout;

  DS_HOST_DEVICE char* slot(int64_t seq, int32_t text) const {
    return slots + (seq % n_slots * max_texts + text) * layout.n_bytes;
  }
};

/// Reads round `seq` of a text from a ring that the host sees at ring.slots. False when it is not there yet, or not any
/// more; `image` is then unspecified.
bool read_round(const RingView& ring, int64_t seq, int32_t text, RoundImage& image);

/// The word that `grow` stores for the host as soon as it knows how many rows the verify pass has.
struct GrownRows {
  int32_t n_rows = 0;  // in use
  int32_t bucket = 0;  // launched
};
/// One store of 64 bits, so that it is never seen half written: the low half of seq + 1, then rows and bucket.
DS_HOST_DEVICE inline uint64_t grown_word_of(int64_t seq, GrownRows rows) {
  return static_cast<uint64_t>(static_cast<uint32_t>(seq + 1)) << 32 | static_cast<uint64_t>(rows.n_rows) << 16 |
         static_cast<uint64_t>(rows.bucket);
}
/// What `word`, as the host sees it, says of round `seq`; nullopt when it does not speak of it yet.
std::optional<GrownRows> read_grown_word(const uint64_t* word, int64_t seq);

}  // namespace draftscope::cuda
