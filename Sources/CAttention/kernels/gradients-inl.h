/* Rows of the backward pass: weights to gradients of scores. */

static double dot(const void *a, const void *b, int64_t n) {
  const real *x = (const real *)a, *y = (const real *)b;
  vf total = vf_set1(0);
  int64_t j = 0;
  for (; j + VF_LANES <= n; j += VF_LANES) total = vf_fma(vf_load(x + j), vf_load(y + j), total);
  real sum = vf_hsum(total);
  for (; j < n; j++) sum += x[j] * y[j];
  return (double)sum;
}

static void cap_slopes(void *slopes, const void *capped, int64_t n, double factor) {
  real *out = (real *)slopes;
  const real *s = (const real *)capped;
  for (int64_t j = 0; j < n; j += VF_LANES) {
    vf t = vf_mul(vf_load(s + j), vf_set1((real)factor));
    vf_store(out + j, vf_sub(vf_set1(1), vf_mul(t, t)));
  }
}

static void drop_scaled(void *numbers, const uint8_t *keep, int64_t n, double factor) {
  real *x = (real *)numbers;
  for (int64_t j = 0; j < n; j += VF_LANES)
    vf_store(x + j, vf_where(vf_bytes(keep + j), vf_mul(vf_load(x + j), vf_set1((real)factor))));
}

/* w (x - delta), 0 where w is 0, whatever x and delta are. */
ATTN_INLINE vf score_gradient(vf w, vf x, vf delta) { return vf_where(vf_nonzero(w), vf_mul(w, vf_sub(x, delta))); }

static void score_gradients(void *numbers, const void *weights, int64_t n, double delta) {
  real *x = (real *)numbers;
  const real *p = (const real *)weights;
  vf d = vf_set1((real)delta);
  for (int64_t j = 0; j < n; j += VF_LANES) vf_store(x + j, score_gradient(vf_load(p + j), vf_load(x + j), d));
}

ATTN_INLINE void weights_and_gradients_of(real *s, real *x, vf subtract, vf delta, int count) {
  vf w[EXP2_TOGETHER];
  weights_of(w, s, subtract, count);
  for (int i = 0; i < count; i++) vf_store(x + i * VF_LANES, score_gradient(w[i], vf_load(x + i * VF_LANES), delta));
}

#ifdef VF_INTEGERS
/* The same of a pair of vectors by vf_exp2_bits; false, nothing done, where a weight is not a normal number, unless its
 * score is -infinity, which is looked for where `masked`. */
ATTN_INLINE bool near_weights_and_gradients(real *s, real *x, vf minus_m, vf delta, bool masked) {
  vf w[2], above[2]; /* with a sign below the least normal number */
  for (int i = 0; i < 2; i++) {
    vf score = vf_load(s + i * VF_LANES);
    w[i] = vf_exp2_bits(score, minus_m);
    above[i] = vf_add_int(w[i], vf_set1_bits(0u - 0x00800000u));
    if (!masked) continue;
    vm seen = vf_differs(score, vf_set1((real)-INFINITY));
    w[i] = vf_where(seen, w[i]), above[i] = vf_where(seen, above[i]);
  }
  if (vf_any_sign(vf_or3(above[0], above[1], above[1]))) return false;
  for (int i = 0; i < 2; i++) {
    vf numbers = vf_load(x + i * VF_LANES);
    vf_store(s + i * VF_LANES, w[i]);
    vf_store(x + i * VF_LANES, masked ? score_gradient(w[i], numbers, delta) : vf_mul(w[i], vf_sub(numbers, delta)));
  }
  return true;
}

/* A pair by the first way that can do it; the first two give the same bits where both can. */
ATTN_INLINE void weights_and_gradients_of_pair(real *s, real *x, vf m, vf minus_m, vf delta, bool masked) {
  if (!masked && near_weights_and_gradients(s, x, minus_m, delta, false)) return;
  if (near_weights_and_gradients(s, x, minus_m, delta, true)) return;
  weights_and_gradients_of(s, x, m, delta, 2);
}
#endif

static void weights_and_gradients(void *scores, void *numbers, int64_t n, bool masked, double subtract, double delta) {
  /* A score of -infinity less one of these is NaN, where exp2_row alone gives 0. */
  if (!(subtract > -(double)INFINITY)) {
    exp2_row(scores, n, subtract);
    score_gradients(numbers, scores, n, delta);
    return;
  }
  real *s = (real *)scores, *x = (real *)numbers;
  vf m = vf_set1((real)subtract), d = vf_set1((real)delta);
  int64_t j = 0;
#ifdef VF_INTEGERS
  const vf minus_m = vf_set1((real)subtract * -EXP2_UNIT);
  for (; j + PAIR_LANES <= n; j += PAIR_LANES) weights_and_gradients_of_pair(s + j, x + j, m, minus_m, d, masked);
#else
  (void)masked;
  const int64_t turn = EXP2_TOGETHER * VF_LANES;
  for (; j + turn <= n; j += turn) weights_and_gradients_of(s + j, x + j, m, d, EXP2_TOGETHER);
#endif
  for (; j < n; j += VF_LANES) weights_and_gradients_of(s + j, x + j, m, d, 1);
}

static void multiply(void *numbers, const void *factors, int64_t n) {
  real *x = (real *)numbers;
  const real *f = (const real *)factors;
  for (int64_t j = 0; j < n; j += VF_LANES) {
    vf v = vf_load(x + j);
    vf_store(x + j, vf_where(vf_nonzero(v), vf_mul(v, vf_load(f + j))));
  }
}

static void add_row(void *sum, int64_t stride, const void *row, int64_t n) {
  real *total = (real *)sum;
  const real *x = (const real *)row;
  int64_t j = 0;
  for (; stride == 1 && j + VF_LANES <= n; j += VF_LANES)
    vf_store(total + j, vf_add(vf_load(total + j), vf_load(x + j)));
  for (; j < n; j++) total[j * stride] += x[j];
}

static bool all_finite(const void *numbers, int64_t n) {
  const real *x = (const real *)numbers;
  vf poison = vf_set1(0); /* x * 0 is 0 for finite x and NaN for the others */
  int64_t j = 0;
  for (; j + VF_LANES <= n; j += VF_LANES) poison = vf_fma(vf_load(x + j), vf_set1(0), poison);
  real total = vf_hsum(poison);
  for (; j < n; j++) total += x[j] * 0;
  return total == total;
}

static void make_finite(void *numbers, int64_t n) {
  real *x = (real *)numbers;
  for (int64_t j = 0; j < n; j++)
    if (x[j] - x[j] != 0) x[j] = 0;
}
