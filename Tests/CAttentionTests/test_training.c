/*
 * attn_adam_step, attn_sum_of_squares, attn_bias_rows, attn_tanh_gradient, attn_log_softmax, attn_drop and attn_copy_rows against loops
 * in long double, on every instruction set. Bounds count the roundings of each formula; u is the unit roundoff.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "number.h"
#include "random.h"

static void *numbers(random_source *r, attn_type type, int64_t count, double low, double high) {
  void *x = malloc((size_t)((count + 1) * number_bytes(type)));
  for (int64_t i = 0; i <= count; i++) number_set(type, x, i, i < count ? random_double(r, low, high) : 99);
  return x;
}

static bool guard_intact(attn_type type, const void *x, int64_t count) { return number_get(type, x, count) == 99; }

/* m and v take three roundings; x' the change with about twelve, which is at most a few times the rate in size. */
static void adam(random_source *r, attn_type type, int64_t n, bool gradient, int64_t step) {
  expect_context("%s %s adam n %lld gradient %d step %lld", attn_isa_default(), number_type_name(type), (long long)n,
                 gradient, (long long)step);
  void *x = numbers(r, type, n, -1, 1), *m = numbers(r, type, n, -1, 1), *v = numbers(r, type, n, 0, 1);
  void *g = numbers(r, type, n, -2, 2);
  int64_t bytes = number_bytes(type), split = n / 3;
  long double(*want)[3] = malloc((size_t)(n + 1) * sizeof *want);
  attn_adam a = {.type = type,
                 .rate = 0.01,
                 .beta1 = 0.9,
                 .beta2 = 0.99,
                 .epsilon = 1e-8,
                 .decay = 0.1,
                 .scale = 0.5,
                 .step = step,
                 .threads = 2};
  for (int64_t i = 0; i < n; i++) {
    long double d = gradient ? 0.5L * number_get(type, g, i) : 0;
    want[i][1] = 0.9L * number_get(type, m, i) + 0.1L * d;
    want[i][2] = 0.99L * number_get(type, v, i) + 0.01L * d * d;
    long double mean = want[i][1] / (1 - powl(0.9L, step)), square = want[i][2] / (1 - powl(0.99L, step));
    want[i][0] = (1 - 0.001L) * number_get(type, x, i) - 0.01L * mean / (sqrtl(square) + 1e-8L);
  }
  attn_adam_part parts[2];
  for (int i = 0; i < 2; i++) {
    int64_t at = (i ? split : 0) * bytes;
    parts[i] = (attn_adam_part){i ? n - split : split, gradient ? (char *)g + at : NULL, (char *)x + at, (char *)m + at,
                                (char *)v + at};
  }
  EXPECT_INT(attn_adam_step(&a, parts, 2), ATTN_OK);
  double u = number_unit(type);
  for (int64_t i = 0; i < n; i++) {
    EXPECT_NEAR(number_get(type, m, i), want[i][1], 6 * u * 2);
    EXPECT_NEAR(number_get(type, v, i), want[i][2], 6 * u * 2);
    /* The error of m counts where m itself is small against its terms. */
    long double root = sqrtl(want[i][2] / (1 - powl(0.99L, step)));
    long double change = 0.01L * (12 * u * 2) / (1 - powl(0.9L, step)) / (root + 1e-8L);
    EXPECT_NEAR(number_get(type, x, i), want[i][0], 3 * u + change + 16 * u * fabsl(want[i][0] - 1));
  }
  EXPECT(guard_intact(type, x, n) && guard_intact(type, m, n) && guard_intact(type, v, n));
  free(x), free(m), free(v), free(g), free(want);
}

