/*
 * Additive scores (Bahdanau et al. 2015, arXiv:1409.0473), s_ij = sum_d w_d tanh(a_id + b_jd), without a tanh a pair:
 *
 *   tanh(a + b) = 1 - 2 r,   r = 1 / (1 + e^(2a) e^(2b)),   1 - tanh^2 = 4 r (1 - r)
 *
 * so exponentials are taken once for each channel of a query and of a key. Four fractions share a division:
 * n / x + m / y = (n y + m x) / (x y), and likewise for two such sums. The product of four denominators must not
 * overflow, which bounds |a| + |b| and |w|: pairs beyond the bound are done again with tanh, each decided by its own
 * query and key alone.
 */
#if ATTN_REAL_BITS == 32
#define ADDITIVE_BOUND 10.5f          /* e^(8 * 10.5) < 2^127 */
#define ADDITIVE_LARGEST_WEIGHT 1e10f /* 4 w e^(6 * 10.5) < 2^127 */
#else
/* e^(8 * 80) would not overflow either, but the exponentials' errors grow with |a| where a + b cancels. */
#define ADDITIVE_BOUND 20.0
#define ADDITIVE_LARGEST_WEIGHT 1e100
#endif

/* e^(2x) by the exponential of -2|x|: vf_exp2 takes no positive numbers. */
ATTN_INLINE vf vf_exp_twice(vf x) {
  vf e = vf_exp2(vf_mul(vf_abs(x), vf_set1((real)-2.8853900817779268147)));
  return vf_select(vf_less(x, vf_set1(0)), e, vf_div(vf_set1(1), e));
}

static void exp_twice(void *dst, const void *src, int64_t n) {
  real *out = (real *)dst;
  const real *x = (const real *)src;
  for (int64_t i = 0; i < n; i += VF_LANES) vf_store(out + i, vf_exp_twice(vf_load(x + i)));
}

/* Infinity where a number is NaN, so that the bound does not hold. */
ATTN_INLINE vf larger_magnitude(vf so_far, vf x) {
  vf size = vf_abs(x);
  vf ordered = vf_select(vf_less(size, vf_set1((real)INFINITY)), size, vf_set1((real)INFINITY));
  return vf_max(ordered, so_far);
}

static void row_magnitudes(void *sizes, const void *rows, int64_t stride, int64_t count, int64_t n) {
  for (int64_t r = 0; r < count; r++) {
    vf m = vf_set1(0);
    for (int64_t i = 0; i < n; i += VF_LANES) m = larger_magnitude(m, vf_load((const real *)rows + r * stride + i));
    ((real *)sizes)[r] = vf_hmax(m);
  }
}

static void column_magnitudes(void *sizes, const void *panels, int64_t dim, int64_t slices) {
  for (int64_t c = 0; c < slices * PANEL_WIDTH; c += VF_LANES) {
    const real *column = (const real *)panels + (c / PANEL_WIDTH) * dim * PANEL_WIDTH + c % PANEL_WIDTH;
    vf m = vf_set1(0);
    for (int64_t d = 0; d < dim; d++) m = larger_magnitude(m, vf_load(column + d * PANEL_WIDTH));
    vf_store((real *)sizes + c, m);
  }
}

static void row_sums(void *sums, void *sizes, const void *rows, int64_t count, int64_t n) {
  for (int64_t r = 0; r < count; r++) {
    const real *w = (const real *)rows + r * n;
    real total = 0, size = 0;
    for (int64_t d = 0; d < n; d++) {
      real magnitude = w[d] < 0 ? -w[d] : w[d];
      total += w[d];
      if (!(magnitude <= size)) size = magnitude;
    }
    ((real *)sums)[r] = total;
    ((real *)sizes)[r] = size;
  }
}

/* A sum of fractions n / x. */
typedef struct fraction {
  vf n, x;
} fraction;

ATTN_INLINE fraction add_fractions(fraction a, fraction b) {
  return (fraction){vf_fma(a.n, b.x, vf_mul(b.n, a.x)), vf_mul(a.x, b.x)};
}

