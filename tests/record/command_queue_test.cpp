#include "engine/record/command_queue.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace draftscope {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(CommandQueue, GivesCommandsInOrder) {
  CommandQueue queue;
  EXPECT_FALSE(queue.try_pop());
  StartCommand start;
  start.prompt_utf8 = "你好";
  EXPECT_TRUE(queue.push(start));
  EXPECT_TRUE(queue.push(StepCommand{}));
  const std::optional<Command> first = queue.try_pop();
  ASSERT_TRUE(first);
  EXPECT_EQ(std::get<StartCommand>(*first).prompt_utf8, "你好");
  const std::optional<Command> second = queue.wait_pop(milliseconds(0));
  ASSERT_TRUE(second);
  EXPECT_TRUE(std::holds_alternative<StepCommand>(*second));
  EXPECT_FALSE(queue.try_pop());
}

TEST(CommandQueue, WaitsForTheTimeoutAndNoLonger) {
  CommandQueue queue;
  const auto begin = steady_clock::now();
  EXPECT_FALSE(queue.wait_pop(milliseconds(30)));
  EXPECT_GE(steady_clock::now() - begin, milliseconds(30));
}

TEST(CommandQueue, WakesForACommandAndForTheEnd) {
  CommandQueue queue;
  const auto begin = steady_clock::now();
  std::thread sender([&] {
    std::this_thread::sleep_for(milliseconds(20));
    queue.push(ResumeCommand{});
    std::this_thread::sleep_for(milliseconds(20));
    queue.close();
  });
  const std::optional<Command> command = queue.wait_pop(std::chrono::hours(1));
  ASSERT_TRUE(command);
  EXPECT_TRUE(std::holds_alternative<ResumeCommand>(*command));
  EXPECT_FALSE(queue.wait_pop(std::chrono::hours(1)));
  EXPECT_TRUE(queue.closed());
  sender.join();
  EXPECT_LT(steady_clock::now() - begin, std::chrono::minutes(1));
}

TEST(CommandQueue, ClosedQueueGivesTheRestAndTakesNothing) {
  CommandQueue queue;
  queue.push(PauseCommand{});
  queue.close();
  EXPECT_FALSE(queue.push(StepCommand{}));
  EXPECT_TRUE(queue.try_pop());
  EXPECT_FALSE(queue.try_pop());
}

TEST(CommandQueue, TakesCommandsFromManyThreads) {
  constexpr int kThreads = 4, kEach = 2000;
  CommandQueue queue;
  std::vector<std::thread> senders;
  for (int t = 0; t < kThreads; ++t) {
    senders.emplace_back([&queue, t] {
      for (int i = 0; i < kEach; ++i) queue.push(SetMethodCommand{Method::kDdtree, t * kEach + i});
    });
  }
  std::vector<int32_t> last(kThreads, -1);
  for (int n = 0; n < kThreads * kEach; ++n) {
    const std::optional<Command> command = queue.wait_pop(std::chrono::seconds(60));
    ASSERT_TRUE(command);
    const int32_t number = std::get<SetMethodCommand>(*command).budget;
    EXPECT_GT(number % kEach, last[number / kEach]) << "each thread's commands keep their order";
    last[number / kEach] = number % kEach;
  }
  for (std::thread& sender : senders) sender.join();
  EXPECT_FALSE(queue.try_pop());
}

}  // namespace
}  // namespace draftscope
