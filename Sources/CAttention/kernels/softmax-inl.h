/* One step of the online softmax (Milakov & Gimelshein 2018), a row at a time. */

/* By how much, in base 2, scores may pass the maximum before it follows and what was summed is rescaled. Weights up to
 * 2^8 lose no accuracy, and values only the last 2^8 of their range; a branch that is taken now and then, which no
 * processor predicts, becomes rare: 2 % of the time at D = 64 on AVX2. */
#define SOFTMAX_SLACK 8

/* What a row is worked on by: all sums of weights are taken in pairs of vectors. */
#define PAIR_LANES (2 * VF_LANES)
_Static_assert(PANEL_WIDTH % PAIR_LANES == 0, "a panel is made of whole pairs of vectors");

/* A row of scores and what it is summed into. */
typedef struct softmax_row {
  real *s;
  int64_t n;
  real *maximum;
  real *sum; /* a vector */
  real *output;
  int64_t width;
} softmax_row;

/* A row that sees NaN is NaN, whatever its maximum. */
ATTN_INLINE vf softmax_maxima(const real *s, int64_t n) {
  vf a = vf_load(s), b = vf_load(s + VF_LANES);
  for (int64_t j = PAIR_LANES; j < n; j += PAIR_LANES) {
    a = vf_max(a, vf_load(s + j));
    b = vf_max(b, vf_load(s + j + VF_LANES));
  }
  return vf_max(a, b);
}

ATTN_INLINE bool passes_slack(const softmax_row *row, vf maxima) {
  return vf_any(vf_less(vf_set1(row->maximum[0] + SOFTMAX_SLACK), maxima));
}

/* Lets the maximum follow scores [first, n) if they pass it by more than the slack, and rescales what was made with the
 * old one: weights [0, first), their sum so far, and what earlier steps left. */
static void follow_maximum(const softmax_row *row, int64_t first, vf *sum) {
  real seen = row->maximum[0], now;
  vf maxima = softmax_maxima(row->s + first, row->n - first);
  if (!passes_slack(row, maxima) || !((now = vf_hmax(maxima)) > seen)) return; /* NaN does not move it */
  row->maximum[0] = now;
  if (seen == (real)-INFINITY) return;
  vf factor = vf_set1(exp2_one(seen - now));
  for (int64_t c = 0; c < row->width; c += VF_LANES)
    vf_store(row->output + c, vf_mul(factor, vf_load(row->output + c)));
  for (int64_t j = 0; j < first; j += VF_LANES) vf_store(row->s + j, vf_mul(factor, vf_load(row->s + j)));
  vf_store(row->sum, vf_mul(factor, vf_load(row->sum)));
  *sum = vf_mul(factor, *sum);
}

/* What scores are measured from. With no finite score yet, -infinity less a finite number still gives weight 0, where
 * -infinity less itself would give NaN. */
ATTN_INLINE vf softmax_origin(const softmax_row *row) {
  return vf_max(vf_set1(ATTN_REAL_BITS == 32 ? (real)-FLT_MAX : (real)-DBL_MAX), vf_set1(row->maximum[0]));
}

/* w = s = 2^(s - subtract) of `count` vectors. */
ATTN_INLINE void weights_of(vf *w, real *s, vf subtract, int count) {
  for (int i = 0; i < count; i++) w[i] = vf_sub(vf_load(s + i * VF_LANES), subtract);
  vf_exp2_each(w, count);
  for (int i = 0; i < count; i++) vf_store(s + i * VF_LANES, w[i]);
}

/* A row whose scores may be anything; returns the sum of its weights. */
ATTN_INLINE vf softmax_any(const softmax_row *row) {
  const int64_t turn = EXP2_TOGETHER * VF_LANES;
  vf w[EXP2_TOGETHER], sum = vf_set1(0);
  follow_maximum(row, 0, &sum);
  vf subtract = softmax_origin(row);
  int64_t j = 0;
  for (; j + turn <= row->n; j += turn) weights_of(w, row->s + j, subtract, EXP2_TOGETHER);
  for (; j < row->n; j += PAIR_LANES) weights_of(w, row->s + j, subtract, 2);
  /* In a pass of their own: sums that wait for the exponentials keep others from starting, 1.8 cycles a vector. */
  for (j = 0; j < row->n; j += PAIR_LANES)
    sum = vf_add(sum, vf_add(vf_load(row->s + j), vf_load(row->s + j + VF_LANES)));
  return sum;
}

#ifdef VF_INTEGERS
/*
 * Most scores lie where vf_exp2_bits works: 5.7 cycles a vector in place of 7.6 (AVX2, Emerald Rapids). What a row comes
 * to is said by softmax_pairs: a pair of vectors goes by vf_exp2_bits if its weights, but for those of -infinity, which
 * are 0, come out without a sign and their sums below 240, else by exp2-inl.h. That depends on nothing but the row, so
 * the bits are the same however a mask is told, rows are cut into blocks and keys into columns. softmax_at_once, which
 * looks for -infinity only where it is told of a mask (0.9 cycles), looks for signs once at the end of the row; to do so
 * at each pair takes a cycle more. A row that it can't do is put back and goes by pairs.
 */

