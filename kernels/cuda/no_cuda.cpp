// What a build without the CUDA toolkit answers.
#include "kernels/cuda/cuda_backend.h"

namespace draftscope {

Result<std::string> cuda_device() { return fail("no CUDA device: this build has no CUDA support, nvcc was not found"); }

Result<std::unique_ptr<Backend>> make_cuda_backend(const CudaOptions&) { return Error{cuda_device().error()}; }

}  // namespace draftscope
