#include "begin.h"

#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,f16c"))), \
                             apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,fma,f16c")
#endif

#define ATTN_ISA avx512
#define ATTN_REAL_BITS 32
#include "../simd/avx512.h"
#include "../kernels/table-inl.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