static void squares(random_source *r, attn_type type, int64_t n) {
  expect_context("%s %s squares n %lld", attn_isa_default(), number_type_name(type), (long long)n);
  void *x = numbers(r, type, n, -1, 1);
  long double want = 0;
  for (int64_t i = 0; i < n; i++) want += (long double)number_get(type, x, i) * number_get(type, x, i);
  double one = -1, sum = -1;
  EXPECT_INT(attn_sum_of_squares(type, x, n, 1, &one), ATTN_OK);
  EXPECT_NEAR(one, want, 1026 * number_unit(type) * (double)want);
  for (int threads = 2; threads < 4; threads++) {
    EXPECT_INT(attn_sum_of_squares(type, x, n, threads, &sum), ATTN_OK);
    EXPECT(sum == one);
  }
  free(x);
}

/* tanh is within 8 u of itself and of an argument that is within u; its slope is at most 1. */
static void rows(random_source *r, attn_type type, int64_t n, int64_t columns, bool biased, bool hyperbolic) {
  expect_context("%s %s rows %lld x %lld bias %d tanh %d", attn_isa_default(), number_type_name(type), (long long)n,
                 (long long)columns, biased, hyperbolic);
  int64_t count = n * columns;
  void *x = numbers(r, type, count, -3, 3), *b = numbers(r, type, columns, -1, 1), *y = numbers(r, type, count, -1, 1);
  long double *want = malloc((size_t)(count + 1) * sizeof *want);
  for (int64_t i = 0; i < count; i++) {
    long double sum = number_get(type, x, i) + (biased ? (long double)number_get(type, b, i % columns) : 0);
    want[i] = hyperbolic ? tanhl(sum) : sum;
  }
  EXPECT_INT(attn_bias_rows(type, n, columns, x, biased ? b : NULL, hyperbolic, 2), ATTN_OK);
  double u = number_unit(type);
  for (int64_t i = 0; i < count; i++) EXPECT_NEAR(number_get(type, x, i), want[i], 16 * u);
  EXPECT(guard_intact(type, x, count));
  for (int64_t i = 0; i < count; i++) {
    long double t = number_get(type, y, i);
    want[i] = number_get(type, x, i) * (1 - t * t);
  }
  EXPECT_INT(attn_tanh_gradient(type, count, x, y, 2), ATTN_OK);
  for (int64_t i = 0; i < count; i++) EXPECT_NEAR(number_get(type, x, i), want[i], 4 * 4 * u);
  EXPECT(guard_intact(type, x, count));
  free(x), free(b), free(y), free(want);
}

static void log_softmax(random_source *r, attn_type type, int64_t n, int64_t columns) {
  expect_context("%s %s log-softmax %lld x %lld", attn_isa_default(), number_type_name(type), (long long)n,
                 (long long)columns);
  void *x = numbers(r, type, n * columns, -9, 9);
  long double *want = malloc((size_t)(n * columns + 1) * sizeof *want);
  for (int64_t row = 0; row < n; row++) {
    long double total = 0;
    for (int64_t j = 0; j < columns; j++) total += expl((long double)number_get(type, x, row * columns + j));
    for (int64_t j = 0; j < columns; j++)
      want[row * columns + j] = (long double)number_get(type, x, row * columns + j) - logl(total);
  }
  EXPECT_INT(attn_log_softmax(type, n, columns, x, 2), ATTN_OK);
  /* |x| <= 18 in the exponent, a sum of `columns` terms, and a result of at most 18 + log columns. */
  double bound = ((double)columns + 2 * 18 * 2 + 8 + 3 * (18 + log((double)columns + 1))) * number_unit(type);
  for (int64_t i = 0; i < n * columns; i++) EXPECT_NEAR(number_get(type, x, i), want[i], bound);
  EXPECT(guard_intact(type, x, n * columns));
  free(x), free(want);
}