ATTN_INLINE fraction channel_fraction(const real *exp_a, const real *w, const real *exp_b, int64_t d) {
  return (fraction){vf_set1(w[d]), vf_fma(vf_set1(exp_a[d]), vf_load(exp_b + d * PANEL_WIDTH), vf_set1(1))};
}

ATTN_INLINE vf additive_lanes(const real *exp_a, const real *w, const real *exp_b, int64_t dim, real total) {
  vf sum = vf_set1(0);
  int64_t d = 0;
  for (; d + 4 <= dim; d += 4) {
    fraction f = add_fractions(
        add_fractions(channel_fraction(exp_a, w, exp_b, d), channel_fraction(exp_a, w, exp_b, d + 1)),
        add_fractions(channel_fraction(exp_a, w, exp_b, d + 2), channel_fraction(exp_a, w, exp_b, d + 3)));
    sum = vf_add(sum, vf_div(f.n, f.x));
  }
  for (; d < dim; d++) {
    fraction f = channel_fraction(exp_a, w, exp_b, d);
    sum = vf_add(sum, vf_div(f.n, f.x));
  }
  return vf_fma(vf_set1(-2), sum, vf_set1(total));
}

ATTN_INLINE vf additive_lanes_plain(const real *a, const real *w, const real *b, int64_t dim) {
  vf sum = vf_set1(0);
  for (int64_t d = 0; d < dim; d++)
    sum = vf_fma(vf_set1(w[d]), vf_tanh(vf_add(vf_set1(a[d]), vf_load(b + d * PANEL_WIDTH))), sum);
  return sum;
}

/* Whether any of the lanes is beyond the bound for a query of this magnitude. */
ATTN_INLINE bool beyond_bound(real query_size, const real *key_sizes) {
  return !(vf_hmax(vf_load(key_sizes)) + query_size <= ADDITIVE_BOUND);
}

ATTN_INLINE vm within_bound(real query_size, const real *key_sizes) {
  return vf_less(vf_add(vf_load(key_sizes), vf_set1(query_size)), vf_set1(ADDITIVE_BOUND));
}

static void additive_scores(void *scores, int64_t stride, const attn_additive *t, int64_t rows, int64_t first,
                            int64_t last) {
  for (int64_t slice = first; slice < last; slice++)
    for (int64_t r = 0; r < rows; r++) {
      int64_t weight_row = (t->first_row + r) % t->weight_rows;
      const real *w = (const real *)t->weights + weight_row * t->dim;
      const real *exp_a = (const real *)t->exp_queries + r * t->query_stride;
      real total = ((const real *)t->weight_sums)[weight_row], size = ((const real *)t->query_sizes)[r];
      if (!(((const real *)t->weight_sizes)[weight_row] <= ADDITIVE_LARGEST_WEIGHT)) size = (real)INFINITY;
      for (int64_t c = slice * PANEL_WIDTH; c < (slice + 1) * PANEL_WIDTH; c += VF_LANES) {
        int64_t column = slice * t->dim * PANEL_WIDTH + c % PANEL_WIDTH;
        vf s = additive_lanes(exp_a, w, (const real *)t->exp_keys + column, t->dim, total);
        const real *sizes = (const real *)t->key_sizes + c;
        if (beyond_bound(size, sizes))
          s = vf_select(within_bound(size, sizes), s,
                        additive_lanes_plain((const real *)t->queries + r * t->query_stride, w,
                                             (const real *)t->keys + column, t->dim));
        vf_store((real *)scores + r * stride + c, s);
      }
    }
}

/*
 * The backward pass of rows [0, rows) against columns [first, last) slices, ds the gradients of the scores in units
 * that make w the weights given: with u = ds r and z = ds r (1 - r),
 *   da_id += 4 w_d sum_j z,   db_jd += 4 w_d sum_i z,   dw_d += sum_ij (ds - 2 u).
 * Where ds is 0 nothing is added, whatever r is. Each sum runs over j within a lane first, then over lanes.
 *
 * Two rows pass over the keys and their gradients, which come from the second-level cache, and two channels share a
 * division, never two rows or two keys: what a pair gets depends on its own query and key alone. A row and a channel at a
 * time took 1.5 times as long (the whole backward pass, D = 256, AVX2).
 */
