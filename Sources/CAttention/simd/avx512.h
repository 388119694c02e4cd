/* Vector vocabulary for AVX-512 (F, BW, DQ, VL); the meaning of each word is in portable.h. */
#include <immintrin.h>

/* 24 accumulators, 2 loads and a broadcast of 32 registers. */
#define TILE_ROWS 12
#define TILE_VECTORS 2
#define TILE_STEPS 4
#define PAIR_STEPS 4

/* 11 loads for 24 multiply-adds where 12 x 2 takes 14: 29 % of products beside a busy sibling thread, nothing without.
 * 9 x 3 spilled. */
#define PRODUCT_ROWS 8
#define PRODUCT_VECTORS 3
#define PRODUCT_STEPS 4

#if ATTN_REAL_BITS == 32
typedef float real;
typedef __m512 vf;
typedef __mmask16 vm;
#define VF_LANES 16
#define VF_(op) _mm512_##op##_ps
#define VF_BITS(v) _mm512_castps_si512(v)
#define VF_FROM_BITS(v) _mm512_castsi512_ps(v)

ATTN_INLINE vf vf_shift_exponent(vf a) { return VF_FROM_BITS(_mm512_slli_epi32(VF_BITS(a), 23)); }
#define VF_INTEGERS
ATTN_INLINE vf vf_to_int(vf a) { return VF_FROM_BITS(_mm512_cvtps_epi32(a)); }
ATTN_INLINE vf vf_add_int(vf a, vf b) { return VF_FROM_BITS(_mm512_add_epi32(VF_BITS(a), VF_BITS(b))); }
ATTN_INLINE vf vf_or_masked(vf a, vf mask, vf b) {
  return VF_FROM_BITS(_mm512_ternarylogic_epi32(VF_BITS(a), VF_BITS(mask), VF_BITS(b), 0xf8));
}
ATTN_INLINE vf vf_or3(vf a, vf b, vf c) {
  return VF_FROM_BITS(_mm512_ternarylogic_epi32(VF_BITS(a), VF_BITS(b), VF_BITS(c), 0xfe));
}
ATTN_INLINE bool vf_any_sign(vf a) { return _mm512_movepi32_mask(VF_BITS(a)) != 0; }
ATTN_INLINE vf vf_iota(void) { return _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15); }
ATTN_INLINE vm vf_bytes(const uint8_t *p) {
  __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
  return _mm_test_epi8_mask(bytes, bytes);
}
ATTN_INLINE vm vf_less(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
ATTN_INLINE vm vf_differs(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ); }
ATTN_INLINE vm vf_nonzero(vf a) { return vf_differs(a, _mm512_setzero_ps()); }
ATTN_INLINE bool vf_any(vm m) { return m != 0; }
ATTN_INLINE vf vf_select(vm m, vf a, vf b) { return _mm512_mask_blend_ps(m, b, a); }
ATTN_INLINE vf vf_where(vm m, vf a) { return _mm512_maskz_mov_ps(m, a); }
/* Pairs of rows, then quads, then whole 128-bit lanes. */
ATTN_INLINE void vf_transpose(vf r[VF_LANES]) {
  vf t[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
    r[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
    r[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    r[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  /* r[4 b + j] holds, in 128-bit lane l, rows 4 b .. 4 b + 3 of column 4 l + j. */
  for (int j = 0; j < 4; j++) {
    t[j] = _mm512_shuffle_f32x4(r[j], r[4 + j], 0x88);
    t[4 + j] = _mm512_shuffle_f32x4(r[j], r[4 + j], 0xdd);
    t[8 + j] = _mm512_shuffle_f32x4(r[8 + j], r[12 + j], 0x88);
    t[12 + j] = _mm512_shuffle_f32x4(r[8 + j], r[12 + j], 0xdd);
  }
  for (int j = 0; j < 4; j++) {
    r[j] = _mm512_shuffle_f32x4(t[j], t[8 + j], 0x88);
    r[8 + j] = _mm512_shuffle_f32x4(t[j], t[8 + j], 0xdd);
    r[4 + j] = _mm512_shuffle_f32x4(t[4 + j], t[12 + j], 0x88);
    r[12 + j] = _mm512_shuffle_f32x4(t[4 + j], t[12 + j], 0xdd);
  }
}
ATTN_INLINE vf vf_load_f16(const uint16_t *p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)p));
}
ATTN_INLINE vf vf_load_bf16(const uint16_t *p) {
  __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)p));
  return VF_FROM_BITS(_mm512_slli_epi32(wide, 16));
}
ATTN_INLINE void vf_store_f16(uint16_t *p, vf v) {
  _mm256_storeu_si256((__m256i *)(void *)p, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
ATTN_INLINE void vf_store_bf16(uint16_t *p, vf v) {
  __m512i bits = VF_BITS(v), odd = _mm512_and_epi32(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
  __m512i quiet = _mm512_or_epi32(bits, _mm512_set1_epi32(0x400000));
  rounded = _mm512_mask_mov_epi32(rounded, _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), quiet);
  _mm256_storeu_si256((__m256i *)(void *)p, _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16)));
}
#else
typedef double real;
typedef __m512d vf;
typedef __mmask8 vm;
#define VF_LANES 8
#define VF_(op) _mm512_##op##_pd
#define VF_BITS(v) _mm512_castpd_si512(v)
#define VF_FROM_BITS(v) _mm512_castsi512_pd(v)

