// The product of bf16 weights with activations on tensor cores: the loop that matmul and the head share.
//
// Tokens are the 16-row operand of mma.m16n8k16 and weight rows its 8 columns, so that up to 64 tokens cost one pass
// over the weights. Weights are taken as they lie in memory: of a block of 32 inputs, a lane gives step s inputs
// 8t + 4s .. 8t + 4s + 3 where the instruction says 2t, 2t + 1, 2t + 8, 2t + 9, in both operands: the same sum in
// another order. Its share of a weight row is then 16 consecutive bytes, whose words are registers of the instruction.
//
// The order of a sum is the same for any number of tokens and any shape of block: blocks of 32 inputs ascending from the
// split's first, padded with zeros to whole units of 256.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <type_traits>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/matmul.h"
#include "kernels/cuda/memory.cuh"
#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/norm.cuh"

namespace draftscope::cuda {

constexpr int kWarpOut = 32;  // outputs of a warp, as kEights times 8
constexpr int kEights = kWarpOut / 8;

/// How activations come to a product.
enum class Inputs : uint8_t {
  kFloat,   // float32, to be rounded
  kNormed,  // float32, to be normalised and rounded
  kBf16,    // as they are multiplied
};

/// What is multiplied.
struct ProductInput {
  const float* x;        // (rows, n_in)
  const uint16_t* bf16;  // the same for Inputs::kBf16
  // Where x is normalised on its way in:
  const float* norm_weight;  // (n_in,)
  const float* squares;      // (rows, n_square_pieces(n_in))
  float eps;
  const uint4* w;  // (n_out, n_in) bf16
  int32_t rows, n_out, n_in;
};

/// The part of a product that one block computes: tokens from first_row, outputs from first_out, inputs
/// [first_in, first_in + n_units * kUnitIn).
struct ProductPart {
  int32_t first_row, first_out, first_in, n_units;
};

/// A thread's sums: sums[q][j][2 * h + p] is of output place.out(q) + p and token place.token(j, h).
template <int kGroups>
using ProductSums = float[kEights][kGroups][4];

struct SumPlace {
  int32_t first_out, first_token;
  __device__ explicit SumPlace(const ProductPart& part)
      : first_out(part.first_out + static_cast<int32_t>(threadIdx.x) / kWarp * kWarpOut +
                  static_cast<int32_t>(threadIdx.x) % 4 * 2),
        first_token(static_cast<int32_t>(threadIdx.x) % kWarp / 4) {}
  __device__ int32_t out(int q) const { return first_out + 8 * q; }
  __device__ int32_t token(int j, int h) const { return first_token + 16 * j + 8 * h; }  // from part.first_row on
};

/// A lane's 16 bytes of each of its weight rows, of eight blocks of 32 inputs, in shared memory that no other thread
/// touches: 64 KiB of every four warps are always on their way, and no barrier stops them.
template <int kThreads>
class WeightRing {
 public:
  static constexpr int kBlocks = 8;
  static constexpr int kVectors = kBlocks * kEights * kThreads;

  /// Begins with the part's first kBlocks blocks.
  __device__ WeightRing(const ProductInput& in, const ProductPart& part, uint4* shared)
      : ring_(shared + threadIdx.x),
        next_in_(part.first_in + 8 * (static_cast<int32_t>(threadIdx.x) % 4)),
        end_in_(min(part.first_in + part.n_units * kUnitIn, in.n_in)) {
    const SumPlace place(part);
    const int32_t first_row = place.first_out - static_cast<int32_t>(threadIdx.x) % 4 * 2 + place.first_token;
#pragma unroll
    for (int q = 0; q < kEights; ++q) {  // rows past the end repeat the last one; nobody looks at their sums
      const int64_t row = min(first_row + 8 * q, in.n_out - 1);
      next_[q] = in.w + row * (in.n_in / 8) + next_in_ / 8;
    }
    for (int slot = 0; slot < kBlocks; ++slot) refill(slot);
  }
  /// Begins to fetch the next block into a slot that is done with.
  __device__ __forceinline__ void refill(int slot) {
#pragma unroll
    for (int q = 0; q < kEights; ++q) {
      start_copy(&ring_[(slot * kEights + q) * kThreads], next_[q], next_in_ < end_in_);
      next_[q] += 4;
    }
    next_in_ += 32;
    close_batch();
  }
  /// The oldest block, once it has arrived.
  __device__ __forceinline__ void wait(int slot, uint4 (&w)[kEights]) const {
    wait_for_batches<kBlocks - 1>();
#pragma unroll
    for (int q = 0; q < kEights; ++q) w[q] = ring_[(slot * kEights + q) * kThreads];
  }

