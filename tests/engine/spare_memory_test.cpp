// Spare memory: the next session works in what the last one left, where that suits, and decodes what it would decode.
#include "engine/spare_memory.h"

#include <gtest/gtest.h>

#include "engine/session.h"
#include "tests/engine/passes.h"
#include "tests/engine/test_pair.h"

namespace draftscope {
namespace {

class Spare : public testing::Test {
 protected:
  /// Decodes, and leaves its memory.
  std::vector<int32_t> decode(const std::vector<int32_t>& prompt, Method method = Method::kExact) const {
    SessionOptions options;
    options.rule.method = method;
    options.rule.max_nodes = kPromptRows - 1;  // so that passes are as wide as a prompt's
    options.max_tokens = 20;
    options.stop_ids.emplace();
    Session session = golden::must(Session::start(pair_, prompt, options));
    while (!session.done()) session.round();
    return session.output();
  }
  SessionMemory take(int32_t capacity, int32_t max_rows = kPromptRows) const {
    return pair_.spare->take(pair_, capacity, max_rows);
  }
  /// Keeps memory for `capacity` rows and says where it lies.
  const PairMemory* keep(int32_t capacity) const {
    SessionMemory memory = take(capacity);
    const PairMemory* at = memory.memory.get();
    memory.memory->target_kv.length = memory.memory->drafter_kv.length = memory.memory->n_new_features = 3;
    pair_.spare->keep(pair_, std::move(memory));
    return at;
  }

  Pair pair_ = open_test_pair(Precision::kBf16);
};

/// Looks, when it goes, whether what it would point into is still there.
class LookingLoop final : public RoundLoop {
 public:
  LookingLoop(std::weak_ptr<KvStore> cache, bool& went_first) : cache_(std::move(cache)), went_first_(went_first) {}
  ~LookingLoop() override { went_first_ = !cache_.expired(); }
  void set_cost(const CostGrid&) override {}
  void set_params(const RoundParams&) override {}
  void begin(std::span<const RoundStart>) override {}
  std::span<const RoundImage> next() override { return {}; }

 private:
  std::weak_ptr<KvStore> cache_;
  bool& went_first_;
};

TEST_F(Spare, ServesTextsThatFitAsIfItWereNew) {
  const PairMemory* kept = keep(100);
  const SessionMemory next = take(80);
  EXPECT_EQ(next.memory.get(), kept);
  EXPECT_EQ(next.memory->target_kv.length + next.memory->drafter_kv.length + next.memory->n_new_features, 0);
  EXPECT_EQ(take(80).memory->capacity, 80) << "it is given away once";
}

TEST_F(Spare, IsGivenBackWhereItDoesNotSuit) {
  keep(100);
  EXPECT_EQ(take(101).memory->capacity, 101);
  keep(100);
  EXPECT_EQ(take(80, kPromptRows + 1).memory->capacity, 80) << "passes of more rows";
  keep(100);
  pair_.spare->drop();
  EXPECT_EQ(take(80).memory->capacity, 80);
  keep(100);
  const Pair moved = std::move(pair_);
  EXPECT_EQ(moved.spare->take(moved, 80, kPromptRows).memory->capacity, 80) << "a loop would point to where the pair was";
}

TEST_F(Spare, ALoopGoesBeforeTheMemoryThatItPointsInto) {
  bool went_first = false;
  SessionMemory one = take(80), other = take(80);
  one.sized.loop = std::make_unique<LookingLoop>(one.memory->target_kv.store, went_first);
  pair_.spare->keep(pair_, std::move(one));
  pair_.spare->keep(pair_, std::move(other));
  EXPECT_TRUE(went_first);
}

TEST_F(Spare, LeavesNoTraceInTheNextText) {
  const std::vector<int32_t> longer = golden::counting(5, 60), shorter = golden::counting(9, 7);
  const std::vector<int32_t> first = decode(shorter), of_longer = decode(longer);
  const int32_t capacity = take(1).memory->capacity;
  EXPECT_GE(capacity, 60 + 20) << "the last session left it";
  EXPECT_EQ(decode(longer), of_longer);
  for (const Method method : {Method::kExact, Method::kPlain, Method::kDdtree}) EXPECT_EQ(decode(shorter, method), first);
}

}  // namespace
}  // namespace draftscope
