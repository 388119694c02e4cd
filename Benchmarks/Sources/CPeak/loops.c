#include "loops.h"

#include "chains.h"

#if defined(__x86_64__)
#include <immintrin.h>
/* Functions between the two lines of a region are compiled for its target. */
#if defined(__clang__)
#define REGION(text) _Pragma(#text)
#define OPEN_AVX2 REGION(clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function))
#define OPEN_AVX512 REGION(clang attribute push(__attribute__((target("avx512f"))), apply_to = function))
#define CLOSE_REGION REGION(clang attribute pop)
#else
#define OPEN_AVX2 _Pragma("GCC push_options") _Pragma("GCC target(\"avx2,fma\")")
#define OPEN_AVX512 _Pragma("GCC push_options") _Pragma("GCC target(\"avx512f\")")
#define CLOSE_REGION _Pragma("GCC pop_options")
#endif
#endif
#if defined(__aarch64__)
#include <arm_neon.h>
#define VECTOR_REGISTER "w"
#else
#define VECTOR_REGISTER "x"
#endif

/* The portable kernels: 16-byte vectors of the baseline (SSE2, NEON), a product and a sum. */
#if defined(__aarch64__)
#define PORTABLE_CHAINS CHAINS_24
#define PORTABLE_COUNT 24
#else
#define PORTABLE_CHAINS CHAINS_12
#define PORTABLE_COUNT 12
#endif

#define PEAK_NAME portable_f32
#define PEAK_REAL float
#define PEAK_BYTES 16
#define PEAK_CHAINS PORTABLE_CHAINS
#define PEAK_REGISTER VECTOR_REGISTER
#define PEAK_STEP(a, x, y) ((a) * (x) + (y))
#include "loop-inl.h"

#define PEAK_NAME portable_f64
#define PEAK_REAL double
#define PEAK_BYTES 16
#define PEAK_CHAINS PORTABLE_CHAINS
#define PEAK_REGISTER VECTOR_REGISTER
#define PEAK_STEP(a, x, y) ((a) * (x) + (y))
#include "loop-inl.h"

#if defined(__x86_64__)
OPEN_AVX2
#define PEAK_NAME avx2_f32
#define PEAK_REAL float
#define PEAK_BYTES 32
#define PEAK_CHAINS CHAINS_12
#define PEAK_REGISTER VECTOR_REGISTER
#define PEAK_STEP(a, x, y) _mm256_fmadd_ps(a, x, y)
#include "loop-inl.h"

#define PEAK_NAME avx2_f64
#define PEAK_REAL double
#define PEAK_BYTES 32
#define PEAK_CHAINS CHAINS_12
#define PEAK_REGISTER VECTOR_REGISTER
#define PEAK_STEP(a, x, y) _mm256_fmadd_pd(a, x, y)
#include "loop-inl.h"
CLOSE_REGION

OPEN_AVX512
#define PEAK_NAME avx512_f32
#define PEAK_REAL float
#define PEAK_BYTES 64
#define PEAK_CHAINS CHAINS_24
#define PEAK_REGISTER "v"
#define PEAK_STEP(a, x, y) _mm512_fmadd_ps(a, x, y)
#include "loop-inl.h"

#define PEAK_NAME avx512_f64
#define PEAK_REAL double
#define PEAK_BYTES 64
#define PEAK_CHAINS CHAINS_24
#define PEAK_REGISTER "v"
#define PEAK_STEP(a, x, y) _mm512_fmadd_pd(a, x, y)
#include "loop-inl.h"
CLOSE_REGION
#endif

#if defined(__aarch64__)
#define PEAK_NAME neon_f32
#define PEAK_REAL float
#define PEAK_BYTES 16
#define PEAK_CHAINS CHAINS_24
#define PEAK_REGISTER VECTOR_REGISTER
/* The accumulator is the instruction's addend, and chained through it: the vector multiply-add overwrites it. */
#define PEAK_STEP(a, x, y) vfmaq_f32(a, x, y)
#include "loop-inl.h"

#define PEAK_NAME neon_f64
#define PEAK_REAL double
#define PEAK_BYTES 16
#define PEAK_CHAINS CHAINS_24
#define PEAK_REGISTER VECTOR_REGISTER
#define PEAK_STEP(a, x, y) vfmaq_f64(a, x, y)
#include "loop-inl.h"
#endif

const peak_loop peak_loops[] = {
    {"portable", 32, "mul+add", 4, PORTABLE_COUNT, portable_f32},
    {"portable", 64, "mul+add", 2, PORTABLE_COUNT, portable_f64},
#if defined(__x86_64__)
    {"avx2", 32, "FMA", 8, 12, avx2_f32},
    {"avx2", 64, "FMA", 4, 12, avx2_f64},
    {"avx512", 32, "FMA", 16, 24, avx512_f32},
    {"avx512", 64, "FMA", 8, 24, avx512_f64},
#endif
#if defined(__aarch64__)
    {"neon", 32, "FMA", 4, 24, neon_f32},
    {"neon", 64, "FMA", 2, 24, neon_f64},
#endif
    {0},
};
