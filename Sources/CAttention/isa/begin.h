/* What every table's translation unit includes before it opens its target region: system headers must stay outside. */
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "../half.h"
#include "../kernels.h"

#define ATTN_INLINE static inline __attribute__((always_inline, unused))
