/* softmax, exp2_row and drop. */
#include <math.h>
#include <string.h>

#include "kernel_tables.h"

/* An exponential: 5 u, of which the polynomial is at most 2.9 u in float; see tolerance.c. */
#define EXP_ERROR 5

static void exp2_row(const table_case *c) {
  if (c->type != c->real) return;
  double least = c->real == ATTN_F64 ? 0x1p-1022 : 0x1p-126;
  const double depths[] = {0.5, 10, 130, 1100};
  for (int64_t vectors = 1; vectors <= 40; vectors++)
    for (int i = 0; i < 4; i++) {
      int64_t n = vectors * c->k->lanes;
      double subtract = number_round(c->real, random_double(c->r, -3, 3));
      CONTEXT(c, "exp2_row n %d depth %g", (int)n, depths[i]);
      guarded s = guarded_new(c->real, n);
      randomize(c->r, c->real, s.data, n, subtract - depths[i], subtract);
      number_set(c->real, s.data, 0, subtract);
      number_set(c->real, s.data, 1, i % 2 ? -INFINITY : NAN);
      double *before = malloc((size_t)n * sizeof *before);
      for (int64_t j = 0; j < n; j++) before[j] = number_get(c->real, s.data, j);
      c->k->exp2_row(s.data, n, subtract);
      EXPECT(number_get(c->real, s.data, 0) == 1);
      EXPECT(i % 2 == 0 || number_get(c->real, s.data, 1) == 0);
      for (int64_t j = 0; j < n; j++) {
        /* The difference rounds first; what is below the least normal number may become 0. */
        long double x = (long double)before[j] - subtract, want = exp2l(x);
        long double bound = want > 0 ? (EXP_ERROR + fabsl(x)) * c->u * want : 0;
        EXPECT_NEAR(number_get(c->real, s.data, j), want, bound + least);
      }
      free(before);
      guarded_free(&s);
    }
}

static void drop(const table_case *c) {
  if (c->type != c->real) return;
  for (int64_t vectors = 1; vectors <= 5; vectors++) {
    int64_t n = vectors * c->k->lanes;
    CONTEXT(c, "drop n %d", (int)n);
    uint8_t *keep = malloc((size_t)n);
    for (int64_t j = 0; j < n; j++) keep[j] = (uint8_t)random_int(c->r, 0, 1);
    guarded p = guarded_new(c->real, n);
    for (int64_t j = 0; j < n; j++) number_set(c->real, p.data, j, (double)(j + 1));
    c->k->drop(p.data, keep, n);
    for (int64_t j = 0; j < n; j++) EXPECT_NEAR(number_get(c->real, p.data, j), keep[j] ? (double)(j + 1) : 0, 0);
    free(keep);
    guarded_free(&p);
  }
}

/* How far scores may pass the maximum before it follows. */
#define SLACK 8

/* The sum of a row whose parts stand at `row`. */
static double sum_of(const table_case *c, const guarded *sums, int64_t row) {
  guarded copy = guarded_new(c->real, c->k->lanes);
  for (int64_t i = 0; i < c->k->lanes; i++)
    number_set(c->real, copy.data, i, number_get(c->real, sums->data, row * c->k->lanes + i));
  c->k->add_lanes(copy.data, 1);
  double sum = number_get(c->real, copy.data, 0);
  guarded_free(&copy);
  return sum;
}

static void add_lanes(const table_case *c) {
  if (c->type != c->real) return;
  int64_t lanes = c->k->lanes, rows = 5;
  CONTEXT(c, "add_lanes");
  guarded sums = guarded_new(c->real, rows * lanes);
  for (int64_t i = 0; i < rows * lanes; i++) number_set(c->real, sums.data, i, (double)(i + 1));
  c->k->add_lanes(sums.data, rows);
  for (int64_t r = 0; r < rows; r++)
    EXPECT_NEAR(number_get(c->real, sums.data, r), (double)(lanes * (2 * r * lanes + lanes + 1)) / 2, 0);
  guarded_free(&sums);
}

enum { ROWS = 7, WIDTH_VECTORS = 3, STEPS = 5 };

/* What kind of scores a step brings to a row. */
static double score(random_source *r, int64_t row, int step) {
  if (row == 0) return random_double(r, -4, 4);
  if (row == 1) return random_double(r, -4, 4) + 6 * step; /* grows within the slack and past it */
  if (row == 2) return step < 2 ? -INFINITY : random_double(r, -4, 4);
  if (row == 3) return -INFINITY;
  if (row == 4) return random_chance(r, 0.5) ? -INFINITY : random_double(r, -4, 4);
  if (row == 5) return random_double(r, -4, 4) - 300 * step; /* later weights vanish */
  return step == 3 && random_chance(r, 0.3) ? NAN : random_double(r, -4, 4);
}

