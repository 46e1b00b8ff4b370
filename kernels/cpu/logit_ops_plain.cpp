#include "kernels/cpu/logit_ops_impl.h"

namespace draftscope {

const LogitOps& logit_ops_plain() { return kLogitOps; }

}  // namespace draftscope
