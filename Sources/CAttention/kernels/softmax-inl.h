/* One step of the online softmax (Milakov & Gimelshein 2018), a row at a time. */

/* By how much, in base 2, scores may pass the maximum before it follows and what was summed is rescaled. Weights up to
 * 2^8 lose no accuracy, and values only the last 2^8 of their range; a branch that is taken now and then, which no
 * processor predicts, becomes rare: 2 % of the time at D = 64 on AVX2. */
#define SOFTMAX_SLACK 8

_Static_assert(TILE_VECTORS % 2 == 0, "a turn of the softmax takes two vectors of a panel");

/* A row that sees NaN is NaN, whatever its maximum. */
ATTN_INLINE vf softmax_maxima(const real *s, int64_t n) {
  vf m = vf_load(s);
  for (int64_t j = 0; j < n; j += 2 * VF_LANES) m = vf_max(vf_max(m, vf_load(s + j)), vf_load(s + j + VF_LANES));
  return m;
}

ATTN_INLINE vf softmax_weight(real *s, vf subtract) {
  vf p = vf_exp2(vf_sub(vf_load(s), subtract));
  vf_store(s, p);
  return p;
}

ATTN_INLINE real softmax_weights(real *s, int64_t n, real subtract) {
  vf total = vf_set1(0), m = vf_set1(subtract);
  for (int64_t j = 0; j < n; j += 2 * VF_LANES) {
    total = vf_add(total, softmax_weight(s + j, m));
    total = vf_add(total, softmax_weight(s + j + VF_LANES, m));
  }
  return vf_hsum(total);
}

static void softmax(void *scores, int64_t stride, int64_t rows, int64_t n, void *maximum, void *sum, void *output,
                    int64_t output_stride, int64_t width) {
  real *m = (real *)maximum, *l = (real *)sum;
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
    /* With no finite score yet, -infinity - 0 still gives weight 0, where -infinity - -infinity would give NaN. */
    l[r] += softmax_weights(s, n, seen == (real)-INFINITY ? (real)0 : seen);
  }
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