/* Several steps against the definition: maximum exact, weights, sum and rescaled output within their errors. */
static void softmax(const table_case *c) {
  if (c->type != c->real) return;
  for (int64_t turn = 0; turn < 3 * 10; turn++) {
    int64_t panels = turn / 3 + 1;
    bool masked = turn % 3 == 1, accurate = turn % 3 == 2;
    int64_t n = panels * c->k->panel_width, stride = n + 3, width = WIDTH_VECTORS * c->k->lanes,
            output_stride = width + 2;
    guarded s = guarded_new(c->real, ROWS * stride), output = guarded_new(c->real, ROWS * output_stride);
    guarded maximum = guarded_new(c->real, ROWS), sum = guarded_new(c->real, ROWS * c->k->lanes);
    long double m[ROWS], l[ROWS], o[ROWS];
    bool spoiled = false; /* row 6, once it has seen NaN */
    for (int64_t r = 0; r < ROWS; r++) {
      m[r] = -INFINITY, l[r] = 0, o[r] = 1;
      number_set(c->real, maximum.data, r, -INFINITY);
      for (int64_t i = 0; i < c->k->lanes; i++) number_set(c->real, sum.data, r * c->k->lanes + i, 0);
      for (int64_t d = 0; d < width; d++) number_set(c->real, output.data, r * output_stride + d, 1);
    }
    for (int step = 0; step < STEPS; step++) {
      for (int64_t r = 0; r < ROWS; r++)
        for (int64_t j = 0; j < n; j++) number_set(c->real, s.data, r * stride + j, score(c->r, r, step));
      double *before = malloc((size_t)(ROWS * stride) * sizeof *before);
      for (int64_t i = 0; i < ROWS * stride; i++) before[i] = number_get(c->real, s.data, i);
      (accurate ? c->k->softmax_accurate : c->k->softmax)(s.data, stride, ROWS, n, masked, maximum.data, sum.data,
                                                          output.data, output_stride, width);
      for (int64_t r = 0; r < ROWS; r++) {
        CONTEXT(c, "softmax n %d masked %d row %d step %d", (int)n, masked, (int)r, step);
        long double top = m[r];
        for (int64_t j = 0; j < n; j++) {
          spoiled = spoiled || isnan(before[r * stride + j]);
          top = fmaxl(top, before[r * stride + j]);
        }
        if (top <= m[r] + SLACK) top = m[r];
        long double grown = m[r] == -INFINITY ? 1 : exp2l(m[r] - top);
        l[r] *= m[r] == -INFINITY ? 0 : grown;
        o[r] *= grown;
        m[r] = top;
        for (int64_t j = 0; j < n; j++) {
          double x = before[r * stride + j], got = number_get(c->real, s.data, r * stride + j);
          if (isnan(x)) EXPECT(isnan(got));
          if (r == 6) continue; /* beside NaN the maximum may miss numbers: only NaN is promised */
          long double want = x == -INFINITY ? 0 : exp2l(x - top);
          if (x == -INFINITY) EXPECT(got == 0);
          EXPECT_NEAR(got, want, (EXP_ERROR + (x == -INFINITY ? 0 : fabsl(top - x))) * c->u * want + 0x1p-126);
          l[r] += want;
        }
        if (r == 6) {
          EXPECT(!spoiled || isnan(sum_of(c, &sum, r)));
          continue;
        }
        EXPECT_NEAR(number_get(c->real, maximum.data, r), m[r], 0);
        /* An exponential and a product a step, n additions a step, and arguments below 32. */
        long double bound = (double)((step + 1) * (EXP_ERROR + 32 + 1) + (step + 1) * n) * c->u;
        EXPECT_NEAR(sum_of(c, &sum, r), l[r], bound * l[r] + 0x1p-126);
        for (int64_t d = 0; d < width; d++)
          EXPECT_NEAR(number_get(c->real, output.data, r * output_stride + d), o[r], bound * o[r] + 0x1p-126);
      }
      free(before);
    }
    for (int64_t r = 0; r < ROWS; r++) {
      for (int64_t j = n; j < stride; j++) EXPECT(still_blank(c->real, s.data, r * stride + j));
      for (int64_t d = width; d < output_stride; d++) EXPECT(still_blank(c->real, output.data, r * output_stride + d));
    }
    guarded_free(&s), guarded_free(&output), guarded_free(&maximum), guarded_free(&sum);
  }
}

