// Whole rounds: the drafter's rows, the state from round to round, and the records in the ring.
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "engine/sampler.h"
#include "engine/speculate/accept.h"
#include "engine/speculate/grow.h"
#include "tests/cuda/round_case.h"

namespace draftscope::cuda {
namespace {

constexpr int32_t kNodes = 30, kDepths = 5, kRanks = 6;

// What the host knows of one round.
struct HostRound {
  Marginals q;
  DraftTree tree;
  std::vector<int32_t> choice;
  Accepted accepted;
  int32_t context_len = 0;
};

// The target answers with a likely child, or with a token outside the tree.
std::vector<int32_t> random_choices(std::mt19937& random, const Marginals& q, const DraftTree& tree, int32_t rows) {
  std::vector<int32_t> choice;
  for (int32_t row = 0; row < rows; ++row) {
    const int32_t depth = row < tree.size() ? tree.depth[static_cast<size_t>(row)] : kDepths;
    const bool follows = depth < kDepths && random() % 5 != 0;
    choice.push_back(follows ? q.token_at(depth, static_cast<int32_t>(random() % 2)) : 7000 + row);
  }
  return choice;
}

// One round on the device from its own state, with made-up passes.
HostRound run_round(DeviceRound& round, std::mt19937& random) {
  HostRound host;
  host.context_len = text_of(round.view).context_len;
  host.q = realistic_marginals(random, kDepths, kRanks);
  round.set_marginals(host.q);
  grow(round.view, nullptr);
  round.read_back();
  host.tree = round.tree();
  host.choice = random_choices(random, host.q, host.tree, round.state.bucket);
  put(host.choice, round.view.answer.token);
  put(std::vector<float>(host.choice.size(), -0.5f), round.view.answer.log_p);
  begin_verify(round.view, nullptr);
  accept(round.view, round.state.bucket, nullptr);
  finish(round.view, nullptr);
  CUDA_CHECK(cudaStreamSynchronize(nullptr));
  host.choice.resize(static_cast<size_t>(round.state.n_chosen) + 1);
  host.accepted = draftscope::accept(host.tree, host.choice);
  return host;
}

void expect_image(const RoundImage& image, const HostRound& host, int64_t seq) {
  const SlotHeader& header = image.header;
  EXPECT_EQ(header.seq, seq);
  EXPECT_EQ(header.context_len, host.context_len);
  EXPECT_EQ(header.root_token, host.tree.token[0]);
  EXPECT_EQ(header.n_chosen + 1, static_cast<int32_t>(host.choice.size()));
  EXPECT_EQ(header.stop, RoundStop::kFixedBudget);
  EXPECT_EQ(header.bonus, host.accepted.bonus);
  expect_same_tree({image.token, image.parent, image.depth, image.rank, image.path_log_q}, host.tree);
  EXPECT_EQ(image.choice, host.choice);
  EXPECT_EQ(image.choice_log_p, std::vector<float>(host.choice.size(), -0.5f));
  EXPECT_EQ(image.path, host.accepted.path);
  const Marginals first = first_ranks(host.q, 4);
  EXPECT_EQ(std::pair(header.n_depths, header.n_ranks), std::pair(first.n_depths, first.n_ranks));
  EXPECT_EQ(image.q_token, first.token);
  EXPECT_EQ(image.q_log_q, first.log_q);
  for (int32_t mark = 1; mark < kMarks; ++mark) {
    EXPECT_GE(header.mark_ns[mark], header.mark_ns[mark - 1]) << "mark " << mark;
  }
}

TEST(RoundPublish, RoundsFollowOneAnother) {
  std::mt19937 random(31);
  DeviceRound round(realistic_marginals(random, kDepths, kRanks), kNodes);
  round.set_rule({.method = Method::kDdtree, .budget = 20, .max_nodes = kNodes});
  round.texts[0] = {.context_len = 11, .root_token = 3, .drafter_len = 11};
  round.upload();
  int32_t context_len = 11, root_token = 3, drafter_len = 11, n_new = 0;
  for (int64_t seq = 0; seq < 20; ++seq) {
    RoundImage image;
    EXPECT_FALSE(round.buffers.read(seq, 0, image));
    const HostRound host = run_round(round, random);
    ASSERT_TRUE(round.buffers.read(seq, 0, image));
    SCOPED_TRACE(seq);
    EXPECT_EQ(host.context_len, context_len);
    EXPECT_EQ(host.tree.token[0], root_token);
    expect_image(image, host, seq);
    if (seq > 0) {
      EXPECT_TRUE(round.buffers.read(seq - 1, 0, image)) << "two slots keep two rounds";
    }
    if (seq > 1) {
      EXPECT_FALSE(round.buffers.read(seq - 2, 0, image));
    }
    context_len += static_cast<int32_t>(host.accepted.path.size());
    root_token = host.accepted.bonus;
    drafter_len += n_new;
    n_new = static_cast<int32_t>(host.accepted.path.size());
    const TextRound text = text_of(round.view);
    EXPECT_EQ(text.context_len, context_len);
    EXPECT_EQ(text.root_token, root_token);
    EXPECT_EQ(text.drafter_len, drafter_len);
    EXPECT_EQ(text.n_new, n_new);
  }
}

TEST(RoundPublish, APlainRoundCarriesNoMarginals) {
  std::mt19937 random(32);
  DeviceRound round(realistic_marginals(random, kDepths, kRanks), kNodes);
  round.set_rule({.method = Method::kPlain, .max_nodes = kNodes});
  round.params.has_draft = 0;
  round.upload();
  const HostRound host = run_round(round, random);
  RoundImage image;
  ASSERT_TRUE(round.buffers.read(0, 0, image));
  EXPECT_EQ(image.header.n_depths, 0);
  EXPECT_TRUE(image.q_token.empty());
  EXPECT_EQ(image.path, std::vector<int32_t>{0});
  EXPECT_EQ(image.header.bonus, host.choice[0]);
}

TEST(RoundPublish, ASlotThatIsBeingWrittenIsNotRead) {
  std::mt19937 random(33);
  DeviceRound round(realistic_marginals(random, kDepths, kRanks), kNodes);
  round.set_rule({.method = Method::kDdtree, .budget = 9, .max_nodes = kNodes});
  round.upload();
  run_round(round, random);
  RoundImage image;
  ASSERT_TRUE(round.buffers.read(0, 0, image));
  SlotHeader header = image.header;
  for (int32_t SlotHeader::* field : {&SlotHeader::n_grown, &SlotHeader::n_chosen, &SlotHeader::n_depths,
                                      &SlotHeader::n_ranks, &SlotHeader::n_kept}) {
    SlotHeader torn = header;
    torn.*field = 1 << 20;
    std::memcpy(round.view.ring.slots, &torn, sizeof torn);
    EXPECT_FALSE(round.buffers.read(0, 0, image));
  }
  header.written = 0;
  std::memcpy(round.view.ring.slots, &header, sizeof header);
  EXPECT_FALSE(round.buffers.read(0, 0, image));
}

// Rows of a drafter pass in device memory.
struct PassRows {
  explicit PassRows(int32_t n) : memory(static_cast<size_t>(5 * n)), n_rows(n) {}
  RowsArrays arrays() const {
    int32_t* at = memory.data();
    return {at, at + n_rows, at + 2 * n_rows, at + 3 * n_rows, at + 4 * n_rows, nullptr, n_rows};
  }
  DeviceBuffer<int32_t> memory;
  int32_t n_rows;
};

TEST(RoundDraft, RowsOfContextAndBlock) {
  constexpr int32_t kBlock = 6, kWindow = 4, kMask = 99;
  std::mt19937 random(34);
  DeviceRound round(realistic_marginals(random, kDepths, kRanks), kNodes);
  const PassRows context(kDepths + 1), block(kBlock), windowed(kBlock);
  round.texts[0] = {.context_len = 13, .root_token = 3, .drafter_len = 10, .n_new = 3};
  round.upload();
  draft_rows(round.view, {context.arrays(), block.arrays(), windowed.arrays(), kWindow, kMask}, nullptr);

  const auto column = [](int32_t* from, int32_t n) { return get(from, n); };
  const RowsArrays c = context.arrays(), b = block.arrays(), w = windowed.arrays();
  EXPECT_EQ(column(c.position, 6), (std::vector<int32_t>{10, 11, 12, 0, 0, 0}));
  EXPECT_EQ(column(c.cache_row, 6), (std::vector<int32_t>{10, 11, 12, kNoCacheRow, kNoCacheRow, kNoCacheRow}));
  EXPECT_EQ(column(c.n_contiguous, 6), (std::vector<int32_t>{11, 12, 13, 1, 1, 1}));
  for (const RowsArrays& rows : {b, w}) {
    EXPECT_EQ(column(rows.token, 6), (std::vector<int32_t>{3, kMask, kMask, kMask, kMask, kMask}));
    EXPECT_EQ(column(rows.position, 6), (std::vector<int32_t>{13, 14, 15, 16, 17, 18}));
    EXPECT_EQ(column(rows.cache_row, 6), (std::vector<int32_t>{13, 14, 15, 16, 17, 18}));
  }
  EXPECT_EQ(column(b.first_key, 6), std::vector<int32_t>(6, 0));
  EXPECT_EQ(column(b.n_contiguous, 6), std::vector<int32_t>(6, 19));
  EXPECT_EQ(column(w.first_key, 6), (std::vector<int32_t>{10, 11, 12, 13, 14, 15}));
  EXPECT_EQ(column(w.n_contiguous, 6), (std::vector<int32_t>{9, 8, 7, 6, 5, 4}));
}

}  // namespace
}  // namespace draftscope::cuda
