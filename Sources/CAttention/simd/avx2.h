/* Vector vocabulary for AVX2 with FMA and F16C; the meaning of each word is in portable.h. */
#include <immintrin.h>

/* 12 accumulators, 2 loads and a broadcast leave one of 16 registers free. Four steps a turn made GCC spill: 8 % of
 * forward, D = 64. Over two panels they do not: 0.3 to 1 % less than two (Zen 3, GCC with its loops on cache
 * lines; without it was 1.5 % more on Zen 2). */
#define TILE_ROWS 6
#define TILE_VECTORS 2
#define TILE_STEPS 2
#define PAIR_STEPS 4

/* 4 x 3, with 7 loads for 12 multiply-adds in place of 8, took 5 to 9 % less over large products beside a busy sibling
 * thread, and 4 % more over the training of a translator. With four steps a turn GCC keeps sums on the stack, 3 to 4 %
 * of products. */
#define PRODUCT_ROWS 6
#define PRODUCT_VECTORS 2
#define PRODUCT_STEPS 2

#if ATTN_REAL_BITS == 32
typedef float real;
typedef __m256 vf;
typedef __m256 vm;
#define VF_LANES 8
#define VF_(op) _mm256_##op##_ps

ATTN_INLINE vf vf_shift_exponent(vf a) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a), 23)); }
#define VF_INTEGERS
ATTN_INLINE vf vf_to_int(vf a) { return _mm256_castsi256_ps(_mm256_cvtps_epi32(a)); }
ATTN_INLINE vf vf_add_int(vf a, vf b) {
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b)));
}
ATTN_INLINE vf vf_or_masked(vf a, vf mask, vf b) { return _mm256_or_ps(a, _mm256_and_ps(mask, b)); }
ATTN_INLINE vf vf_or3(vf a, vf b, vf c) { return _mm256_or_ps(_mm256_or_ps(a, b), c); }
ATTN_INLINE bool vf_any_sign(vf a) { return _mm256_movemask_ps(a) != 0; }
ATTN_INLINE vf vf_iota(void) { return _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7); }
ATTN_INLINE vm vf_bytes(const uint8_t *p) {
  __m256i wide = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p));
  return _mm256_castsi256_ps(_mm256_xor_si256(_mm256_cmpeq_epi32(wide, _mm256_setzero_si256()), _mm256_set1_epi32(-1)));
}
ATTN_INLINE real vf_hmax(vf v) {
  __m128 m = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  m = _mm_max_ps(m, _mm_movehl_ps(m, m));
  return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}
ATTN_INLINE real vf_hsum(vf v) {
  __m128 m = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  m = _mm_add_ps(m, _mm_movehl_ps(m, m));
  return _mm_cvtss_f32(_mm_add_ss(m, _mm_movehdup_ps(m)));
}
ATTN_INLINE void vf_transpose(vf r[VF_LANES]) {
  vf pairs[8], quads[8];
  for (int i = 0; i < 4; i++) {
    pairs[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
    pairs[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
  }
  for (int half = 0; half < 2; half++)
    for (int i = 0; i < 2; i++) {
      quads[4 * half + 2 * i] = _mm256_shuffle_ps(pairs[4 * half + i], pairs[4 * half + i + 2], 0x44);
      quads[4 * half + 2 * i + 1] = _mm256_shuffle_ps(pairs[4 * half + i], pairs[4 * half + i + 2], 0xee);
    }
  for (int i = 0; i < 4; i++) {
    r[i] = _mm256_permute2f128_ps(quads[i], quads[i + 4], 0x20);
    r[i + 4] = _mm256_permute2f128_ps(quads[i], quads[i + 4], 0x31);
  }
}
ATTN_INLINE vf vf_load_f16(const uint16_t *p) {
  return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)p));
}
ATTN_INLINE vf vf_load_bf16(const uint16_t *p) {
  __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
  return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}
ATTN_INLINE void vf_store_f16(uint16_t *p, vf v) {
  _mm_storeu_si128((__m128i *)(void *)p, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
ATTN_INLINE void vf_store_bf16(uint16_t *p, vf v) {
  __m256i bits = _mm256_castps_si256(v), odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
  __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
  __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
  __m256i halves = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, quiet, nan), 16);
  _mm_storeu_si128((__m128i *)(void *)p,
                   _mm_packus_epi32(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1)));
}
#else
typedef double real;
typedef __m256d vf;
typedef __m256d vm;
#define VF_LANES 4
#define VF_(op) _mm256_##op##_pd