/* The edge of the slack: a score 8 above the maximum leaves it, the next number moves it. */
static void slack_edge(const table_case *c) {
  if (c->type != c->real) return;
  int64_t n = 2 * c->k->lanes, width = c->k->lanes;
  const double edge = 3 + SLACK, beyond = c->real == ATTN_F64 ? nextafter(edge, 100) : nextafterf((float)edge, 100);
  for (int turn = 0; turn < 4; turn++) {
    bool moved = turn / 2, masked = turn % 2;
    CONTEXT(c, "softmax at the edge, masked %d moved %d", masked, moved);
    guarded s = guarded_new(c->real, n), output = guarded_new(c->real, width);
    guarded maximum = guarded_new(c->real, 1), sum = guarded_new(c->real, c->k->lanes);
    double top = moved ? beyond : edge;
    for (int64_t j = 0; j < n; j++) number_set(c->real, s.data, j, j == n - 1 ? top : -INFINITY);
    for (int64_t d = 0; d < width; d++) number_set(c->real, output.data, d, 1);
    number_set(c->real, maximum.data, 0, 3);
    for (int64_t i = 0; i < c->k->lanes; i++) number_set(c->real, sum.data, i, i == 0 ? 1 : 0);
    c->k->softmax(s.data, n, 1, n, masked, maximum.data, sum.data, output.data, width, width);
    EXPECT_NEAR(number_get(c->real, maximum.data, 0), moved ? beyond : 3, 0);
    EXPECT_NEAR(number_get(c->real, s.data, n - 1), moved ? 1 : 256, 256 * 13 * c->u);
    EXPECT_NEAR(sum_of(c, &sum, 0), moved ? 1 + exp2(-SLACK) : 257, 257 * 14 * c->u);
    EXPECT_NEAR(number_get(c->real, output.data, 0), moved ? exp2(-SLACK) : 1, moved ? exp2(-SLACK) * 14 * c->u : 0);
    guarded_free(&s), guarded_free(&output), guarded_free(&maximum), guarded_free(&sum);
  }
}

/* What a score may be beside ordinary ones: at and beyond every bound of both exponentials, and what no integer holds. */
static const double odd_scores[] = {
    0,    7.5,  7.99, 8,      8.5,   126.5,    127,       127.5, 128,      129,   200,      256,     300,
    1e9,  1e30, -100, -125.5, -126,  -126.5,   -126.999,  -127,  -127.001, -128,  -128.5,   -129,    -200,
    -255, -256, -300, -1e9,   -1e30, INFINITY, -INFINITY, NAN,   2e38,     -2e38, -4194304, 8388608, -8388608};

