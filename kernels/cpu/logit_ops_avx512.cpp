#include "kernels/cpu/logit_ops_impl.h"

namespace draftscope {

const LogitOps& logit_ops_avx512() { return kLogitOps; }

}  // namespace draftscope
