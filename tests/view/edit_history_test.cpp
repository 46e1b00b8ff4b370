#include "ui/view/edit_history.h"

#include <gtest/gtest.h>

#include <string>

namespace draftscope::test {
namespace {

using History = EditHistory<int>;

TEST(EditHistory, UndoAndRedoWalkTheSteps) {
  History history(1);
  EXPECT_FALSE(history.can_undo());
  EXPECT_FALSE(history.undo());
  EXPECT_EQ(history.undo_what(), "");
  history.edit(2, "two");
  history.edit(3, "three");
  EXPECT_EQ(history.undo_what(), "three");
  EXPECT_TRUE(history.undo());
  EXPECT_EQ(history.now(), 2);
  EXPECT_EQ(history.redo_what(), "three");
  EXPECT_EQ(history.undo_what(), "two");
  EXPECT_TRUE(history.undo());
  EXPECT_EQ(history.now(), 1);
  EXPECT_TRUE(history.redo());
  EXPECT_TRUE(history.redo());
  EXPECT_FALSE(history.redo());
  EXPECT_EQ(history.now(), 3);
}

TEST(EditHistory, AnEditForgetsWhatWasUndone) {
  History history(1);
  history.edit(2, "two");
  history.undo();
  history.edit(5, "five");
  EXPECT_FALSE(history.can_redo());
  EXPECT_EQ(history.now(), 5);
  history.undo();
  EXPECT_EQ(history.now(), 1);
}

TEST(EditHistory, ADragIsOneStep) {
  History history(1);
  for (int value = 10; value < 20; ++value) history.drag(value, "drag");
  EXPECT_TRUE(history.dragging());
  history.end_drag();
  EXPECT_EQ(history.now(), 19);
  for (int value = 30; value < 40; ++value) history.drag(value, "another drag");
  history.end_drag();
  history.undo();
  EXPECT_EQ(history.now(), 19) << "the second drag is a step of its own";
  history.undo();
  EXPECT_EQ(history.now(), 1);
  history.redo();
  EXPECT_EQ(history.now(), 19);
}

TEST(EditHistory, UndoWithinADragEndsIt) {
  History history(1);
  history.drag(10, "drag");
  history.undo();
  EXPECT_FALSE(history.dragging());
  history.drag(20, "drag");
  history.undo();
  EXPECT_EQ(history.now(), 1);
}

TEST(EditHistory, EveryChangeHasAVersionOfItsOwn) {
  History history(1);
  uint64_t last = history.version();
  const auto changed = [&] {
    const bool is_new = history.version() != last;
    last = history.version();
    return is_new;
  };
  history.edit(2, "two");
  EXPECT_TRUE(changed());
  history.drag(3, "drag");
  EXPECT_TRUE(changed());
  history.end_drag();
  EXPECT_FALSE(changed());
  history.undo();
  EXPECT_TRUE(changed());
  history.redo();
  EXPECT_TRUE(changed());
  history.start_over(9);
  EXPECT_TRUE(changed());
  EXPECT_FALSE(history.can_undo());
}

TEST(EditHistory, OldStepsAreForgotten) {
  History history(0, 3);
  for (int value = 1; value <= 10; ++value) history.edit(value, std::to_string(value));
  int n_undone = 0;
  while (history.undo()) ++n_undone;
  EXPECT_EQ(n_undone, 3);
  EXPECT_EQ(history.now(), 7);
}

}  // namespace
}  // namespace draftscope::test