/* One odd score anywhere in a row, a maximum from before: the definition, and the same bits by rows and by pairs. */
static void softmax_odd(const table_case *c) {
  if (c->type != c->real) return;
  int64_t width = c->k->lanes, lanes = c->k->lanes;
  double least = c->real == ATTN_F64 ? 0x1p-1022 : 0x1p-126;
  for (size_t o = 0; o < sizeof odd_scores / sizeof *odd_scores; o++)
    for (int panels = 1; panels <= 18; panels += panels < 9 ? 1 : 3) {
      int64_t n = panels * c->k->panel_width, at = random_int(c->r, 0, (int)n - 1);
      double m = number_round(c->real, random_double(c->r, -3, 3)), odd = number_round(c->real, m + odd_scores[o]);
      guarded first = guarded_new(c->real, n);
      randomize(c->r, c->real, first.data, n, m - 6, m);
      number_set(c->real, first.data, at, odd);
      guarded s[2], sum[2], maximum[2], output[2];
      for (int i = 0; i < 2; i++) {
        CONTEXT(c, "softmax n %d, %g above the maximum at %d, masked %d", (int)n, odd_scores[o], (int)at, i);
        s[i] = guarded_new(c->real, n), output[i] = guarded_new(c->real, width);
        maximum[i] = guarded_new(c->real, 1), sum[i] = guarded_new(c->real, lanes);
        for (int64_t j = 0; j < n; j++) number_set(c->real, s[i].data, j, number_get(c->real, first.data, j));
        for (int64_t j = 0; j < lanes; j++) number_set(c->real, sum[i].data, j, 1);
        for (int64_t j = 0; j < width; j++) number_set(c->real, output[i].data, j, 1);
        number_set(c->real, maximum[i].data, 0, m);
        c->k->softmax(s[i].data, n, 1, n, i, maximum[i].data, sum[i].data, output[i].data, width, width);
        if (isnan(odd)) {
          EXPECT(isnan(number_get(c->real, s[i].data, at)) && isnan(sum_of(c, &sum[i], 0)));
          continue;
        }
        if (odd == INFINITY) continue; /* infinity less itself: the row is NaN, whatever its other weights */
        double top = odd > number_round(c->real, m + SLACK) ? odd : m;
        EXPECT_NEAR(number_get(c->real, maximum[i].data, 0), top, 0);
        long double total = (long double)lanes * exp2l((long double)m - top);
        EXPECT_NEAR(number_get(c->real, output[i].data, 0), exp2l((long double)m - top),
                    (EXP_ERROR + 1 + (top - m)) * c->u * exp2l((long double)m - top) + least);
        for (int64_t j = 0; j < n; j++) {
          long double x = (long double)number_get(c->real, first.data, j) - top, want = exp2l(x);
          /* Weights from before the maximum moved carry its factor's error, too. */
          long double bound = want > 0 ? 2 * (EXP_ERROR + 1 + fabsl(x)) * c->u * want : 0;
          EXPECT_NEAR(number_get(c->real, s[i].data, j), want, bound + least);
          total += want;
        }
        EXPECT_NEAR(sum_of(c, &sum[i], 0), total,
                    (2 * (EXP_ERROR + 32) + n + lanes + (top - m)) * c->u * total + least);
      }
      CONTEXT(c, "softmax n %d, %g above the maximum at %d, by rows and by pairs", (int)n, odd_scores[o], (int)at);
      size_t bytes = (size_t)c->k->real_bytes;
      EXPECT(memcmp(s[0].data, s[1].data, (size_t)n * bytes) == 0);
      EXPECT(memcmp(sum[0].data, sum[1].data, (size_t)lanes * bytes) == 0);
      EXPECT(memcmp(maximum[0].data, maximum[1].data, bytes) == 0);
      EXPECT(memcmp(output[0].data, output[1].data, (size_t)width * bytes) == 0);
      for (int i = 0; i < 2; i++)
        guarded_free(&s[i]), guarded_free(&sum[i]), guarded_free(&maximum[i]), guarded_free(&output[i]);
      guarded_free(&first);
    }
}

/* NaN does not move the maximum, nor keep masked scores from weight 0, even beside a score beyond the slack. */
static void softmax_nan(const table_case *c) {
  if (c->type != c->real) return;
  int64_t n = 2 * c->k->panel_width, width = c->k->lanes;
  for (int64_t at = 0; at < n; at++) {
    bool masked = at % 2;
    CONTEXT(c, "softmax with NaN at %d, masked %d", (int)at, masked);
    guarded s = guarded_new(c->real, n), output = guarded_new(c->real, width);
    guarded maximum = guarded_new(c->real, 1), sum = guarded_new(c->real, c->k->lanes);
    for (int64_t j = 0; j < n; j++) number_set(c->real, s.data, j, j % 3 == 0 ? -INFINITY : j == (at + 1) % n ? 20 : 1);
    number_set(c->real, s.data, at, NAN);
    for (int64_t d = 0; d < width; d++) number_set(c->real, output.data, d, 1), number_set(c->real, sum.data, d, 1);
    number_set(c->real, maximum.data, 0, 2);
    c->k->softmax(s.data, n, 1, n, masked, maximum.data, sum.data, output.data, width, width);
    EXPECT(!isnan(number_get(c->real, maximum.data, 0)));
    EXPECT(isnan(sum_of(c, &sum, 0)));
    for (int64_t j = 0; j < n; j++)
      if (j == at)
        EXPECT(isnan(number_get(c->real, s.data, j)));
      else if (j % 3 == 0)
        EXPECT(number_get(c->real, s.data, j) == 0);
    guarded_free(&s), guarded_free(&output), guarded_free(&maximum), guarded_free(&sum);
  }
}

int main(void) {
  random_source r = {expect_seed()};
  for_each_table(exp2_row, &r);
  for_each_table(drop, &r);
  for_each_table(softmax, &r);
  for_each_table(slack_edge, &r);
  for_each_table(softmax_odd, &r);
  for_each_table(softmax_nan, &r);
  for_each_table(add_lanes, &r);
  return expect_finish();
}