/* The generator by its definition: output i of SplitMix64. */
static void drop(random_source *r, attn_type type, int64_t n, double probability) {
  expect_context("%s %s drop %lld p %g", attn_isa_default(), number_type_name(type), (long long)n, probability);
  void *x = numbers(r, type, n, 1, 2), *y = numbers(r, type, n, 0, 1);
  uint64_t seed = random_bits(r);
  random_source source = {seed};
  EXPECT_INT(attn_drop(type, n, x, y, probability, seed, 2), ATTN_OK);
  for (int64_t i = 0; i < n; i++) {
    bool dropped = (double)(random_bits(&source) >> 11) * 0x1p-53 < probability;
    double keeps = number_round(type, 1 / (1 - probability));
    double want = dropped ? 0 : number_round(type, number_get(type, x, i) * keeps);
    EXPECT(number_get(type, y, i) == want);
  }
  EXPECT(guard_intact(type, y, n));
  EXPECT_INT(attn_drop(type, n, x, x, probability, seed, 3), ATTN_OK);
  EXPECT(memcmp(x, y, (size_t)(n * number_bytes(type))) == 0);
  free(x), free(y);
}

/* Every row where it belongs, zeros for negative numbers, and nothing between rows or beside them touched. */
static void copy_rows(random_source *r, attn_type type, int64_t rows, int64_t columns, int threads) {
  expect_context("%s copy %lld x %lld on %d", number_type_name(type), (long long)rows, (long long)columns, threads);
  int64_t sources = rows + 3, places = rows + 2, src_stride = columns + random_int(r, 0, 2);
  int64_t dst_stride = columns + random_int(r, 0, 2);
  void *src = numbers(r, type, sources * src_stride, -2, 2), *dst = numbers(r, type, places * dst_stride, -2, 2);
  double *want = malloc((size_t)(places * dst_stride + 1) * sizeof *want);
  for (int64_t i = 0; i < places * dst_stride; i++) want[i] = number_get(type, dst, i);
  int64_t *from = malloc((size_t)(rows + 1) * sizeof *from), *to = malloc((size_t)(places + 1) * sizeof *to);
  for (int64_t i = 0; i < places; i++) to[i] = i;
  for (int64_t i = places - 1; i > 0; i--) {
    int64_t j = random_int(r, 0, i), other = to[j];
    to[j] = to[i], to[i] = other;
  }
  for (int64_t i = 0; i < rows; i++) from[i] = random_int(r, -1, sources - 1);
  bool by_from = random_int(r, 0, 3) > 0, by_to = random_int(r, 0, 3) > 0;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < columns; j++) {
      int64_t row = by_from ? from[i] : i;
      want[(by_to ? to[i] : i) * dst_stride + j] = row < 0 ? 0 : number_get(type, src, row * src_stride + j);
    }
  EXPECT_INT(attn_copy_rows(type, rows, columns, src, src_stride, by_from ? from : NULL, dst, dst_stride,
                            by_to ? to : NULL, threads),
             ATTN_OK);
  for (int64_t i = 0; i < places * dst_stride; i++) EXPECT(number_get(type, dst, i) == want[i]);
  EXPECT(guard_intact(type, dst, places * dst_stride));
  free(src), free(dst), free(want), free(from), free(to);
}