ATTN_INLINE vf vf_shift_exponent(vf a) { return VF_FROM_BITS(_mm512_slli_epi64(VF_BITS(a), 52)); }
ATTN_INLINE vf vf_iota(void) { return _mm512_setr_pd(0, 1, 2, 3, 4, 5, 6, 7); }
ATTN_INLINE vm vf_bytes(const uint8_t *p) {
  __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)p);
  return (vm)_mm_test_epi8_mask(bytes, bytes);
}
ATTN_INLINE vm vf_less(vf a, vf b) { return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ); }
ATTN_INLINE vm vf_differs(vf a, vf b) { return _mm512_cmp_pd_mask(a, b, _CMP_NEQ_UQ); }
ATTN_INLINE vm vf_nonzero(vf a) { return vf_differs(a, _mm512_setzero_pd()); }
ATTN_INLINE bool vf_any(vm m) { return m != 0; }
ATTN_INLINE vf vf_select(vm m, vf a, vf b) { return _mm512_mask_blend_pd(m, b, a); }
ATTN_INLINE vf vf_where(vm m, vf a) { return _mm512_maskz_mov_pd(m, a); }
ATTN_INLINE void vf_transpose(vf r[VF_LANES]) {
  vf t[8];
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm512_unpacklo_pd(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_pd(r[i], r[i + 1]);
  }
  /* t[2 b + j] holds, in 128-bit lane l, rows 2 b and 2 b + 1 of column 2 l + j. */
  for (int j = 0; j < 2; j++) {
    vf low01 = _mm512_shuffle_f64x2(t[j], t[2 + j], 0x88), high01 = _mm512_shuffle_f64x2(t[j], t[2 + j], 0xdd);
    vf low23 = _mm512_shuffle_f64x2(t[4 + j], t[6 + j], 0x88), high23 = _mm512_shuffle_f64x2(t[4 + j], t[6 + j], 0xdd);
    r[j] = _mm512_shuffle_f64x2(low01, low23, 0x88);
    r[4 + j] = _mm512_shuffle_f64x2(low01, low23, 0xdd);
    r[2 + j] = _mm512_shuffle_f64x2(high01, high23, 0x88);
    r[6 + j] = _mm512_shuffle_f64x2(high01, high23, 0xdd);
  }
}
#endif

ATTN_INLINE vf vf_load(const real *p) { return VF_(loadu)(p); }
ATTN_INLINE vf vf_load_first(const real *p, int64_t n) { return VF_(maskz_loadu)((vm)((1u << n) - 1), p); }
ATTN_INLINE void vf_store(real *p, vf v) { VF_(storeu)(p, v); }
ATTN_INLINE vf vf_set1(real x) { return VF_(set1)(x); }
ATTN_INLINE vf vf_add(vf a, vf b) { return VF_(add)(a, b); }
ATTN_INLINE vf vf_sub(vf a, vf b) { return VF_(sub)(a, b); }
ATTN_INLINE vf vf_mul(vf a, vf b) { return VF_(mul)(a, b); }
ATTN_INLINE vf vf_div(vf a, vf b) { return VF_(div)(a, b); }
ATTN_INLINE vf vf_sqrt(vf a) { return VF_(sqrt)(a); }
ATTN_INLINE vf vf_fma(vf a, vf b, vf c) { return VF_(fmadd)(a, b, c); }
ATTN_INLINE vf vf_max(vf a, vf b) { return VF_(max)(a, b); }
ATTN_INLINE vf vf_abs(vf a) { return VF_(abs)(a); }
ATTN_INLINE vf vf_copysign(vf magnitude, vf sign) {
  vf bit = vf_set1((real)-0.0);
  return VF_(or)(VF_(andnot)(bit, magnitude), VF_(and)(bit, sign));
}
ATTN_INLINE real vf_hmax(vf v) {
#if ATTN_REAL_BITS == 32
  __m256 half = _mm256_max_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
  __m128 m = _mm_max_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  m = _mm_max_ps(m, _mm_movehl_ps(m, m));
  return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
#else
  __m256d half = _mm256_max_pd(_mm512_castpd512_pd256(v), _mm512_extractf64x4_pd(v, 1));
  __m128d m = _mm_max_pd(_mm256_castpd256_pd128(half), _mm256_extractf128_pd(half, 1));
  return _mm_cvtsd_f64(_mm_max_sd(m, _mm_unpackhi_pd(m, m)));
#endif
}
ATTN_INLINE real vf_hsum(vf v) {
#if ATTN_REAL_BITS == 32
  __m256 half = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
  __m128 m = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  m = _mm_add_ps(m, _mm_movehl_ps(m, m));
  return _mm_cvtss_f32(_mm_add_ss(m, _mm_movehdup_ps(m)));
#else
  __m256d half = _mm256_add_pd(_mm512_castpd512_pd256(v), _mm512_extractf64x4_pd(v, 1));
  __m128d m = _mm_add_pd(_mm256_castpd256_pd128(half), _mm256_extractf128_pd(half, 1));
  return _mm_cvtsd_f64(_mm_add_sd(m, _mm_unpackhi_pd(m, m)));
#endif
}
