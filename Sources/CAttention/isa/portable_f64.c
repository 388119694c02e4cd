#include "begin.h"

#define ATTN_ISA portable
#define ATTN_REAL_BITS 64
#include "../simd/portable.h"
#include "../kernels/table-inl.h"
