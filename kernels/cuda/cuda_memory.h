// What the CUDA backend keeps in device memory behind the plain types of kernels/backend.h.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/backend.h"
#include "kernels/cuda/device.h"
#include "kernels/cuda/ops.h"

namespace draftscope::cuda {

struct CudaAct final : ActBuffer {
  DeviceBuffer<float> memory;  // (rows, cols), then (rows, n_square_pieces(cols))
};

/// A product's input as products on tensor cores read it.
struct CudaProductInput final : ActBuffer {
  DeviceBuffer<uint16_t> memory;  // (rows, cols) bf16
};

struct CudaMatrix final : Matrix {
  DeviceBuffer<std::byte> memory;
  WeightsView view;
};

struct CudaTable final : Table {
  DeviceBuffer<std::byte> memory;  // empty when the head's matrix is the table
  WeightsView view;
};

struct CudaKv final : KvStore {
  DeviceBuffer<std::byte> keys, values;
  KvView view;
};

/// Rows of a pass on the device.
struct CudaRows final : Placed {
  std::shared_ptr<DeviceBuffer<int32_t>> memory;
  RowsView view;
  int32_t max_keys = 0;  // no row attends to more
};

struct CudaTopK final : Placed {
  DeviceBuffer<int32_t> token;  // at least (rows, k); empty when the memory is a round loop's
  DeviceBuffer<float> log_p;
  TopKView view;                // of the last answers
};

/// Stacks parts, each (n_out_i, n_in), in device memory; bf16 when all are, else float32.
std::unique_ptr<CudaMatrix> upload(std::span<const Tensor> parts);
/// Gate and up (dim, n_in) interleaved as WeightsView::gate_up says.
std::unique_ptr<CudaMatrix> upload_gate_up(const Tensor& gate, const Tensor& up);

/// Host rows as one block of numbers and where each array begins in it.
struct PackedRows {
  std::vector<int32_t> numbers;
  int32_t bit_words = 0, max_keys = 0;
};
/// Lists of extra keys become bits over the pass's own rows. Every extra key must be a row of the pass.
PackedRows pack_rows(const PassRows& rows);
/// The arrays of `numbers`, wherever they were copied to.
RowsView view_of(const int32_t* numbers, int32_t n, int32_t bit_words);

}  // namespace draftscope::cuda
