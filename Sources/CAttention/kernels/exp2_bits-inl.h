/*
 * 2^(s - m) of float where -126 <= s - m < 128, by integers: 10 instructions where exp2-inl.h takes 12, of which only 7
 * compete with multiply-adds for their ports.
 *
 * The integer i = round((s - m) 2^23) holds the fraction f of s - m in its low 23 bits and the whole part n above them.
 * Added to the bits of 1 it is Schraudolph's exponential, 2^n (1 + f) (Schraudolph 1999, Neural Computation 11); added
 * to the bits of 1 + (2^f - 1 - f) / 2, which lies between 0.95 and 1, where a bit of the mantissa counts half, it is
 * 2^n 2^f. That number is a polynomial of degree 5 in u = 1 + f, which the low bits behind the exponent of 1 read as.
 *
 * It is the minimax one of those whose error is 0 at f = 0, so that 2^0 is exactly 1, and vanishes with its slope at
 * f = 1, which scores just below m come to: weights that are nearly equal are so by scores whose own rounding is small,
 * and their small differences make the gradients. Relative error 1.7e-7, with the rounding of its operations 2.4e-7 and
 * of its argument 2.8e-7, without bias at the ends. Without the condition of the slope it is 9.2e-8, but small gradients
 * of nearly even attention were off by twice as much. A degree more, 1.0e-7 with all rounding of operations, takes 0.5
 * cycles a vector.
 *
 * Nothing is clamped. What is out of range runs over into the sign bit instead, as does all that fits no integer, NaN
 * and infinity too, which become the least one: a weight with a sign tells that its score needs exp2-inl.h. Two
 * stretches have no sign: from -127 to -126 the weight is a number below 2^-126 without accuracy, or 0; from 128 to 129
 * it is infinite or NaN.
 */
#ifdef VF_INTEGERS
#define EXP2_UNIT 0x1p23f

static const float exp2_bits_coefficients[] = {0x1.3fbdecp+0f, -0x1.4a4d3ap-2f,  0x1.b2f618p-5f,
                                               0x1.463f34p-6f, -0x1.ab6bbcp-12f, 0x1.fb5ccep-11f};
#define EXP2_BITS_TERMS ((int)(sizeof exp2_bits_coefficients / sizeof exp2_bits_coefficients[0]))

ATTN_INLINE vf vf_set1_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return vf_set1(x);
}

/* 2^(s - m) or a number with a sign, given -m EXP2_UNIT. One vector at a time: the chain is short enough for processors
 * to overlap. By twos and fours in step it took 10 and 20 % longer (AVX2, Emerald Rapids). */
ATTN_INLINE vf vf_exp2_bits(vf s, vf minus_m) {
  vf i = vf_to_int(vf_fma(s, vf_set1(EXP2_UNIT), minus_m));
  vf u = vf_or_masked(vf_set1(1), vf_set1_bits(0x7fffff), i), p = vf_set1(exp2_bits_coefficients[EXP2_BITS_TERMS - 1]);
  for (int term = EXP2_BITS_TERMS - 2; term >= 0; term--) p = vf_fma(p, u, vf_set1(exp2_bits_coefficients[term]));
  return vf_add_int(p, i);
}

/* The same, and 0 for s = -infinity where `masked`. */
ATTN_INLINE vf vf_exp2_bits_masked(vf s, vf minus_m, bool masked) {
  vf w = vf_exp2_bits(s, minus_m);
  return masked ? vf_where(vf_differs(s, vf_set1((real)-INFINITY)), w) : w;
}
#endif