#define ADDITIVE_ROWS 2
#define ADDITIVE_CHANNELS 2

/* Rows of the pass: their weights, gradients of scores and where their own gradients go. */
typedef struct additive_rows {
  int64_t first;
  const real *w[ADDITIVE_ROWS], *ds[ADDITIVE_ROWS];
  real *da[ADDITIVE_ROWS], *dw[ADDITIVE_ROWS];
  real ds_sum[ADDITIVE_ROWS];
} additive_rows;

/* 1 / (1 + e^(2a) e^(2b)) of channels d + k of row r and the keys at `at`, e^(2a) given, lanes beyond the bound by tanh
 * where `plain`. */
ATTN_INLINE void reciprocals(const attn_additive *t, int64_t r, int64_t d, int channels, const vf *exp_a,
                             const real *exp_b, const real *b, const real *key_sizes, bool plain,
                             vf q[ADDITIVE_CHANNELS]) {
  vf x[ADDITIVE_CHANNELS];
  for (int k = 0; k < channels; k++) x[k] = vf_fma(exp_a[k], vf_load(exp_b + k * PANEL_WIDTH), vf_set1(1));
  if (channels == 1) {
    q[0] = vf_div(vf_set1(1), x[0]);
  } else {
    vf both = vf_div(vf_set1(1), vf_mul(x[0], x[1]));
    q[0] = vf_mul(both, x[1]);
    q[1] = vf_mul(both, x[0]);
  }
  if (!plain) return;
  vm within = within_bound(((const real *)t->query_sizes)[r], key_sizes);
  for (int k = 0; k < channels; k++) {
    vf a = vf_set1(((const real *)t->queries)[r * t->query_stride + d + k]);
    vf tanh_ab = vf_tanh(vf_add(a, vf_load(b + k * PANEL_WIDTH)));
    q[k] = vf_select(within, q[k], vf_mul(vf_sub(vf_set1(1), tanh_ab), vf_set1((real)0.5)));
  }
}

/* Channels [d, d + channels) of `count` rows. */
ATTN_INLINE void additive_channels(const attn_additive *t, const additive_rows *rows, int count, int64_t d,
                                   int channels, int64_t first, int64_t last, bool plain, real *key_gradients) {
  vf z_sum[ADDITIVE_ROWS][ADDITIVE_CHANNELS], u_sum[ADDITIVE_ROWS][ADDITIVE_CHANNELS];
  vf exp_a[ADDITIVE_ROWS][ADDITIVE_CHANNELS], w4[ADDITIVE_ROWS][ADDITIVE_CHANNELS];
  const real *ds[ADDITIVE_ROWS];
  for (int r = 0; r < count; r++) {
    ds[r] = rows->ds[r];
    for (int k = 0; k < channels; k++) {
      z_sum[r][k] = u_sum[r][k] = vf_set1(0);
      exp_a[r][k] = vf_set1(((const real *)t->exp_queries)[(rows->first + r) * t->query_stride + d + k]);
      w4[r][k] = vf_set1(4 * rows->w[r][d + k]);
    }
  }
  const int64_t panel = t->dim * PANEL_WIDTH, begin = first * panel + d * PANEL_WIDTH;
  const real *exp_b = (const real *)t->exp_keys + begin, *b = (const real *)t->keys + begin;
  const real *key_sizes = (const real *)t->key_sizes + first * PANEL_WIDTH;
  real *db = key_gradients + begin;
  for (int64_t slice = first, c = first * PANEL_WIDTH; slice < last; slice++, exp_b += panel, b += panel, db += panel)
    for (int v = 0; v < TILE_VECTORS; v++, c += VF_LANES, key_sizes += VF_LANES) {
      vf sum[ADDITIVE_CHANNELS];
      for (int k = 0; k < channels; k++) sum[k] = vf_load(db + k * PANEL_WIDTH + v * VF_LANES);
      for (int r = 0; r < count; r++) {
        vf g = vf_load(ds[r] + c), q[ADDITIVE_CHANNELS];
        reciprocals(t, rows->first + r, d, channels, exp_a[r], exp_b + v * VF_LANES, b + v * VF_LANES, key_sizes, plain,
                    q);
        for (int k = 0; k < channels; k++) {
          vf u = vf_mul(g, q[k]), z = vf_sub(u, vf_mul(u, q[k])), w = w4[r][k];
          if (plain) {
            vm present = vf_nonzero(g);
            u = vf_where(present, u);
            z = vf_where(present, z);
            w = vf_where(present, w);
          }
          sum[k] = vf_fma(w, z, sum[k]);
          z_sum[r][k] = vf_add(z_sum[r][k], z);
          u_sum[r][k] = vf_add(u_sum[r][k], u);
        }
      }
      for (int k = 0; k < channels; k++) vf_store(db + k * PANEL_WIDTH + v * VF_LANES, sum[k]);
    }
  for (int r = 0; r < count; r++)
    for (int k = 0; k < channels; k++) {
      rows->da[r][d + k] += 4 * rows->w[r][d + k] * vf_hsum(z_sum[r][k]);
      rows->dw[r][d + k] += rows->ds_sum[r] - 2 * vf_hsum(u_sum[r][k]);
    }
}