ATTN_INLINE vf vf_shift_exponent(vf a) { return _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_castpd_si256(a), 52)); }
ATTN_INLINE vf vf_iota(void) { return _mm256_setr_pd(0, 1, 2, 3); }
ATTN_INLINE vm vf_bytes(const uint8_t *p) {
  int bytes;
  __builtin_memcpy(&bytes, p, sizeof bytes);
  __m256i wide = _mm256_cvtepu8_epi64(_mm_cvtsi32_si128(bytes));
  return _mm256_castsi256_pd(
      _mm256_xor_si256(_mm256_cmpeq_epi64(wide, _mm256_setzero_si256()), _mm256_set1_epi64x(-1)));
}
ATTN_INLINE real vf_hmax(vf v) {
  __m128d m = _mm_max_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
  return _mm_cvtsd_f64(_mm_max_sd(m, _mm_unpackhi_pd(m, m)));
}
ATTN_INLINE real vf_hsum(vf v) {
  __m128d m = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
  return _mm_cvtsd_f64(_mm_add_sd(m, _mm_unpackhi_pd(m, m)));
}
ATTN_INLINE void vf_transpose(vf r[VF_LANES]) {
  vf a = _mm256_unpacklo_pd(r[0], r[1]), b = _mm256_unpackhi_pd(r[0], r[1]);
  vf c = _mm256_unpacklo_pd(r[2], r[3]), d = _mm256_unpackhi_pd(r[2], r[3]);
  r[0] = _mm256_permute2f128_pd(a, c, 0x20);
  r[1] = _mm256_permute2f128_pd(b, d, 0x20);
  r[2] = _mm256_permute2f128_pd(a, c, 0x31);
  r[3] = _mm256_permute2f128_pd(b, d, 0x31);
}
#endif

ATTN_INLINE vf vf_load(const real *p) { return VF_(loadu)(p); }
ATTN_INLINE vf vf_load_first(const real *p, int64_t n) {
#if ATTN_REAL_BITS == 32
  __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), lane));
#else
  return _mm256_maskload_pd(p, _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3)));
#endif
}
ATTN_INLINE void vf_store(real *p, vf v) { VF_(storeu)(p, v); }
ATTN_INLINE vf vf_set1(real x) { return VF_(set1)(x); }
ATTN_INLINE vf vf_add(vf a, vf b) { return VF_(add)(a, b); }
ATTN_INLINE vf vf_sub(vf a, vf b) { return VF_(sub)(a, b); }
ATTN_INLINE vf vf_mul(vf a, vf b) { return VF_(mul)(a, b); }
ATTN_INLINE vf vf_div(vf a, vf b) { return VF_(div)(a, b); }
ATTN_INLINE vf vf_sqrt(vf a) { return VF_(sqrt)(a); }
ATTN_INLINE vf vf_fma(vf a, vf b, vf c) { return VF_(fmadd)(a, b, c); }
ATTN_INLINE vm vf_less(vf a, vf b) { return VF_(cmp)(a, b, _CMP_LT_OQ); }
ATTN_INLINE vm vf_differs(vf a, vf b) { return VF_(cmp)(a, b, _CMP_NEQ_UQ); }
ATTN_INLINE vm vf_nonzero(vf a) { return vf_differs(a, VF_(setzero)()); }
ATTN_INLINE bool vf_any(vm m) { return VF_(movemask)(m) != 0; }
ATTN_INLINE vf vf_select(vm m, vf a, vf b) { return VF_(blendv)(b, a, m); }
ATTN_INLINE vf vf_where(vm m, vf a) { return VF_(and)(m, a); }
ATTN_INLINE vf vf_max(vf a, vf b) { return VF_(max)(a, b); }
ATTN_INLINE vf vf_abs(vf a) { return VF_(andnot)(vf_set1((real)-0.0), a); }
ATTN_INLINE vf vf_copysign(vf magnitude, vf sign) {
  vf bit = vf_set1((real)-0.0);
  return VF_(or)(VF_(andnot)(bit, magnitude), VF_(and)(bit, sign));
}