/* Longer rows go by pairs. */
#define MOST_AT_ONCE 256

/* Gives sums from 240 on a sign: early enough below 2^8 that no error of the exponential hides a score beyond the slack.
 * Infinity and NaN, which scores 128 above the maximum come to without a sign of their own, get one, too. */
ATTN_INLINE vf sign_beyond_slack(vf sum) {
  const uint32_t limit = 0x437u << 20;
  _Static_assert(SOFTMAX_SLACK == 8, "240 is 15/16 of 2^8");
  return vf_add_int(sum, vf_set1_bits(0x80000000u - limit));
}

ATTN_INLINE vf minus_origin(const softmax_row *row) { return vf_set1(row->maximum[0] * -EXP2_UNIT); }

static vf softmax_pairs(const softmax_row *row) {
  vf sum = vf_set1(0), m = minus_origin(row), w[2];
  for (int64_t j = 0; j < row->n; j += PAIR_LANES) {
    real *s = row->s + j;
    for (int i = 0; i < 2; i++) w[i] = vf_exp2_bits_masked(vf_load(s + i * VF_LANES), m, true);
    if (!vf_any_sign(vf_or3(w[0], w[1], sign_beyond_slack(vf_add(w[0], w[1]))))) {
      for (int i = 0; i < 2; i++) vf_store(s + i * VF_LANES, w[i]);
    } else {
      /* A look at the pair before one at the rest, which has the maximum: pairs before did not pass the slack. */
      if (passes_slack(row, softmax_maxima(s, PAIR_LANES))) follow_maximum(row, j, &sum);
      weights_of(w, s, softmax_origin(row), 2);
      m = minus_origin(row);
    }
    sum = vf_add(sum, vf_add(w[0], w[1]));
  }
  return sum;
}

ATTN_INLINE vf softmax_at_once(const softmax_row *row, bool masked) {
  real before[MOST_AT_ONCE];
  vf sum = vf_set1(0), signs = vf_set1(0), m = minus_origin(row), w[2];
  if (row->n > MOST_AT_ONCE) return softmax_pairs(row);
  for (int64_t j = 0; j < row->n; j += PAIR_LANES) {
    for (int i = 0; i < 2; i++) {
      real *s = row->s + j + i * VF_LANES;
      vf x = vf_load(s);
      vf_store(before + j + i * VF_LANES, x);
      vf_store(s, w[i] = vf_exp2_bits_masked(x, m, masked));
    }
    signs = vf_or3(signs, w[0], w[1]);
    sum = vf_add(sum, vf_add(w[0], w[1]));
  }
  if (!vf_any_sign(vf_or3(signs, signs, sign_beyond_slack(sum)))) return sum;
  memcpy(row->s, before, (size_t)row->n * sizeof *before);
  return softmax_pairs(row);
}

ATTN_INLINE vf softmax_weights(const softmax_row *row, bool masked) {
  vf nothing = vf_set1(0);
  if (row->maximum[0] == (real)-INFINITY) follow_maximum(row, 0, &nothing);
  return masked ? softmax_at_once(row, true) : softmax_at_once(row, false);
}
#else
ATTN_INLINE vf softmax_weights(const softmax_row *row, bool masked) {
  (void)masked;
  return softmax_any(row);
}
#endif

ATTN_INLINE void softmax_rows(softmax_row row, int64_t stride, int64_t rows, int64_t output_stride, bool accurate,
                              bool masked) {
  for (int64_t r = 0; r < rows; r++) {
    vf total = accurate ? softmax_any(&row) : softmax_weights(&row, masked);
    vf_store(row.sum, vf_add(vf_load(row.sum), total));
    row.s += stride, row.maximum++, row.sum += VF_LANES, row.output += output_stride;
  }
}

static void softmax(void *scores, int64_t stride, int64_t rows, int64_t n, bool masked, void *maximum, void *sum,
                    void *output, int64_t output_stride, int64_t width) {
  softmax_row row = {(real *)scores, n, (real *)maximum, (real *)sum, (real *)output, width};
  softmax_rows(row, stride, rows, output_stride, false, masked);
}

static void softmax_accurate(void *scores, int64_t stride, int64_t rows, int64_t n, bool masked, void *maximum,
                             void *sum, void *output, int64_t output_stride, int64_t width) {
  softmax_row row = {(real *)scores, n, (real *)maximum, (real *)sum, (real *)output, width};
  softmax_rows(row, stride, rows, output_stride, true, masked);
}

static void add_lanes(void *sums, int64_t rows) {
  real *s = (real *)sums;
  for (int64_t r = 0; r < rows; r++) s[r] = vf_hsum(vf_load(s + r * VF_LANES));
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
