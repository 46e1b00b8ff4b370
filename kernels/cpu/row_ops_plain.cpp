#include "kernels/cpu/row_ops_impl.h"

namespace draftscope {

const RowOps& row_ops_plain() { return kRowOps; }

}  // namespace draftscope
