// The second implementation of products: which wins, what is remembered, what is said. The library is a fake whose
// products run on the emulated device.
#include "kernels/cuda/lt_matmul.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/cuda/device_act.h"
#include "tests/cuda/emulated/control.h"
#include "tests/cuda/fake_cublaslt.h"
#include "tests/cuda/scripted_clock.h"
#include "tests/temp_folder.h"

namespace draftscope::cuda {
namespace {

using reference::Table;
using reference::Weights;

constexpr int32_t kIn = 72, kOut = 136;

class FastMatmulTest : public testing::Test {
 protected:
  void SetUp() override { fake_lt() = {}; }
  FastMatmul make(const std::string& cache_folder = "") {
    Result<FastMatmul> made = make_fast_matmul(fake_table(), cache_folder, clock.timer());
    DS_CHECK(made.ok(), "{}", made.ok() ? "" : made.error());
    return *std::move(made);
  }
  ScriptedClock clock;
};

/// One product with memory of its own.
struct Case {
  Case(int32_t rows, Epilogue epilogue, bool is_normed)
      : w(reference::random_weights(DType::kBf16, kOut, kIn, 1)),
        x(reference::random_table(rows, kIn, 2)),
        before(reference::random_table(rows, kOut, 3)),
        norm(reference::random_table(1, kIn, 4)),
        on_device(w),
        in(x),
        out(before),
        norm_weight(copy_to_device(std::vector<float>(norm.data.begin(), norm.data.end()))),
        own(make_workspace(matmul_workspace_bytes(rows, kOut, kIn), kMaxCounters * sizeof(int32_t))),
        fast(static_cast<size_t>(fast_workspace_bytes(rows, kIn))) {
    args.x = in.act;
    args.w = on_device.view;
    args.out = out.act;
    args.epilogue = epilogue;
    args.workspace = own.data();
    if (is_normed) {
      args.norm_weight = norm_weight.data();
      args.eps = 1e-6f;
      square_on_host();
    }
  }
  /// In double, from activations as they enter the product.
  Table expected() const {
    const std::vector<float> weight(norm.data.begin(), norm.data.end());
    const Table multiplied = args.norm_weight != nullptr ? reference::rms_norm(x, weight, 1e-6) : x;
    Table result = reference::matmul(rounded_to_bf16(multiplied), w.values);
    for (size_t i = 0; args.epilogue == Epilogue::kAdd && i < result.data.size(); ++i) result.data[i] += before.data[i];
    return result;
  }
  bool run(const FastMatmul& products, cudaStream_t stream = nullptr) const {
    return products.run(args, fast.data(), stream);
  }

  Weights w;
  Table x, before, norm;
  DeviceWeights on_device;
  DeviceAct in, out;
  DeviceBuffer<float> norm_weight;
  DeviceBuffer<std::byte> own, fast;
  MatmulArgs args;

