#include "kernels/cuda/cuda_backend.h"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <utility>

#include "kernels/cpu/bf16.h"
#include "kernels/cuda/cuda_memory.h"
#include "kernels/cuda/device_info.h"
#include "kernels/cuda/lt_matmul.h"
#include "kernels/cuda/round_loop.h"
#include "kernels/cuda/time_replays.h"

namespace draftscope {
namespace cuda {
namespace {

class CudaBackend final : public Backend {
 public:
  CudaBackend(const CudaOptions& options, std::string device, FastMatmul fast)
      : precision_(options.precision),
        launches_overlap_(options.launches_overlap),
        device_(std::move(device)),
        stream_(make_stream()),
        launches_(stream_.get(), options.launches_overlap && can_overlap()),
        fast_(std::move(fast)) {}

  std::string describe() const override {
    return "cuda " + device_ + (launches_overlap_ ? "" : ", launches in order") +
           (fast_.run ? ", numerics fastest (" + fast_.library + ")" : "");
  }
  Precision precision() const override { return precision_; }
  std::string note() const override { return fast_.note; }
  int32_t n_threads() const override { return 1; }
  Status supports(const std::string& what, int32_t hidden, int32_t intermediate) const override;

  std::unique_ptr<Matrix> pack(std::span<const Tensor> parts) override { return upload(parts); }
  std::unique_ptr<Matrix> pack_gate_up(const Tensor& gate, const Tensor& up) override { return upload_gate_up(gate, up); }
  std::unique_ptr<Table> make_table(const Tensor& tensor, const Matrix* head) override;
  std::unique_ptr<KvStore> make_kv(int32_t n_layers, HeadLayout heads, int32_t capacity) override;
  std::unique_ptr<ActBuffer> make_act(int32_t rows, int32_t cols) override;
  std::unique_ptr<ActBuffer> make_product_input(int32_t rows, int32_t cols) override;
  void write(std::span<const float> from, Act to) override;
  void read(Act from, std::span<float> to) override;
  void place(PassRows& rows) override;

  void embed(const Table& table, const PassRows& rows, Act out) override;
  void rms_norm(Act x, VectorView weight, float eps, Act out) override;
  void matmul(Act x, const Matrix& w, Act out, Write write) override;
  void norm_matmul(Act x, VectorView weight, float eps, const Matrix& w, Act out) override;
  void norm_gate_up(Act x, VectorView weight, float eps, const Matrix& w, Act out) override;
  void norm_rope_append(Act qkv, const HeadsTo& to) override;
  void matmul_append(Act x, const std::optional<InputNorm>& norm, const Matrix& w, Act out, const HeadsTo& to) override;
  void attention(Act qkv, HeadLayout heads, const KvStore& kv, int32_t layer, const PassRows& rows, Act out) override;
  void head_top_k(Act x, const Matrix& head, int32_t k, TopK& out) override;
  void keep_rows(KvStore& kv, int32_t first, std::span<const int32_t> kept) override;
  void gather_rows(Act x, std::span<const int32_t> rows, Act out, int32_t first_col) override;
  void put_columns(Act x, Act out, int32_t first_col) override;
  bool has_round_loop() const override { return true; }
  std::unique_ptr<RoundLoop> make_round_loop(RoundLoopSetup setup) override;
  std::vector<double> time_runs(int32_t n, const std::function<void()>& work) override;

 private:
  using Workspace = DeviceBuffer<std::byte>;
  // Zeroed when new; the kernels leave zero what they need zero.
  void* grown(Workspace& workspace, int64_t n_bytes);
  MatmulArgs product_of(Act x, const std::optional<InputNorm>& norm, const Matrix& w, Act out) const;
  void product(MatmulArgs args);
  void copy_out(const void* from, size_t n_bytes, void* to);
  // A short list in device memory, gone after the operations already enqueued.
  const int32_t* placed_list(std::span<const int32_t> values);

