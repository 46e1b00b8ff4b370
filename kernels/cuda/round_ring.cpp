#include "kernels/cuda/round_ring.h"

#include <atomic>
#include <cstring>

namespace draftscope::cuda {
namespace {

constexpr int64_t kAlignment = 128;

// Never a read-modify-write, which mapped memory might not support.
uint64_t load_acquire(const uint64_t* word) {
  return std::atomic_ref<uint64_t>(*const_cast<uint64_t*>(word)).load(std::memory_order_acquire);
}

template <class T>
void copy(const char* slot, int64_t offset, int64_t n, std::vector<T>& out) {
  out.resize(static_cast<size_t>(n));
  if (n > 0) std::memcpy(out.data(), slot + offset, out.size() * sizeof(T));
}

}  // namespace

SlotLayout ring_slot_layout(int32_t max_nodes, int32_t n_depths, int32_t n_ranks) {
  SlotLayout layout{max_nodes, n_depths, n_ranks};
  int64_t end = sizeof(SlotHeader);
  const auto place = [&end](int64_t& offset, int64_t n, int64_t element_bytes) {
    offset = (end + kAlignment - 1) / kAlignment * kAlignment;
    end = offset + n * element_bytes;
  };
  const int64_t n_nodes = int64_t{max_nodes} + 1, n_marginals = int64_t{n_depths} * n_ranks;
  place(layout.path_log_q, n_nodes, sizeof(double));
  for (int64_t* column : {&layout.token, &layout.parent, &layout.depth, &layout.rank}) {
    place(*column, n_nodes, sizeof(int32_t));
  }
  place(layout.q_token, n_marginals, sizeof(int32_t));
  place(layout.q_log_q, n_marginals, sizeof(float));
  place(layout.choice, n_nodes, sizeof(int32_t));
  place(layout.choice_log_p, n_nodes, sizeof(float));
  place(layout.path, int64_t{n_depths} + 1, sizeof(int32_t));
  place(layout.n_bytes, 0, 1);
  return layout;
}

bool read_round(const RingView& ring, int64_t seq, int32_t text, RoundImage& image) {
  const char* slot = ring.slot(seq, text);
  const uint64_t* written = reinterpret_cast<const uint64_t*>(slot);
  const uint64_t expected = static_cast<uint64_t>(seq) + 1;
  if (load_acquire(written) != expected) return false;
  SlotHeader& header = image.header;
  std::memcpy(&header, slot, sizeof header);
  const SlotLayout& at = ring.layout;
  const int64_t n_nodes = int64_t{header.n_grown} + 1, n_rows = int64_t{header.n_chosen} + 1;
  const int64_t n_marginals = int64_t{header.n_depths} * header.n_ranks;
  // A slot that is being overwritten may say anything.
  if (n_nodes < 1 || n_nodes > at.max_nodes + 1 || n_rows < 1 || n_rows > n_nodes) return false;
  if (header.n_depths < 0 || header.n_depths > at.n_depths || header.n_ranks < 0 || header.n_ranks > at.n_ranks) {
    return false;
  }
  if (header.n_kept < 1 || header.n_kept > at.n_depths + 1) return false;
  copy(slot, at.path_log_q, n_nodes, image.path_log_q);
  copy(slot, at.token, n_nodes, image.token);
  copy(slot, at.parent, n_nodes, image.parent);
  copy(slot, at.depth, n_nodes, image.depth);
  copy(slot, at.rank, n_nodes, image.rank);
  copy(slot, at.q_token, n_marginals, image.q_token);
  copy(slot, at.q_log_q, n_marginals, image.q_log_q);
  copy(slot, at.choice, n_rows, image.choice);
  copy(slot, at.choice_log_p, n_rows, image.choice_log_p);
  copy(slot, at.path, header.n_kept, image.path);
  std::atomic_thread_fence(std::memory_order_acquire);
  return load_acquire(written) == expected;
}

std::optional<GrownRows> read_grown_word(const uint64_t* word, int64_t seq) {
  const uint64_t value = load_acquire(word);
  if (value >> 32 != static_cast<uint32_t>(seq + 1)) return std::nullopt;
  return GrownRows{static_cast<int32_t>(value >> 16 & 0xFFFF), static_cast<int32_t>(value & 0xFFFF)};
}

}  // namespace draftscope::cuda
