/* What is done to a row of scores between the product and the softmax: softcap, bias, ALiBi, mask, bounds. */

/*
 * tanh(x): for |x| < 5/8 x + x^3 P(x^2) with P the minimax polynomial of (tanh(x)/x - 1)/x^2 (relative error 4.2e-9
 * for float, 3.6e-19 for double), beyond it 1 - 2 / (2^(2 x log2 e) + 1) with the sign of x, written with the
 * exponential of -2|x| so that it cannot overflow.
 */
#if ATTN_REAL_BITS == 32
static const float tanh_coefficients[] = {-0.3333328392535162f, 0.1333149128873682f, -0.05374349821655374f,
                                          0.020650587711758746f, -0.005717045493457029f};
#else
static const double tanh_coefficients[] = {
    -0.333333333333333138,     0.1333333333332988929,   -0.05396825396613431736,  0.02186948847065195638,
    -0.008863234341477039153,  0.003592114271084335018, -0.001455727615715815083, 0.0005894586190489494962,
    -0.0002370301155302365918, 9.15897976881938902e-5,  -3.021796767350333159e-5, 6.055636401921615717e-6};
#endif
#define TANH_TERMS ((int)(sizeof tanh_coefficients / sizeof tanh_coefficients[0]))

ATTN_INLINE vf vf_tanh(vf x) {
  vf size = vf_abs(x), square = vf_mul(x, x);
  vf p = vf_set1(tanh_coefficients[TANH_TERMS - 1]);
  for (int i = TANH_TERMS - 2; i >= 0; i--) p = vf_fma(p, square, vf_set1(tanh_coefficients[i]));
  vf small = vf_fma(vf_mul(x, square), p, x);
  vf e = vf_exp2(vf_mul(size, vf_set1((real)-2.8853900817779268147))); /* e^(-2|x|) */
  vf one = vf_set1(1);
  vf large = vf_copysign(vf_div(vf_sub(one, e), vf_add(one, e)), x);
  return vf_select(vf_less(size, vf_set1((real)0.625)), small, large);
}

static void softcap(void *scores, int64_t n, double factor) {
  real *s = (real *)scores;
  for (int64_t j = 0; j < n; j += VF_LANES) vf_store(s + j, vf_mul(vf_set1((real)factor), vf_tanh(vf_load(s + j))));
}

static void add_bias(void *scores, const void *bias, attn_type type, int64_t stride, int64_t n, double factor) {
  real *s = (real *)scores;
  vf f = vf_set1((real)factor);
  int64_t j = 0;
  if (stride == 1) {
    for (; j + VF_LANES <= n; j += VF_LANES)
      vf_store(s + j, vf_add(vf_load(s + j), vf_mul(f, load_lanes(bias, type, j))));
  } else if (stride == 0) {
    vf x = vf_mul(f, vf_set1(load_one(bias, type, 0)));
    for (; j + VF_LANES <= n; j += VF_LANES) vf_store(s + j, vf_add(vf_load(s + j), x));
  }
  for (; j < n; j++) s[j] += (real)factor * load_one(bias, type, j * stride);
}

static void add_alibi(void *scores, int64_t n, double slope, int64_t distance) {
  real *s = (real *)scores;
  vf minus = vf_set1(-(real)slope);
  for (int64_t j = 0; j < n; j += VF_LANES) {
    vf apart = vf_abs(vf_sub(vf_set1((real)(distance - j)), vf_iota()));
    vf_store(s + j, vf_add(vf_load(s + j), vf_mul(minus, apart)));
  }
}

static void apply_mask(void *scores, const uint8_t *mask, int64_t stride, int64_t n) {
  real *s = (real *)scores;
  const real never = (real)-INFINITY;
  int64_t j = 0;
  if (stride == 0 && mask[0]) return;
  if (stride == 1)
    for (; j + VF_LANES <= n; j += VF_LANES)
      vf_store(s + j, vf_select(vf_bytes(mask + j), vf_load(s + j), vf_set1(never)));
  for (; j < n; j++)
    if (!mask[j * stride]) s[j] = never;
}

static void clip(void *scores, int64_t n, int64_t low, int64_t high) {
  real *s = (real *)scores;
  const real never = (real)-INFINITY;
  for (int64_t j = 0; j < low && j < n; j++) s[j] = never;
  for (int64_t j = high > 0 ? high : 0; j < n; j++) s[j] = never;
}
