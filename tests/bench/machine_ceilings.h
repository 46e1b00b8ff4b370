// What this machine can do at best, measured in the same program as the kernels.
#pragma once

#include <cstdint>

namespace draftscope {

/// Bytes per second that n_threads read together from a buffer far larger than the caches; best of several
/// passes.
double read_bandwidth(int32_t n_threads);
/// Multiply-adds count as two. Operations per second of AVX-512's bf16 dot-product instruction on registers
/// alone, all threads together; 0 on a processor without it. AMX's tiles do more.
double bf16_dot_peak(int32_t n_threads);
/// Seconds: processor time of this process when one thread works alone, which a busy machine disturbs less;
/// wall time otherwise.
double now_s(bool one_thread);

}  // namespace draftscope