 private:
  void square_on_host() {
    const int32_t n_pieces = n_square_pieces(kIn);
    std::vector<float> squares(static_cast<size_t>(x.rows * n_pieces));
    for (int64_t r = 0; r < x.rows; ++r) {
      for (int64_t c = 0; c < kIn; ++c)
        squares[static_cast<size_t>(r * n_pieces + c / kSquarePiece)] += static_cast<float>(x.at(r, c) * x.at(r, c));
    }
    CUDA_CHECK(cudaMemcpy(in.act.squares, squares.data(), squares.size() * sizeof(float), cudaMemcpyHostToDevice));
  }
};

TEST_F(FastMatmulTest, TheLibrarysProductEqualsTheDefinition) {
  const FastMatmul products = make();
  for (const Epilogue epilogue : {Epilogue::kSet, Epilogue::kAdd}) {
    for (const bool is_normed : {false, true}) {
      const Case c(70, epilogue, is_normed);
      ASSERT_TRUE(c.run(products));
      // A norm in float32 rounds one element in some thousands to the other bf16 neighbour, 2^-8 away; without one only
      // the sum is rounded to float32.
      EXPECT_LT(normalised_error(c.out.table(), c.expected()), is_normed ? 1e-7 : 1e-13) << is_normed;
    }
  }
}

TEST_F(FastMatmulTest, AddKeepsTheSquaresAndSetLeavesThem) {
  const FastMatmul products = make();
  const Case add(66, Epilogue::kAdd, false), set(66, Epilogue::kSet, false);
  ASSERT_TRUE(add.run(products) && set.run(products));
  for (const float square : set.out.squares()) EXPECT_TRUE(std::isnan(square));
  const Table out = add.out.table();
  const std::vector<float> squares = add.out.squares();
  const int32_t n_pieces = n_square_pieces(kOut);
  for (int64_t r = 0; r < out.rows; ++r) {
    std::vector<double> expected(static_cast<size_t>(n_pieces));
    for (int64_t col = 0; col < kOut; ++col) {
      expected[static_cast<size_t>(col / kSquarePiece)] += out.at(r, col) * out.at(r, col);
    }
    for (int32_t piece = 0; piece < n_pieces; ++piece) {
      const double sum = expected[static_cast<size_t>(piece)];
      ASSERT_NEAR(squares[static_cast<size_t>(r * n_pieces + piece)], sum, 64 * 0x1p-24 * sum);  // 64 additions
    }
  }
}

TEST_F(FastMatmulTest, TheLeastTimeWins) {
  for (const int64_t winner : {0, 1, 2}) {
    clock.seconds = {4, 3, 3, 3};
    clock.seconds[static_cast<size_t>(winner) + 1] = 1;
    const Case c(100, Epilogue::kSet, false);
    const FastMatmul products = make();
    ASSERT_TRUE(c.run(products));
    EXPECT_EQ(fake_lt().last_algorithm, winner);
  }
}

TEST_F(FastMatmulTest, WhereOurOwnKernelsWinNothingIsEnqueued) {
  clock.seconds = {1, 3, 1, 2};
  const Case c(100, Epilogue::kAdd, false);
  EXPECT_FALSE(c.run(make()));
  EXPECT_EQ(c.out.table().data, c.before.data);  // timing wrote to memory of its own
}

TEST_F(FastMatmulTest, ARowBucketIsTimedOnce) {
  const FastMatmul products = make();
  for (const int32_t rows : {65, 128, 100, 65}) EXPECT_TRUE(Case(rows, Epilogue::kSet, false).run(products)) << rows;
  EXPECT_EQ(clock.n_asked, 4);
  EXPECT_TRUE(Case(129, Epilogue::kSet, false).run(products));
  EXPECT_EQ(clock.n_asked, 8);
}

TEST_F(FastMatmulTest, AnAlgorithmThatFailsLosesHoweverFast) {
  fake_lt().broken = 1;
  const FastMatmul products = make();
  ASSERT_TRUE(Case(100, Epilogue::kSet, false).run(products));
  EXPECT_EQ(fake_lt().last_algorithm, 2);
}

TEST_F(FastMatmulTest, AnAlgorithmThatDoesNotFitTheRowsLeavesThemToUs) {
  fake_lt().takes_part_rows = false;
  const FastMatmul products = make();
  EXPECT_FALSE(Case(100, Epilogue::kSet, false).run(products));
  EXPECT_TRUE(Case(128, Epilogue::kSet, false).run(products));
}

TEST_F(FastMatmulTest, ALibraryWithoutProposalsLeavesTheShapeToUs) {
  fake_lt().n_proposed = 0;
  EXPECT_FALSE(Case(100, Epilogue::kSet, false).run(make()));
}

TEST_F(FastMatmulTest, NothingIsChosenWhileAGraphIsRecorded) {
  const FastMatmul products = make();
  const Stream stream = make_stream();
  const Case c(80, Epilogue::kSet, false);
  bool ran = true;
  (void)capture(stream.get(), [&] { ran = c.run(products, stream.get()); });
  EXPECT_FALSE(ran);
  EXPECT_EQ(clock.n_asked, 0);

  ASSERT_TRUE(c.run(products, stream.get()));
  CUDA_CHECK(cudaMemset(c.out.act.data, 0, static_cast<size_t>(80 * kOut) * sizeof(float)));
  const GraphExec graph = capture(stream.get(), [&] { ran = c.run(products, stream.get()); });
  EXPECT_TRUE(ran);
  CUDA_CHECK(cudaGraphLaunch(graph.get(), stream.get()));
  CUDA_CHECK(cudaStreamSynchronize(stream.get()));
  EXPECT_LT(normalised_error(c.out.table(), c.expected()), 1e-13);
}

TEST_F(FastMatmulTest, ChoicesAreKeptAndNotTimedAgain) {
  const TempFolder cache;
  const Case c(100, Epilogue::kSet, false);
  EXPECT_TRUE(c.run(make(cache.path())));
  EXPECT_EQ(clock.n_asked, 4);
  fake_lt() = {};
  const FastMatmul again = make(cache.path());
  EXPECT_EQ(again.note, "");
  EXPECT_TRUE(c.run(again));
  EXPECT_EQ(clock.n_asked, 4);
  EXPECT_EQ(fake_lt().n_heuristics, 0);
  EXPECT_EQ(fake_lt().last_algorithm, 1);
}

TEST_F(FastMatmulTest, OurOwnVictoriesAreKeptToo) {
  const TempFolder cache;
  clock.seconds = {1, 2, 2, 2};
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(Case(100, Epilogue::kSet, false).run(make(cache.path())));
  EXPECT_EQ(clock.n_asked, 4);
}

TEST_F(FastMatmulTest, ADamagedFileIsSaidAndMadeAnew) {
  const TempFolder cache;
  const Case c(100, Epilogue::kSet, false);
  EXPECT_TRUE(c.run(make(cache.path())));
  cache.write("products/emulated_device.json", "{\"format\": 1, \"gpu\"");
  const FastMatmul products = make(cache.path());
  EXPECT_NE(products.note.find("emulated_device.json"), std::string::npos) << products.note;
  EXPECT_EQ(products.note.find('\n'), std::string::npos) << products.note;
  EXPECT_TRUE(c.run(products));
  EXPECT_EQ(clock.n_asked, 8);
  EXPECT_EQ(make(cache.path()).note, "");
}

TEST_F(FastMatmulTest, AnotherVersionOfTheLibraryIsTimedAgain) {
  const TempFolder cache;
  const Case c(100, Epilogue::kSet, false);
  EXPECT_TRUE(c.run(make(cache.path())));
  fake_lt().version = 130100;
  const FastMatmul newer = make(cache.path());
  EXPECT_EQ(newer.library, "cuBLASLt 13.1.0");
  EXPECT_NE(newer.note.find("cuBLASLt 130100, found those of "), std::string::npos) << newer.note;
  EXPECT_TRUE(c.run(newer));
  EXPECT_EQ(clock.n_asked, 8);
  EXPECT_EQ(make(cache.path()).note, "");
}

TEST_F(FastMatmulTest, ActivationsThatAreNotAlignedStayOurs) {
  const FastMatmul products = make();
  const Case c(100, Epilogue::kSet, false);
  MatmulArgs shifted = c.args;
  ++shifted.out.data;
  EXPECT_FALSE(products.run(shifted, c.fast.data(), nullptr));
  EXPECT_EQ(fake_lt().n_products, 0);
}

TEST_F(FastMatmulTest, ActivationsKeptAsBf16AreMultipliedAsTheyLie) {
  const FastMatmul products = make();
  const Case floats(100, Epilogue::kAdd, false);
  Case halves(100, Epilogue::kAdd, false);
  const DeviceBf16 x(halves.x);
  halves.args.x = x.act;
  ASSERT_TRUE(floats.run(products) && halves.run(products));
  EXPECT_EQ(halves.out.values(), floats.out.values());
  EXPECT_EQ(halves.out.squares(), floats.out.squares());
  halves.args.x.bf16 += 8;  // not where the library expects it
  EXPECT_FALSE(halves.run(products));
  // The first to ask for a shape has it timed.
  fake_lt() = {};
  const DeviceBf16 again(floats.x);
  Case first(100, Epilogue::kAdd, false);
  first.args.x = again.act;
  ASSERT_TRUE(first.run(make()));
  EXPECT_EQ(fake_lt().n_products, 4);
}

TEST_F(FastMatmulTest, AFolderThatTakesNoFileIsSaid) {
  const TempFolder cache;
  cache.write("file", "");
  const FastMatmul products = make(cache / "file");
  EXPECT_NE(products.note.find("; new times are not kept"), std::string::npos) << products.note;
  EXPECT_TRUE(Case(100, Epilogue::kSet, false).run(products));
}

TEST_F(FastMatmulTest, WithoutMemoryToCompareInTheProductIsOurs) {
  const FastMatmul products = make();
  const Case c(100, Epilogue::kSet, false), later(110, Epilogue::kSet, false);
  emulated::set_memory_bytes(emulated::live_bytes() + 1000);
  EXPECT_FALSE(c.run(products));
  emulated::set_memory_bytes(size_t{8} << 30);
  EXPECT_TRUE(later.run(products));  // what had no room was not remembered for the bucket
}

TEST_F(FastMatmulTest, EveryHandleIsGivenBack) {
  EXPECT_TRUE(Case(100, Epilogue::kSet, false).run(make()));
  EXPECT_EQ(fake_lt().n_live, 0);
}

TEST(TimeByEvents, CountsTheWorkAndNotWhatComesBefore) {
  const Stream stream = make_stream();
  int n_runs = 0;
  const auto sleep_ms = [](int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); };
  const double seconds = time_by_events(stream.get(), [&] { sleep_ms(50); }, [&] { ++n_runs, sleep_ms(2); });
  EXPECT_EQ(n_runs, 6);
  EXPECT_GE(seconds, 0.002);
  EXPECT_LT(seconds, 0.050);
}

TEST(FastTakes, PassesOfManyRowsInBf16AndNoGatedMlp) {
  MatmulArgs args;
  args.x.rows = kTileRows + 1;
  EXPECT_TRUE(fast_takes(args));
  args.epilogue = Epilogue::kAdd;
  EXPECT_TRUE(fast_takes(args));
  args.epilogue = Epilogue::kSwiGlu;
  EXPECT_FALSE(fast_takes(args));
  args.epilogue = Epilogue::kSet;
  args.x.rows = kTileRows;
  EXPECT_FALSE(fast_takes(args));
  args.x.rows = kTileRows + 1;
  args.precision = Precision::kF32;
  EXPECT_FALSE(fast_takes(args));
  args.precision = Precision::kBf16;
  args.w.is_bf16 = false;
  EXPECT_FALSE(fast_takes(args));
}

TEST(OpenCublasLt, AMissingLibraryOrFunctionIsOneSentence) {
  const char* const none[] = {"libnone-of-this-name.so.2", "libnone-of-this-name.so.1"};
  const Result<LtTable> missing = open_cublaslt(none);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error(),
            "cuBLASLt: expected libnone-of-this-name.so.2 or libnone-of-this-name.so.1, found no such library");
  const char* const other[] = {"libnone-of-this-name.so.2", "libm.so.6"};
  const Result<LtTable> wrong = open_cublaslt(other);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error(), "cuBLASLt: libm.so.6: expected the function cublasLtCreate, found none");
}

TEST_F(FastMatmulTest, ALibraryThatDoesNotStartIsOneSentence) {
  fake_lt().starts = false;
  const Result<FastMatmul> made = make_fast_matmul(fake_table(), "", clock.timer());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error(), "cuBLASLt 13.0.2: expected it to start, found: the library was not initialized");
}

}  // namespace
}  // namespace draftscope::cuda
