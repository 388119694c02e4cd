/*
 * Vector vocabulary, portable: 16-byte vectors as GCC and Clang know them on every target. This is the specification
 * of the other vocabularies. Compile with ATTN_REAL_BITS 32 or 64.
 *
 * vf      a vector of VF_LANES reals            vm     a vector of comparison results
 * TILE_ROWS x TILE_VECTORS vectors are the register tile of attention's products on one panel, and half as many rows on
 * two panels; TILE_STEPS and PAIR_STEPS are steps of the depth a turn of their loops, where the left operand comes by
 * rows. PRODUCT_... the same of whole matrices' (kernels/matmul-inl.h).
 *
 * A vocabulary that converts float to int at full speed may define VF_INTEGERS and these words for float, with which
 * exp2_bits-inl.h takes the place of exp2-inl.h where scores allow it. Integers stand in a vf as bits.
 *   vf vf_to_int(vf a)                    a rounded to an int32; the least one where it does not fit, and for NaN
 *   vf vf_add_int(vf a, vf b)             the sums of the int32s, modulo 2^32
 *   vf vf_or_masked(vf a, vf mask, vf b)  a | (mask & b)
 *   vf vf_or3(vf a, vf b, vf c)           a | b | c
 *   bool vf_any_sign(vf a)                whether the first bit of some lane is set
 */
#include <math.h>
#include <string.h>

#define TILE_ROWS 4
#define TILE_VECTORS 2
#define TILE_STEPS 2
#define PAIR_STEPS 2
#define PRODUCT_ROWS 4
#define PRODUCT_VECTORS 2
#define PRODUCT_STEPS 2

#if ATTN_REAL_BITS == 32
typedef float real;
typedef int32_t real_bits;
#define VF_LANES 4
#else
typedef double real;
typedef int64_t real_bits;
#define VF_LANES 2
#endif
typedef real vf __attribute__((vector_size(16)));
typedef real_bits vm __attribute__((vector_size(16)));

ATTN_INLINE vf vf_load(const real *p) {
  vf v;
  memcpy(&v, p, sizeof v);
  return v;
}
/* The first n < VF_LANES numbers, and zeros; reads nothing beyond them. */
ATTN_INLINE vf vf_load_first(const real *p, int64_t n) {
  real v[VF_LANES] = {0};
  for (int64_t i = 0; i < n; i++) v[i] = p[i];
  return vf_load(v);
}
ATTN_INLINE void vf_store(real *p, vf v) { memcpy(p, &v, sizeof v); }
ATTN_INLINE vf vf_set1(real x) { return x - (vf){0}; }
ATTN_INLINE vf vf_add(vf a, vf b) { return a + b; }
ATTN_INLINE vf vf_sub(vf a, vf b) { return a - b; }
ATTN_INLINE vf vf_mul(vf a, vf b) { return a * b; }
ATTN_INLINE vf vf_div(vf a, vf b) { return a / b; }
ATTN_INLINE vf vf_sqrt(vf a) {
  for (int i = 0; i < VF_LANES; i++) a[i] = ATTN_REAL_BITS == 32 ? (real)sqrtf((float)a[i]) : (real)sqrt((double)a[i]);
  return a;
}
/* a * b + c, fused where the machine does so at full speed. */
ATTN_INLINE vf vf_fma(vf a, vf b, vf c) { return a * b + c; }
ATTN_INLINE vm vf_less(vf a, vf b) { return a < b; }
/* Where a is not b: NaN is not. */
ATTN_INLINE vm vf_differs(vf a, vf b) { return a != b; }
/* Where a is not 0: NaN is not. */
ATTN_INLINE vm vf_nonzero(vf a) { return vf_differs(a, (vf){0}); }
ATTN_INLINE bool vf_any(vm m) {
  for (int i = 0; i < VF_LANES; i++)
    if (m[i]) return true;
  return false;
}
/* where(m) ? a : b */
ATTN_INLINE vf vf_select(vm m, vf a, vf b) { return (vf)((m & (vm)a) | (~m & (vm)b)); }
/* where(m) ? a : 0 */
ATTN_INLINE vf vf_where(vm m, vf a) { return (vf)(m & (vm)a); }
/* a > b ? a : b, hence b where either is NaN. */
ATTN_INLINE vf vf_max(vf a, vf b) { return vf_select(a > b, a, b); }
ATTN_INLINE vf vf_abs(vf a) { return (vf)((vm)a & ~(vm)vf_set1((real)-0.0)); }
/* |magnitude| with the sign of sign. */
ATTN_INLINE vf vf_copysign(vf magnitude, vf sign) {
  vm bit = (vm)vf_set1((real)-0.0);
  return (vf)(((vm)magnitude & ~bit) | ((vm)sign & bit));
}
/* The bits shifted up by the width of the mantissa: with the rounding constant of exp2-inl.h, 2^n. */
ATTN_INLINE vf vf_shift_exponent(vf a) { return (vf)((vm)a << (VF_LANES == 4 ? 23 : 52)); }
/* 0, 1, 2, ... */
ATTN_INLINE vf vf_iota(void) {
  real v[VF_LANES];
  for (int i = 0; i < VF_LANES; i++) v[i] = (real)i;
  return vf_load(v);
}
/* Lanes whose byte is nonzero. */
ATTN_INLINE vm vf_bytes(const uint8_t *p) {
  vm m;
  for (int i = 0; i < VF_LANES; i++) m[i] = p[i] ? -1 : 0;
  return m;
}
ATTN_INLINE real vf_hmax(vf v) {
  real m = v[0];
  for (int i = 1; i < VF_LANES; i++) m = v[i] > m ? v[i] : m;
  return m;
}
ATTN_INLINE real vf_hsum(vf v) {
  real total = v[0];
  for (int i = 1; i < VF_LANES; i++) total += v[i];
  return total;
}
/* rows[i][j] becomes rows[j][i]. */
ATTN_INLINE void vf_transpose(vf rows[VF_LANES]) {
  real t[VF_LANES][VF_LANES];
  for (int i = 0; i < VF_LANES; i++)
    for (int j = 0; j < VF_LANES; j++) t[j][i] = rows[i][j];
  for (int i = 0; i < VF_LANES; i++) rows[i] = vf_load(t[i]);
}
#if ATTN_REAL_BITS == 32
ATTN_INLINE vf vf_load_f16(const uint16_t *p) {
  real v[VF_LANES];
  for (int i = 0; i < VF_LANES; i++) v[i] = attn_f16_to_f32(p[i]);
  return vf_load(v);
}
ATTN_INLINE vf vf_load_bf16(const uint16_t *p) {
  real v[VF_LANES];
  for (int i = 0; i < VF_LANES; i++) v[i] = attn_bf16_to_f32(p[i]);
  return vf_load(v);
}
/* Bit for bit as half.h rounds, NaN too. */
ATTN_INLINE void vf_store_f16(uint16_t *p, vf v) {
  for (int i = 0; i < VF_LANES; i++) p[i] = attn_f32_to_f16(v[i]);
}
ATTN_INLINE void vf_store_bf16(uint16_t *p, vf v) {
  for (int i = 0; i < VF_LANES; i++) p[i] = attn_f32_to_bf16(v[i]);
}
#endif