  Precision precision_;
  bool launches_overlap_;
  std::string device_;
  Stream stream_;
  LaunchStream launches_;
  FastMatmul fast_;  // without `run`: every product is ours
  std::map<std::pair<int64_t, int64_t>, Workspace> matmul_workspaces_;  // by (n_out, n_in)
  Workspace attention_workspace_, head_workspace_, fast_workspace_;
  std::vector<std::shared_ptr<DeviceBuffer<int32_t>>> row_memory_;  // of passes past and present, for reuse
  DeviceBuffer<int32_t> list_;
  bool in_tiers_ = false;   // attention is launched for whole tiers of keys, as in round loops
  bool deferred_ = false;   // heads leave their answers on the device: a round loop is at work
  int64_t generation_ = 0;  // of the workspaces' addresses
};

// Rows of weights are read 16 bytes at a time.
Status CudaBackend::supports(const std::string& what, int32_t hidden, int32_t intermediate) const {
  for (const auto& [name, size] : {std::pair{"hidden_size", hidden}, {"intermediate_size", intermediate}}) {
    if (size % 8 != 0) return fail("{}: {}: expected a multiple of 8 on CUDA, found {}", what, name, size);
  }
  return success();
}

void* CudaBackend::grown(Workspace& workspace, int64_t n_bytes) {
  if (static_cast<int64_t>(workspace.size()) < n_bytes) {
    CUDA_CHECK(cudaStreamSynchronize(stream_.get()));
    workspace = Workspace(static_cast<size_t>(n_bytes));
    ++generation_;
    CUDA_CHECK(cudaMemsetAsync(workspace.data(), 0, static_cast<size_t>(n_bytes), stream_.get()));
  }
  return workspace.data();
}

std::unique_ptr<Table> CudaBackend::make_table(const Tensor& tensor, const Matrix* head) {
  auto table = std::make_unique<CudaTable>();
  table->n_vocab = static_cast<int32_t>(tensor.rows());
  table->dim = static_cast<int32_t>(tensor.cols());
  if (head != nullptr) {
    table->view = static_cast<const CudaMatrix*>(head)->view;
  } else {
    std::unique_ptr<CudaMatrix> matrix = upload({&tensor, 1});
    table->memory = std::move(matrix->memory);
    table->view = matrix->view;
  }
  return table;
}

std::unique_ptr<KvStore> CudaBackend::make_kv(int32_t n_layers, HeadLayout heads, int32_t capacity) {
  DS_CHECK(heads.head_dim % 8 == 0 && heads.head_dim <= 256, "head_dim {}", heads.head_dim);
  auto kv = std::make_unique<CudaKv>();
  kv->n_layers = n_layers;
  kv->n_kv_heads = heads.n_kv_heads;
  kv->head_dim = heads.head_dim;
  kv->capacity = capacity;
  const bool is_bf16 = precision_ == Precision::kBf16;
  const size_t n_bytes = static_cast<size_t>(n_layers) * heads.n_kv_heads * capacity * heads.head_dim * (is_bf16 ? 2 : 4);
  kv->keys = DeviceBuffer<std::byte>(n_bytes);
  kv->values = DeviceBuffer<std::byte>(n_bytes);
  kv->n_bytes = static_cast<int64_t>(2 * n_bytes);
  kv->view = {kv->keys.data(), kv->values.data(), n_layers, heads.n_kv_heads, capacity, heads.head_dim, is_bf16};
  return kv;
}

std::unique_ptr<ActBuffer> CudaBackend::make_act(int32_t rows, int32_t cols) {
  auto buffer = std::make_unique<CudaAct>();
  const size_t n = static_cast<size_t>(rows) * cols;
  buffer->memory = DeviceBuffer<float>(n + static_cast<size_t>(rows) * n_square_pieces(cols));
  buffer->act = {buffer->memory.data(), rows, cols, buffer->memory.data() + n};
  return buffer;
}

// With bf16 activations every product rounds them, on tensor cores and elsewhere: rounded where they are written, they
// give the same bits, and the blocks of a product, each of which reads them anew, read half the bytes.
std::unique_ptr<ActBuffer> CudaBackend::make_product_input(int32_t rows, int32_t cols) {
  if (precision_ == Precision::kF32) return make_act(rows, cols);
  auto buffer = std::make_unique<CudaProductInput>();
  buffer->memory = DeviceBuffer<uint16_t>(static_cast<size_t>(rows) * cols);
  buffer->act.rows = rows;
  buffer->act.cols = cols;
  buffer->act.bf16 = buffer->memory.data();
  return buffer;
}

// What is no product's input is float32.
void expect_floats(std::initializer_list<Act> acts) {
  for (const Act& act : acts) DS_CHECK(act.bf16 == nullptr, "a product's input, ({}, {})", act.rows, act.cols);
}

void CudaBackend::write(std::span<const float> from, Act to) {
  expect_floats({to});
  DS_CHECK(static_cast<int64_t>(from.size()) == static_cast<int64_t>(to.rows) * to.cols);
  CUDA_CHECK(cudaMemcpyAsync(to.data, from.data(), from.size_bytes(), cudaMemcpyHostToDevice, stream_.get()));
  CUDA_CHECK(cudaStreamSynchronize(stream_.get()));
}

void CudaBackend::read(Act from, std::span<float> to) {
  DS_CHECK(static_cast<int64_t>(to.size()) == static_cast<int64_t>(from.rows) * from.cols);
  std::vector<uint16_t> bits(from.bf16 != nullptr ? to.size() : 0);
  if (from.bf16 != nullptr)
    copy_out(from.bf16, bits.size() * sizeof(uint16_t), bits.data());
  else
    copy_out(from.data, to.size_bytes(), to.data());
  CUDA_CHECK(cudaStreamSynchronize(stream_.get()));
  std::ranges::transform(bits, to.begin(), float_of_bf16);
}

void CudaBackend::place(PassRows& rows) {
  const PackedRows packed = pack_rows(rows);
  auto placed = std::make_unique<CudaRows>();
  // Memory that no pass holds any more: what reads it is already enqueued, so the copy below comes after.
  const auto free = std::find_if(row_memory_.begin(), row_memory_.end(), [&](const auto& memory) {
    return memory.use_count() == 1 && memory->size() >= packed.numbers.size();
  });
  if (free != row_memory_.end()) {
    placed->memory = *free;
  } else {
    placed->memory = std::make_shared<DeviceBuffer<int32_t>>(packed.numbers.size());
    row_memory_.push_back(placed->memory);
  }
  // From ordinary memory: the call returns once the numbers are copied out of it.
  CUDA_CHECK(cudaMemcpyAsync(placed->memory->data(), packed.numbers.data(), packed.numbers.size() * sizeof(int32_t),
                             cudaMemcpyHostToDevice, stream_.get()));
  placed->view = view_of(placed->memory->data(), rows.n, packed.bit_words);
  placed->max_keys = packed.max_keys;
  rows.placed = std::move(placed);
}

const CudaRows& placed(const PassRows& rows) {
  DS_CHECK(rows.placed != nullptr, "rows were not placed");
  return static_cast<const CudaRows&>(*rows.placed);
}

void CudaBackend::embed(const Table& table, const PassRows& rows, Act out) {
  expect_floats({out});
  DS_CHECK(out.cols == table.dim && out.rows == rows.n);
  cuda::embed(static_cast<const CudaTable&>(table).view, placed(rows).view, out, launches_);
}

void CudaBackend::rms_norm(Act x, VectorView weight, float eps, Act out) {
  expect_floats({x});
  DS_CHECK(x.rows == out.rows && x.cols == out.cols && weight.n == x.cols);
  cuda::rms_norm(x, weight.data, eps, out, launches_);
}

void CudaBackend::product(MatmulArgs args) {
  if (args.norm_weight != nullptr) expect_floats({args.x});
  if (args.epilogue != Epilogue::kSwiGlu) expect_floats({args.out});
  DS_CHECK(args.x.cols == args.w.n_in && args.out.rows == args.x.rows, "{} columns, weights take {}", args.x.cols,
           args.w.n_in);
  DS_CHECK(args.out.cols == args.w.n_out / (args.epilogue == Epilogue::kSwiGlu ? 2 : 1), "out {}", args.out.cols);
  args.workspace = grown(matmul_workspaces_[{args.w.n_out, args.w.n_in}],
                         matmul_workspace_bytes(args.x.rows, args.w.n_out, args.w.n_in));
  if (fast_.run && fast_takes(args)) {
    void* workspace = grown(fast_workspace_, fast_workspace_bytes(args.x.rows, args.w.n_in));
    if (fast_.run(args, workspace, stream_.get())) return;
  }
  cuda::matmul(args, launches_);
}

MatmulArgs CudaBackend::product_of(Act x, const std::optional<InputNorm>& norm, const Matrix& w, Act out) const {
  MatmulArgs args;
  args.x = x;
  if (norm) {
    DS_CHECK(norm->weight.n == x.cols);
    args.norm_weight = norm->weight.data;
    args.eps = norm->eps;
  }
  args.w = static_cast<const CudaMatrix&>(w).view;
  args.out = out;
  args.precision = precision_;
  return args;
}

void CudaBackend::matmul(Act x, const Matrix& w, Act out, Write write) {
  MatmulArgs args = product_of(x, std::nullopt, w, out);
  args.epilogue = write == Write::kAdd ? Epilogue::kAdd : Epilogue::kSet;
  product(args);
}

void CudaBackend::norm_matmul(Act x, VectorView weight, float eps, const Matrix& w, Act out) {
  product(product_of(x, InputNorm{weight, eps}, w, out));
}

void CudaBackend::norm_gate_up(Act x, VectorView weight, float eps, const Matrix& w, Act out) {
  MatmulArgs args = product_of(x, InputNorm{weight, eps}, w, out);
  DS_CHECK(args.w.gate_up);
  args.epilogue = Epilogue::kSwiGlu;
  product(args);
}

// Shapes checked.
HeadsArgs on_device(Act qkv, const HeadsTo& to) {
  expect_floats({qkv});
  DS_CHECK(qkv.cols == to.heads.qkv_cols() && qkv.rows == to.rows.n);
  return {to.heads, to.q_norm.data, to.k_norm.data, to.eps, {to.rope.cos, to.rope.sin}, placed(to.rows).view,
          static_cast<CudaKv&>(to.kv).view, to.layer};
}

void CudaBackend::norm_rope_append(Act qkv, const HeadsTo& to) { cuda::norm_rope_append(qkv, on_device(qkv, to), launches_); }

void CudaBackend::matmul_append(Act x, const std::optional<InputNorm>& norm, const Matrix& w, Act out, const HeadsTo& to) {
  MatmulArgs args = product_of(x, norm, w, out);
  args.heads = on_device(out, to);
  if (!can_end_in_heads(args) || (fast_.run && fast_takes(args))) return Backend::matmul_append(x, norm, w, out, to);
  args.epilogue = Epilogue::kHeads;
  product(args);
}

void CudaBackend::attention(Act qkv, HeadLayout heads, const KvStore& kv, int32_t layer, const PassRows& rows, Act out) {
  expect_floats({qkv});
  DS_CHECK(out.cols == heads.q_cols() && qkv.rows == rows.n);
  const CudaRows& on_device = placed(rows);
  const int32_t max_keys = in_tiers_ ? tier_of(on_device.max_keys) : on_device.max_keys;
  void* workspace = grown(attention_workspace_, attention_workspace_bytes(rows.n, heads, max_keys));
  cuda::attention(qkv, heads, static_cast<const CudaKv&>(kv).view, layer, on_device.view, max_keys, out, workspace,
                  launches_);
}

void CudaBackend::head_top_k(Act x, const Matrix& head, int32_t k, TopK& out) {
  DS_CHECK((x.bf16 != nullptr) == (precision_ == Precision::kBf16), "head: expected a product's input, ({}, {})", x.rows,
           x.cols);
  out.rows = x.rows;
  out.k = static_cast<int32_t>(std::min<int64_t>(k, head.n_out));
  const size_t n = static_cast<size_t>(out.rows) * out.k;
  if (out.placed == nullptr) out.placed = std::make_unique<CudaTopK>();
  auto& answers = static_cast<CudaTopK&>(*out.placed);
  if (!deferred_ && answers.token.size() < n) {
    answers.token = DeviceBuffer<int32_t>(n);
    answers.log_p = DeviceBuffer<float>(n);
  }
  if (!deferred_) answers.view = {answers.token.data(), answers.log_p.data(), out.k};
  DS_CHECK(answers.view.k == out.k, "{} ranks where {} were prepared", out.k, answers.view.k);
  void* workspace = grown(head_workspace_, head_workspace_bytes(x.rows, static_cast<int32_t>(head.n_out), out.k));
  cuda::head_top_k(x, static_cast<const CudaMatrix&>(head).view, precision_, answers.view, workspace, launches_);
  if (deferred_) return;
  out.token.resize(n);
  out.log_p.resize(n);
  copy_out(answers.view.token, n * sizeof(int32_t), out.token.data());
  copy_out(answers.view.log_p, n * sizeof(float), out.log_p.data());
  CUDA_CHECK(cudaStreamSynchronize(stream_.get()));
}

void CudaBackend::copy_out(const void* from, size_t n_bytes, void* to) {
  CUDA_CHECK(cudaMemcpyAsync(to, from, n_bytes, cudaMemcpyDeviceToHost, stream_.get()));
}

std::unique_ptr<RoundLoop> CudaBackend::make_round_loop(RoundLoopSetup setup) {
  LoopHost host{launches_, deferred_, [this] { return generation_; }};
  return std::make_unique<CudaRoundLoop>(std::move(setup), std::move(host));
}

std::vector<double> CudaBackend::time_runs(int32_t n, const std::function<void()>& work) {
  const Raised tiers(in_tiers_);
  work();  // settles every workspace, and heads have memory for their answers
  const Raised deferred(deferred_);
  const GraphExec graph = capture(stream_.get(), work);
  return time_replays(graph.get(), n, stream_.get());
}

const int32_t* CudaBackend::placed_list(std::span<const int32_t> values) {
  if (list_.size() < values.size()) {
    CUDA_CHECK(cudaStreamSynchronize(stream_.get()));
    list_ = DeviceBuffer<int32_t>(values.size());
  }
  CUDA_CHECK(cudaMemcpyAsync(list_.data(), values.data(), values.size_bytes(), cudaMemcpyHostToDevice, stream_.get()));
  return list_.data();
}

void CudaBackend::keep_rows(KvStore& kv, int32_t first, std::span<const int32_t> kept) {
  // Rows already in place need no move, and a chain's accepted rows all are.
  size_t n_in_place = 0;
  while (n_in_place < kept.size() && kept[n_in_place] == static_cast<int32_t>(n_in_place)) ++n_in_place;
  if (n_in_place == kept.size()) return;
  std::vector<int32_t> numbers{first, static_cast<int32_t>(kept.size())};
  numbers.insert(numbers.end(), kept.begin(), kept.end());
  const int32_t* list = placed_list(numbers);
  KeptRows rows;
  rows.first = list;
  rows.n_kept = list + 1;
  rows.kept = list + 2;
  cuda::keep_rows(static_cast<CudaKv&>(kv).view, rows, launches_);
}

void CudaBackend::gather_rows(Act x, std::span<const int32_t> rows, Act out, int32_t first_col) {
  expect_floats({x, out});
  DS_CHECK(first_col + x.cols <= out.cols && rows.size() <= static_cast<size_t>(out.rows));
  cuda::gather_rows(x, placed_list(rows), static_cast<int32_t>(rows.size()), out, first_col, launches_);
}

void CudaBackend::put_columns(Act x, Act out, int32_t first_col) {
  DS_CHECK(first_col + x.cols <= out.cols && x.rows <= out.rows);
  cuda::gather_rows(x, nullptr, x.rows, out, first_col, launches_);
}

}  // namespace

Result<std::unique_ptr<Backend>> make_cuda_backend(const CudaOptions& options, const OpenFastMatmul& open) {
  Result<std::string> device = cuda_device();
  if (!device) return Error{device.error()};
  // The first call that needs the device itself: somebody else may have all of it.
  if (const cudaError_t used = cudaFree(nullptr); used != cudaSuccess) {
    return fail("no CUDA device: {} cannot be used: {} ({})", *device, cudaGetErrorString(used), cudaGetErrorName(used));
  }
  FastMatmul fast;
  if (options.numerics == Numerics::kFastest && options.precision != Precision::kBf16) {
    fast.note = "numerics fastest: expected bf16 activations, found float32; numerics stay invariant";
  } else if (options.numerics == Numerics::kFastest) {
    Result<FastMatmul> opened = open(options.cache_folder);
    if (opened) fast = *std::move(opened);
    else fast.note = "numerics fastest: " + opened.error() + "; numerics stay invariant";
  }
  return std::unique_ptr<Backend>(std::make_unique<CudaBackend>(options, *device, std::move(fast)));
}

}  // namespace cuda

Result<std::unique_ptr<Backend>> make_cuda_backend(const CudaOptions& options) {
  return cuda::make_cuda_backend(options, cuda::open_fast_matmul);
}

}  // namespace draftscope