ATTN_INLINE void additive_pass(const attn_additive *t, additive_rows *rows, int count, int64_t first, int64_t last,
                               bool plain, real *db) {
  for (int r = 0; r < count; r++) {
    vf all = vf_set1(0);
    for (int64_t c = first * PANEL_WIDTH; c < last * PANEL_WIDTH; c += VF_LANES)
      all = vf_add(all, vf_load(rows->ds[r] + c));
    rows->ds_sum[r] = vf_hsum(all);
  }
  int64_t d = 0;
  for (; d + ADDITIVE_CHANNELS <= t->dim; d += ADDITIVE_CHANNELS)
    additive_channels(t, rows, count, d, ADDITIVE_CHANNELS, first, last, plain, db);
  if (d < t->dim) additive_channels(t, rows, count, d, 1, first, last, plain, db);
}

/* Whether some pair of the row is beyond the bound. */
ATTN_INLINE bool needs_tanh(const attn_additive *t, int64_t r, int64_t first, int64_t last) {
  if (!(((const real *)t->weight_sizes)[(t->first_row + r) % t->weight_rows] <= ADDITIVE_LARGEST_WEIGHT)) return true;
  for (int64_t c = first * PANEL_WIDTH; c < last * PANEL_WIDTH; c += VF_LANES)
    if (beyond_bound(((const real *)t->query_sizes)[r], (const real *)t->key_sizes + c)) return true;
  return false;
}

static void additive_gradients(const attn_additive *t, const void *score_gradients, int64_t stride, int64_t rows,
                               int64_t first, int64_t last, void *query_gradients, void *weight_gradients,
                               void *key_gradient_panels) {
  real *db = (real *)key_gradient_panels;
  for (int64_t r = 0, count; r < rows; r += count) {
    additive_rows block = {.first = r};
    for (int i = 0; i < ADDITIVE_ROWS && r + i < rows; i++) {
      block.w[i] = (const real *)t->weights + (t->first_row + r + i) % t->weight_rows * t->dim;
      block.ds[i] = (const real *)score_gradients + (r + i) * stride;
      block.da[i] = (real *)query_gradients + (r + i) * t->query_stride;
      block.dw[i] = (real *)weight_gradients + (r + i) * t->query_stride;
    }
    bool plain = needs_tanh(t, r, first, last);
    count = !plain && r + ADDITIVE_ROWS <= rows && !needs_tanh(t, r + 1, first, last) ? ADDITIVE_ROWS : 1;
    if (plain)
      additive_pass(t, &block, 1, first, last, true, db);
    else if (count == 1)
      additive_pass(t, &block, 1, first, last, false, db);
    else
      additive_pass(t, &block, ADDITIVE_ROWS, first, last, false, db);
  }
}