 private:
  uint4* ring_;
  int32_t next_in_, end_in_;
  const uint4* next_[kEights];
};

/// From a lane's vector of the first step to that of the second. Two more than a warp, so that neighbours of either step can
/// be written together without meeting in a bank.
constexpr int kStepVectors = kWarp + 2;
constexpr int kGroupVectors = kStepVectors + kWarp;  // of 16 bytes: activations of a block of 32 inputs of 16 tokens

/// A thread block of kWarps warps that multiplies the weights of its kTile outputs with up to kTokens tokens. Tokens are
/// read anew by every block, from L2: blocks of many tokens are wide, so that these reads do not outweigh the weights.
template <int kGroupsOf16, int kWarpsOfBlock>
struct ProductShape {
  static constexpr int kGroups = kGroupsOf16, kWarps = kWarpsOfBlock;
  static constexpr int kTokens = 16 * kGroups;
  static constexpr int kThreads = kWarps * kWarp;
  static constexpr int kTile = kWarps * kWarpOut;
  static constexpr int kPerProcessor = kWarps > 4 ? 1 : 2;  // blocks of a multiprocessor that registers allow
  static constexpr int kBlocks = kGroups == 1 ? 8 : 4;  // of 32 inputs, a chunk: its activations are in shared memory
  static constexpr int kChunk = 32 * kBlocks;
  static constexpr int kBlockVectors = kGroups * kGroupVectors;
  static constexpr int kBuffer = kBlocks * kBlockVectors;
  static constexpr int kShares = kBlocks * kGroups / kWarps;  // (block, group) pairs of a warp, per chunk
  static constexpr int kShareBlocks = kBlocks / kShares;  // blocks that are multiplied while a share is on its way
  using Ring = WeightRing<kThreads>;
  using Sums = ProductSums<kGroups>;
  static constexpr int kSharedVectors = 2 * kBuffer + Ring::kVectors;  // of 16 bytes, of shared memory
  static constexpr int kSplitVectors = kEights * kGroups * kThreads;   // the sums of a split
  static constexpr int kSplitsThatFit = kSharedVectors / kSplitVectors;
  static constexpr int kSplitsAhead = kSplitsThatFit < 8 ? kSplitsThatFit : 8;  // on their way to the block that adds them
  static constexpr size_t kSharedBytes = kSharedVectors * sizeof(uint4) + kTokens * sizeof(float);
};

constexpr int32_t kWideBlocks = 64;  // fewer would leave half of the multiprocessors of an H100 or H200 idle

/// Hands `take` the shape of the blocks for that many rows. All shapes add in the same order, so the choice decides no bit.
template <class Take>
void with_product_shape(int32_t rows, int32_t n_out, int32_t n_splits, const Take& take) {
  using Wide = ProductShape<4, 8>;
  switch (n_groups(rows)) {
    case 1:
      return take(ProductShape<1, 4>());
    case 2:
      return take(ProductShape<2, 4>());
    default:
      // A wide block would also add up a split's sums for twice as many outputs, while others have nothing to do.
      if (n_splits == 1 && ceil_div(n_out, Wide::kTile) >= kWideBlocks && Wide::kSharedBytes <= most_shared_bytes())
        return take(Wide());
      return take(ProductShape<4, 4>());
  }
}

/// A lane's share of 32 neighbours: of floats four and the four that are 16 behind them, so that a load of four lanes is of
/// whole sectors; of bf16 eight in one. What is not before `end` is 0, and not read.
struct Float8 {
  float4 low, high;
};
constexpr int kHighIn = 16;  // inputs from `low` to `high`
__device__ __forceinline__ Float8 load_eight(const float* from, int32_t in, int32_t end) {
  const auto* vectors = reinterpret_cast<const float4*>(from + in);
  const float4 zero = make_float4(0, 0, 0, 0);
  return {in < end ? vectors[0] : zero, in + kHighIn < end ? vectors[kHighIn / 4] : zero};
}
__device__ __forceinline__ uint4 load_eight(const uint16_t* from, int32_t in, int32_t end) {
  return in < end ? *reinterpret_cast<const uint4*>(from + in) : make_uint4(0, 0, 0, 0);
}
__device__ __forceinline__ uint4 as_bf16(const Float8& x) {
  return make_uint4(pack_bf16(x.low.x, x.low.y), pack_bf16(x.low.z, x.low.w), pack_bf16(x.high.x, x.high.y),
                    pack_bf16(x.high.z, x.high.w));
}
__device__ __forceinline__ uint4 as_bf16(uint4 x) { return x; }
__device__ __forceinline__ float4 scaled(float4 x, float scale, float4 weight) {
  return make_float4(x.x * scale * weight.x, x.y * scale * weight.y, x.z * scale * weight.z, x.w * scale * weight.w);
}
__device__ __forceinline__ Float8 scaled(Float8 x, float scale, Float8 weight) {
  return {scaled(x.low, scale, weight.low), scaled(x.high, scale, weight.high)};
}

/// Brings activations from memory to shared memory, as bf16 in the order in which lanes multiply them: (block, group,
/// step, lane) vectors. A share is a block's inputs of 16 tokens; lane 4g + t brings eight of token g and of token g + 8.
/// In step s a lane multiplies inputs 8t + 4s .. 8t + 4s + 3.
template <class Shape, Inputs kInputs>
class ActivationMover {
  static constexpr bool kBf16 = kInputs == Inputs::kBf16;
  using Number = std::conditional_t<kBf16, uint16_t, float>;
  using Eight = std::conditional_t<kBf16, uint4, Float8>;

