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
#define EXP2_TOGETHER 4
#define EXP2_TERMS ((int)(sizeof exp2_coefficients / sizeof exp2_coefficients[0]))

/* x[i] = 2^x[i], a step of the function for all `count` vectors before the next step. One vector is a chain of some 45
 * cycles, and a processor with few instructions in waiting sees two or three chains at once: the softmax took 9.9
 * cycles a vector by twos and takes 8.7 by fours on Zen 2. */
ATTN_INLINE void vf_exp2_each(vf *x, int count) {
  vf shifted[EXP2_TOGETHER], p[EXP2_TOGETHER];
  for (int i = 0; i < count; i++) x[i] = vf_max(vf_set1(EXP2_CLAMP), x[i]);
  for (int i = 0; i < count; i++) shifted[i] = vf_add(x[i], vf_set1(EXP2_ROUND));
  for (int i = 0; i < count; i++) p[i] = vf_sub(shifted[i], vf_set1(EXP2_ROUND));
  for (int i = 0; i < count; i++) x[i] = vf_sub(x[i], p[i]);
  for (int i = 0; i < count; i++) shifted[i] = vf_shift_exponent(shifted[i]);
  for (int i = 0; i < count; i++) p[i] = vf_set1(exp2_coefficients[EXP2_TERMS - 1]);
  for (int term = EXP2_TERMS - 2; term >= 0; term--)
    for (int i = 0; i < count; i++) p[i] = vf_fma(p[i], x[i], vf_set1(exp2_coefficients[term]));
  for (int i = 0; i < count; i++) p[i] = vf_fma(p[i], x[i], vf_set1(1));
  for (int i = 0; i < count; i++) x[i] = vf_mul(p[i], shifted[i]);
}

ATTN_INLINE vf vf_exp2(vf x) {
  vf_exp2_each(&x, 1);
  return x;
}

/* The same function of one number, so that a rescaling factor and a weight agree to the bit. */
ATTN_INLINE real exp2_one(real x) {
  real lanes[VF_LANES];
  vf_store(lanes, vf_exp2(vf_set1(x)));
  return lanes[0];
}
