#include "kernels/cpu/logit_ops_impl.h"

namespace draftscope {

const LogitOps& logit_ops_avx2() { return kLogitOps; }

}  // namespace draftscope