 public:
  /// On its way, in registers.
  struct Share {
    Eight x, y;  // of tokens g and g + 8
    Float8 norm_weight;
  };
  __device__ ActivationMover(const ProductInput& in, const ProductPart& part)
      : warp_(static_cast<int>(threadIdx.x) / kWarp),
        lane_(static_cast<int>(threadIdx.x) % kWarp),
        n_tokens_(in.rows - part.first_row),
        n_in_(in.n_in),
        norm_weight_(in.norm_weight) {
    if constexpr (kBf16) from_ = in.bf16;
    else from_ = in.x;
    from_ += static_cast<int64_t>(part.first_row + lane_ / 4) * in.n_in;
  }

  /// Share i of the warp, of the chunk from input first_in on; zeros from end_in on and past the last token.
  __device__ __forceinline__ Share load(int i, int32_t first_in, int32_t end_in) const {
    const int token = lane_ / 4 + 16 * group(i);
    const int32_t in = first_in + 32 * block(i) + (kBf16 ? 8 : 4) * (lane_ % 4);
    const Number* row = from_ + static_cast<int64_t>(16 * group(i)) * n_in_;
    Share share = {};
    share.x = load_eight(row, in, token < n_tokens_ ? end_in : 0);
    share.y = load_eight(row + 8 * static_cast<int64_t>(n_in_), in, token + 8 < n_tokens_ ? end_in : 0);
    if constexpr (kInputs == Inputs::kNormed) share.norm_weight = load_eight(norm_weight_, in, end_in);
    return share;
  }
  /// Writes it to the chunk's buffer; scale (kTokens,) are the norm's.
  __device__ __forceinline__ void store(int i, Share share, const float* scale, uint4* buffer) const {
    if constexpr (kInputs == Inputs::kNormed) {
      const int token = lane_ / 4 + 16 * group(i);
      share.x = scaled(share.x, scale[token], share.norm_weight);
      share.y = scaled(share.y, scale[token + 8], share.norm_weight);
    }
    // A lane's eight bf16 are of both steps; its floats are of one, its own t's and t + 2's.
    const int t = lane_ % 4, first = kBf16 ? lane_ : t % 2 * kStepVectors + lane_ - t + t / 2;
    uint4* to = buffer + block(i) * Shape::kBlockVectors + group(i) * kGroupVectors + first;
    const uint4 x = as_bf16(share.x), y = as_bf16(share.y);
    to[0] = make_uint4(x.x, y.x, x.y, y.y);
    to[kBf16 ? kStepVectors : kHighIn / 8] = make_uint4(x.z, y.z, x.w, y.w);
  }

 private:
  // Share i of warp w is pair w * kShares + i of the chunk's (block, group) pairs.
  static constexpr int kGroupsEach = Shape::kShares < Shape::kGroups ? Shape::kShares : Shape::kGroups;  // of a block
  static constexpr int kBlocksEach = Shape::kShares / kGroupsEach, kBlockWarps = Shape::kGroups / kGroupsEach;
  __device__ int block(int i) const { return warp_ / kBlockWarps * kBlocksEach + i / kGroupsEach; }
  __device__ int group(int i) const { return warp_ % kBlockWarps * kGroupsEach + i % kGroupsEach; }

