#include "engine/record/live_queue.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>

namespace draftscope {
namespace {

// A frame that holds one number, several times over so that a torn frame would show.
EncodedFrame frame_of(uint64_t number) {
  EncodedFrame frame(sizeof(number) * (1 + number % 7));
  for (size_t i = 0; i < frame.size(); i += sizeof(number))
    std::memcpy(frame.data() + i, &number, sizeof(number));
  return frame;
}
uint64_t number_of(const EncodedFrame& frame) {
  uint64_t number = 0;
  std::memcpy(&number, frame.data(), sizeof(number));
  return number;
}

TEST(LiveQueue, GivesFramesInOrderAndNothingWhenEmpty) {
  LiveQueue queue(4);
  EXPECT_FALSE(queue.pop());
  for (uint64_t round = 0; round < 50; ++round) {
    ASSERT_TRUE(queue.push(frame_of(2 * round)));
    ASSERT_TRUE(queue.push(frame_of(2 * round + 1)));
    EXPECT_EQ(queue.pop(), frame_of(2 * round));
    EXPECT_EQ(queue.pop(), frame_of(2 * round + 1));
    EXPECT_FALSE(queue.pop());
  }
}

TEST(LiveQueue, SkipsRoundsWhenFullAndKeepsRoomForControlFrames) {
  LiveQueue queue(3);
  for (uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(queue.push(frame_of(i)));
  EncodedFrame late = frame_of(99);
  EXPECT_FALSE(queue.push(std::move(late)));
  EXPECT_EQ(late, frame_of(99)) << "a refused frame stays with the producer";  // NOLINT: that is the promise
  for (uint64_t i = 0; i < LiveQueue::kControlSlots; ++i) ASSERT_TRUE(queue.push_control(frame_of(100 + i)));
  EXPECT_FALSE(queue.push_control(std::move(late)));
  for (uint64_t i = 0; i < 3; ++i) EXPECT_EQ(queue.pop(), frame_of(i));
  EXPECT_FALSE(queue.push(frame_of(50))) << "control frames still fill the room of the rounds";
  for (uint64_t i = 0; i < LiveQueue::kControlSlots; ++i) EXPECT_EQ(queue.pop(), frame_of(100 + i));
  EXPECT_TRUE(queue.push(frame_of(51)));
  EXPECT_EQ(queue.pop(), frame_of(51));
}

// Run under the thread sanitizer too (preset tsan).
TEST(LiveQueue, TwoThreadsLoseOnlyWhatWasRefused) {
  constexpr uint64_t kFrames = 200'000;
  LiveQueue queue(8);
  uint64_t n_refused = 0;
  std::thread producer([&] {
    for (uint64_t i = 0; i < kFrames; ++i) {
      const bool control = i % 100 == 0 || i + 1 == kFrames;
      EncodedFrame frame = frame_of(i);
      if (!control) {
        if (!queue.push(std::move(frame))) ++n_refused;
        continue;
      }
      while (!queue.push_control(std::move(frame))) std::this_thread::yield();
    }
  });
  uint64_t n_received = 0, n_control = 0, next = 0;
  while (next < kFrames) {
    const std::optional<EncodedFrame> frame = queue.pop();
    if (!frame) {
      std::this_thread::yield();
      continue;
    }
    const uint64_t number = number_of(*frame);
    ASSERT_GE(number, next);
    ASSERT_EQ(*frame, frame_of(number));
    next = number + 1;
    ++n_received;
    if (number % 100 == 0 || number + 1 == kFrames) ++n_control;
  }
  producer.join();
  EXPECT_EQ(n_received + n_refused, kFrames);
  EXPECT_EQ(n_control, kFrames / 100 + 1);
}

}  // namespace
}  // namespace draftscope
