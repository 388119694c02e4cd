/*
 * 2^x for x <= 64 (softmax needs 16), vectorised.
 *
 * With n = round(x) and f = x - n in [-1/2, 1/2], 2^x = 2^n * (1 + f P(f)); P is the minimax polynomial of
 * (2^f - 1) / f, so that 2^0 is exactly 1. Relative error of the polynomial: 9.2e-8 (degree 5) for float,
 * 3.4e-18 (degree 11) for double. Adding 1.5 * 2^mantissa + bias rounds to the nearest integer and leaves n + bias in
 * the low bits, one shift away from 2^n. Below the clamp n + bias is 0 and the result exactly 0, which is what the
 * softmax needs of -infinity; results that would be subnormal are 0 as well. NaN stays NaN.
 */
#if ATTN_REAL_BITS == 32
#define EXP2_CLAMP (-127.0f)
#define EXP2_ROUND (12582912.0f + 127.0f)
static const float exp2_coefficients[] = {0.6931469776025218f, 0.24022242085495692f, 0.05550733737244889f,
                                          0.009671512639824997f, 0.0013264729096255214f};
#else
#define EXP2_CLAMP (-1023.0)
#define EXP2_ROUND (6755399441055744.0 + 1023.0)
static const double exp2_coefficients[] = {0.6931471805599453258,   0.2402265069591013126,   0.05550410866482008313,
                                           0.009618129107594120639, 0.001333355814677464894, 0.0001540353045711136135,
                                           1.525273349309594111e-5, 1.321543528268069396e-6, 1.017819958644744327e-7,
                                           7.073783184453501361e-9, 4.434768928685804274e-10};
#endif
#define EXP2_TERMS ((int)(sizeof exp2_coefficients / sizeof exp2_coefficients[0]))

ATTN_INLINE vf vf_exp2(vf x) {
  x = vf_max(vf_set1(EXP2_CLAMP), x);
  vf shifted = vf_add(x, vf_set1(EXP2_ROUND));
  vf f = vf_sub(x, vf_sub(shifted, vf_set1(EXP2_ROUND)));
  vf p = vf_set1(exp2_coefficients[EXP2_TERMS - 1]);
  for (int i = EXP2_TERMS - 2; i >= 0; i--) p = vf_fma(p, f, vf_set1(exp2_coefficients[i]));
  p = vf_fma(p, f, vf_set1(1));
  return vf_mul(p, vf_shift_exponent(shifted));
}

/* The same function of one number, so that a rescaling factor and a weight agree to the bit. */
ATTN_INLINE real exp2_one(real x) {
  real lanes[VF_LANES];
  vf_store(lanes, vf_exp2(vf_set1(x)));
  return lanes[0];
}
