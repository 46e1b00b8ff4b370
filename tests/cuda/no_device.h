// What must be said, and done, on a machine without a usable GPU.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "kernels/cuda/cuda_backend.h"
#include "tests/engine/test_pair.h"

namespace draftscope {

/// Requires that no device can be used now: one sentence says why, asking for CUDA fails with it, and leaving the choice to
/// the program takes the CPU and keeps it.
inline void expect_no_device() {
  const Result<std::string> device = cuda_device();
  ASSERT_FALSE(device);
  const std::string& sentence = device.error();
  EXPECT_EQ(sentence.rfind("no CUDA device: ", 0), 0u) << sentence;
  EXPECT_EQ(sentence.find('\n'), std::string::npos) << sentence;
  EXPECT_GT(sentence.size(), 25u) << "a reason, not only that";

  PairOptions options;
  options.target_dir = test_pair_dir("target");
  options.needs_tokenizer = false;
  options.backend = BackendChoice::kCuda;
  const Result<Pair> on_cuda = open_pair(options);
  ASSERT_FALSE(on_cuda);
  EXPECT_EQ(on_cuda.error(), sentence);
  options.backend = BackendChoice::kAuto;
  const Result<Pair> left_open = open_pair(options);
  ASSERT_TRUE(left_open) << left_open.error();
  EXPECT_EQ(left_open->backend_note, sentence + "; using the CPU");
  options.numerics = Numerics::kFastest;
  const Result<Pair> fastest = open_pair(options);
  ASSERT_TRUE(fastest) << fastest.error();
  EXPECT_EQ(fastest->backend_note, sentence + "; using the CPU, whose numerics are always invariant");
  EXPECT_EQ(left_open->backend->describe().rfind("cpu", 0), 0u) << left_open->backend->describe();
}

}  // namespace draftscope
