/* One step of the online softmax (Milakov & Gimelshein 2018), a row at a time. */

/* By how much, in base 2, scores may pass the maximum before it follows and what was summed is rescaled. Weights up to
 * 2^8 lose no accuracy, and values only the last 2^8 of their range; a branch that is taken now and then, which no
 * processor predicts, becomes rare: 2 % of the time at D = 64 on AVX2. */
#define SOFTMAX_SLACK 8

_Static_assert(TILE_VECTORS % 2 == 0, "a turn of the softmax takes two vectors of a panel, or four");

/* A row that sees NaN is NaN, whatever its maximum. */
ATTN_INLINE vf softmax_maxima(const real *s, int64_t n) {
  vf a = vf_load(s), b = vf_load(s + VF_LANES);
  for (int64_t j = 2 * VF_LANES; j < n; j += 2 * VF_LANES) {
    a = vf_max(a, vf_load(s + j));
    b = vf_max(b, vf_load(s + j + VF_LANES));
  }
  return vf_max(a, b);
}

/* w = s = 2^(s - subtract) of `count` vectors. */
ATTN_INLINE void weights_of(vf *w, real *s, vf subtract, int count) {
  for (int i = 0; i < count; i++) w[i] = vf_sub(vf_load(s + i * VF_LANES), subtract);
  vf_exp2_each(w, count);
  for (int i = 0; i < count; i++) vf_store(s + i * VF_LANES, w[i]);
}

ATTN_INLINE void softmax_weights(real *s, int64_t n, vf subtract) {
  const int64_t turn = EXP2_TOGETHER * VF_LANES;
  vf w[EXP2_TOGETHER];
  int64_t j = 0;
  for (; j + turn <= n; j += turn) weights_of(w, s + j, subtract, EXP2_TOGETHER);
  for (; j < n; j += 2 * VF_LANES) weights_of(w, s + j, subtract, 2);
}

ATTN_INLINE real softmax_sum(const real *s, int64_t n) {
  vf a = vf_load(s), b = vf_load(s + VF_LANES);
  for (int64_t j = 2 * VF_LANES; j < n; j += 2 * VF_LANES) {
    a = vf_add(a, vf_load(s + j));
    b = vf_add(b, vf_load(s + j + VF_LANES));
  }
  return vf_hsum(vf_add(a, b));
}

static void softmax(void *scores, int64_t stride, int64_t rows, int64_t n, void *maximum, void *sum, void *output,
                    int64_t output_stride, int64_t width) {
  real *m = (real *)maximum, *l = (real *)sum;
  vf lowest = vf_set1(ATTN_REAL_BITS == 32 ? (real)-FLT_MAX : (real)-DBL_MAX);
  for (int64_t r = 0; r < rows; r++) {
    real *s = (real *)scores + r * stride;
    real seen = m[r], now;
    vf maxima = softmax_maxima(s, n);
    if (vf_any(vf_less(vf_set1(seen + SOFTMAX_SLACK), maxima)) && (now = vf_hmax(maxima)) > seen) {
      if (seen != (real)-INFINITY) {
        real factor = exp2_one(seen - now);
        real *o = (real *)output + r * output_stride;
        for (int64_t c = 0; c < width; c += VF_LANES) vf_store(o + c, vf_mul(vf_set1(factor), vf_load(o + c)));
        l[r] *= factor;
      }
      m[r] = seen = now;
    }
    /* With no finite score yet, -infinity less a finite number still gives weight 0, where -infinity less itself would
     * give NaN. */
    softmax_weights(s, n, vf_max(lowest, vf_set1(seen)));
  }
  /* In a pass of their own: sums that wait for the exponentials keep others from starting, 1.8 cycles a vector. */
  for (int64_t r = 0; r < rows; r++) l[r] += softmax_sum((const real *)scores + r * stride, n);
}

static void exp2_row(void *scores, int64_t n, double subtract) {
  real *s = (real *)scores;
  vf masked = vf_set1(ATTN_REAL_BITS == 32 ? (real)-FLT_MAX : (real)-DBL_MAX), m = vf_set1((real)subtract);
  for (int64_t j = 0; j < n; j += VF_LANES) {
    vf x = vf_load(s + j);
    vf_store(s + j, vf_select(vf_less(x, masked), vf_set1(0), vf_exp2(vf_sub(x, m))));
  }
}

static void drop(void *p, const uint8_t *keep, int64_t n) {
  real *weights = (real *)p;
  for (int64_t j = 0; j < n; j += VF_LANES)
    vf_store(weights + j, vf_select(vf_bytes(keep + j), vf_load(weights + j), vf_set1(0)));
}
