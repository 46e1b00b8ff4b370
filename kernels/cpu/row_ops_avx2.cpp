#include "kernels/cpu/row_ops_impl.h"

namespace draftscope {

const RowOps& row_ops_avx2() { return kRowOps; }

}  // namespace draftscope