static void statuses(void) {
  float x[4] = {0};
  double sum;
  attn_adam_part part = {4, x, x, x, x};
  attn_adam good = {.type = ATTN_F32, .rate = 1, .scale = 1, .step = 1, .threads = 1}, a;
  expect_context("statuses");
  EXPECT_INT(attn_adam_step(NULL, &part, 1), ATTN_ERROR_NULL_POINTER);
  EXPECT_INT(attn_adam_step(&good, NULL, 1), ATTN_ERROR_NULL_POINTER);
  EXPECT_INT(attn_adam_step(&good, NULL, 0), ATTN_OK);
  a = good, a.step = 0;
  EXPECT_INT(attn_adam_step(&a, &part, 1), ATTN_ERROR_NEGATIVE_SIZE);
  a = good, a.beta1 = 1;
  EXPECT_INT(attn_adam_step(&a, &part, 1), ATTN_ERROR_NOT_FINITE);
  a = good, a.rate = NAN;
  EXPECT_INT(attn_adam_step(&a, &part, 1), ATTN_ERROR_NOT_FINITE);
  a = good, a.type = ATTN_F16;
  EXPECT_INT(attn_adam_step(&a, &part, 1), ATTN_ERROR_TYPE);
  a = good, a.threads = -1;
  EXPECT_INT(attn_adam_step(&a, &part, 1), ATTN_ERROR_THREADS);
  part.mean = NULL;
  EXPECT_INT(attn_adam_step(&good, &part, 1), ATTN_ERROR_NULL_POINTER);
  EXPECT_INT(attn_sum_of_squares(ATTN_F32, NULL, 1, 0, &sum), ATTN_ERROR_NULL_POINTER);
  EXPECT_INT(attn_sum_of_squares(ATTN_F32, x, 4, 0, NULL), ATTN_ERROR_NULL_POINTER);
  EXPECT_INT(attn_sum_of_squares(ATTN_F32, x, -1, 0, &sum), ATTN_ERROR_NEGATIVE_SIZE);
  EXPECT_INT(attn_bias_rows(ATTN_F32, 2, 2, NULL, x, false, 0), ATTN_ERROR_NULL_POINTER);
  EXPECT_INT(attn_bias_rows(ATTN_F32, -1, 2, x, x, false, 0), ATTN_ERROR_NEGATIVE_SIZE);
  EXPECT_INT(attn_log_softmax(ATTN_BF16, 2, 2, x, 0), ATTN_ERROR_TYPE);
  EXPECT_INT(attn_tanh_gradient(ATTN_F32, 4, x, NULL, 0), ATTN_ERROR_NULL_POINTER);
  EXPECT_INT(attn_drop(ATTN_F32, 4, x, x, 1, 0, 0), ATTN_ERROR_DROPOUT);
  EXPECT_INT(attn_drop(ATTN_F32, 4, NULL, x, 0.5, 0, 0), ATTN_ERROR_NULL_POINTER);
  EXPECT_INT(attn_copy_rows(ATTN_F32, 2, 2, NULL, 2, NULL, x, 2, NULL, 0), ATTN_ERROR_NULL_POINTER);
  EXPECT_INT(attn_copy_rows(ATTN_F32, 2, 2, x, -2, NULL, x, 2, NULL, 0), ATTN_ERROR_NEGATIVE_SIZE);
  EXPECT_INT(attn_copy_rows(ATTN_F16, 2, 2, x, 2, NULL, x, 2, NULL, 0), ATTN_ERROR_TYPE);
  EXPECT_INT(attn_copy_rows(ATTN_F32, 2, 2, x, 2, NULL, x, 2, NULL, -1), ATTN_ERROR_THREADS);
}

int main(void) {
  random_source r = {expect_seed()};
  static const int64_t sizes[] = {0, 1, 3, 8, 15, 16, 17, 33, 100, 1023, 1025, 40000, 70001};
  for (int isa = 0; isa < attn_isa_count(); isa++) {
    if (!attn_isa_available(isa)) continue;
    setenv("ATTENTION_ISA", attn_isa_name(isa), 1);
    for (int i = 0; i < 26; i++) {
      attn_type type = i % 2 ? ATTN_F64 : ATTN_F32;
      int64_t n = sizes[i / 2];
      adam(&r, type, n, i % 4 < 3, i % 5 + 1);
      squares(&r, type, n);
      drop(&r, type, n, i % 3 * 0.3);
      for (int form = 0; form < 4; form++) rows(&r, type, n % 200, sizes[(i + form) % 9], form & 1, form & 2);
      log_softmax(&r, type, n % 50, sizes[i % 10]);
      copy_rows(&r, type, n % 300, sizes[i % 10], i % 4);
    }
    unsetenv("ATTENTION_ISA");
  }
  statuses();
  return expect_finish();
}