  int warp_, lane_, n_tokens_, n_in_;
  const Number* from_;
  const float* norm_weight_;
};

/// sums += one block's weights times its activations; x is the lane's first vector of the block.
template <int kGroups>
__device__ __forceinline__ void multiply_block(const uint4 (&w)[kEights], const uint4* x, ProductSums<kGroups>& sums) {
#pragma unroll
  for (int j = 0; j < kGroups; ++j) {
    const uint4 first = x[j * kGroupVectors], second = x[j * kGroupVectors + kStepVectors];
#pragma unroll
    for (int q = 0; q < kEights; ++q) mma_bf16(sums[q][j], {first.x, first.y, first.z, first.w}, {w[q].x, w[q].y});
#pragma unroll
    for (int q = 0; q < kEights; ++q) mma_bf16(sums[q][j], {second.x, second.y, second.z, second.w}, {w[q].z, w[q].w});
  }
}

/// The norm's scale of every token of the part, (kTokens,), shared out among the warps.
template <class Shape>
__device__ __forceinline__ void norm_scales(const ProductInput& in, const ProductPart& part, float* scale) {
  constexpr int kEach = Shape::kTokens / Shape::kWarps;
  const int lane = static_cast<int>(threadIdx.x) % kWarp, first = static_cast<int>(threadIdx.x) / kWarp * kEach;
  const int n = min(in.rows - part.first_row - first, kEach);
  if (n <= 0) return;
  const float* squares = in.squares + static_cast<int64_t>(part.first_row + first) * pieces_of(in.n_in);
  const float of_lane = inverse_rms_of<kEach>(squares, n, in.n_in, in.eps);
  if (lane < n) scale[first + lane] = of_lane;
}

/// Adds the part's products to `sums`; `shared` has Shape::kSharedBytes. All threads of the block call it, and shared
/// memory is free again when it returns.
///
/// Weights and the norm's start on their way first, while the launch before this one ends. Then the first activations and
/// the norm's squares are asked for together. Activations are loaded a share ahead of the one that is stored for the next
/// chunk. The compiler would rather load just before it stores: it moves no access past __syncwarp, and has no branches here.
template <class Shape, Inputs kInputs>
__device__ __forceinline__ void multiply(const ProductInput& in, const ProductPart& part, uint4* shared,
                                         typename Shape::Sums& sums) {
  using Ring = typename Shape::Ring;
  Ring ring(in, part, shared + 2 * Shape::kBuffer);
  if constexpr (kInputs == Inputs::kNormed)
    ask_for<Shape::kThreads>(in.norm_weight + part.first_in, min(part.n_units * kUnitIn, in.n_in - part.first_in));
  follow();
  const int32_t end_in = min(part.first_in + part.n_units * kUnitIn, in.n_in);
  int32_t first_in = part.first_in;
  auto* scale = reinterpret_cast<float*>(shared + Shape::kSharedVectors);
  const auto find_scales = [&] {
    if constexpr (kInputs != Inputs::kNormed) return;
    norm_scales<Shape>(in, part, scale);
    __syncthreads();
  };
  constexpr int kShares = Shape::kShares, kSharesBesideScales = 2;  // that registers hold
  if constexpr (kShares > kSharesBesideScales) find_scales();
  using Mover = ActivationMover<Shape, kInputs>;
  const Mover mover(in, part);
  typename Mover::Share first[kShares], share, next;
#pragma unroll
  for (int i = 0; i < kShares; ++i) first[i] = mover.load(i, first_in, end_in);
  if constexpr (kShares <= kSharesBesideScales) find_scales();
#pragma unroll
  for (int i = 0; i < kShares; ++i) mover.store(i, first[i], scale, shared);
  share = mover.load(0, first_in + Shape::kChunk, end_in);
  __syncthreads();

  const int n_chunks = part.n_units * (kUnitIn / Shape::kChunk);
#pragma unroll 1
  for (int chunk = 0; chunk < n_chunks; ++chunk) {
    const uint4* x = shared + chunk % 2 * Shape::kBuffer + threadIdx.x % kWarp;
    uint4* next_x = shared + (chunk + 1) % 2 * Shape::kBuffer;
    first_in += Shape::kChunk;  // of the next chunk
#pragma unroll
    for (int b = 0; b < Shape::kBlocks; ++b) {
      const int i = b / Shape::kShareBlocks;
      if (b % Shape::kShareBlocks == 0) {
        next = i + 1 < kShares ? mover.load(i + 1, first_in, end_in) : mover.load(0, first_in + Shape::kChunk, end_in);
        __syncwarp();
      }
      const int slot = (chunk * Shape::kBlocks + b) % Ring::kBlocks;
      uint4 w[kEights];
      ring.wait(slot, w);
      multiply_block<Shape::kGroups>(w, x + b * Shape::kBlockVectors, sums);
      ring.refill(slot);
      if (b % Shape::kShareBlocks == Shape::kShareBlocks - 1) {
        __syncwarp();
        mover.store(i, share, scale, next_x);
        share = next;
      }
    }
    __syncthreads();
  }
  wait_for_batches<0>();  // zeros from past the end
  __syncthreads();
}

}  // namespace draftscope::cuda
