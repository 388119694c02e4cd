/* The tile functions of the backward pass: products with transposed weights, and rows of gradients of scores. */
#include <math.h>

#include "kernel_tables.h"

/* Numbers of `real` as doubles. */
static double *copy_of(const table_case *c, const void *array, int64_t n) {
  double *copy = malloc((size_t)(n > 0 ? n : 1) * sizeof *copy);
  for (int64_t i = 0; i < n; i++) copy[i] = number_get(c->real, array, i);
  return copy;
}

static void accumulate_transposed(const table_case *c) {
  if (c->type != c->real) return;
  int64_t half = c->k->panel_width / 2, columns = 41;
  const int64_t depths[] = {0, 1, 2, 7, 48};
  for (int64_t count = 0; count <= 2 * c->k->tile_rows + 1; count++)
    for (int n = 0; n < 5; n++) {
      int64_t rows = depths[n], width = random_int(c->r, 1, 6) * half, asked = width - random_int(c->r, 0, half - 1),
              first = random_int(c->r, 0, 9);
      int64_t last = first + count, stride = columns + 4, b_stride = width + 3, output_stride = width + 2;
      CONTEXT(c, "accumulate_transposed columns %d..%d rows %d width %d", (int)first, (int)last, (int)rows, (int)asked);
      void *p = random_array(c->r, c->real, rows * stride, -1, 1);
      void *b = random_array(c->r, c->real, rows * b_stride, -1, 1);
      guarded to = guarded_new(c->real, columns * output_stride);
      for (int64_t j = first; j < last; j++)
        randomize(c->r, c->real, to.data + j * output_stride * c->k->real_bytes, width, -1, 1);
      /* Outside [first, last) and the width nothing is read: NaN there would show. */
      for (int64_t r = 0; r < rows; r++) {
        for (int64_t j = 0; j < stride; j++)
          if (j < first || j >= last) number_set(c->real, p, r * stride + j, NAN);
        for (int64_t d = width; d < b_stride; d++) number_set(c->real, b, r * b_stride + d, NAN);
      }
      double *before = copy_of(c, to.data, columns * output_stride);
      c->k->accumulate_transposed(to.data, output_stride, p, stride, first, last, b, b_stride, rows, asked);
      for (int64_t j = 0; j < columns; j++)
        for (int64_t d = 0; d < output_stride; d++) {
          int64_t at = j * output_stride + d;
          if (j < first || j >= last || d >= width) {
            EXPECT(still_blank(c->real, to.data, at));
            continue;
          }
          long double want = before[at], magnitude = fabsl(want);
          for (int64_t r = 0; r < rows; r++) {
            long double x = number_get(c->real, p, r * stride + j);
            x *= number_get(c->real, b, r * b_stride + d);
            want += x, magnitude += fabsl(x);
          }
          EXPECT_NEAR(number_get(c->real, to.data, at), want, (double)(rows + 2) * c->u * magnitude);
        }
      free(before), free(p), free(b);
      guarded_free(&to);
    }
}

/* A key's bits do not depend on the keys beside it, nor on how its rows are cut into calls or its columns halved. */
static void columns_alone(const table_case *c) {
  if (c->type != c->real) return;
  int64_t width = c->k->panel_width, columns = 2 * c->k->tile_rows + 3, rows = 29, bytes = c->k->real_bytes;
  void *p = random_array(c->r, c->real, rows * columns, -1, 1), *b = random_array(c->r, c->real, rows * width, -1, 1);
  guarded together = guarded_new(c->real, columns * width), alone = guarded_new(c->real, columns * width);
  randomize(c->r, c->real, together.data, columns * width, -1, 1);
  memcpy(alone.data, together.data, (size_t)(columns * width * bytes));
  c->k->accumulate_transposed(together.data, width, p, columns, 0, columns, b, width, rows, width);
  for (int64_t j = 0; j < columns; j++) {
    CONTEXT(c, "accumulate_transposed of column %d of %d", (int)j, (int)columns);
    int64_t cut = random_int(c->r, 0, rows);
    c->k->accumulate_transposed(alone.data, width, p, columns, j, j + 1, b, width, cut, width / 2);
    c->k->accumulate_transposed(alone.data + width / 2 * bytes, width, p, columns, j, j + 1,
                                (char *)b + width / 2 * bytes, width, cut, width / 2);
    c->k->accumulate_transposed(alone.data, width, (char *)p + cut * columns * bytes, columns, j, j + 1,
                                (char *)b + cut * width * bytes, width, rows - cut, width);
    EXPECT(memcmp(alone.data + j * width * bytes, together.data + j * width * bytes, (size_t)(width * bytes)) == 0);
  }
  free(p), free(b);
  guarded_free(&together), guarded_free(&alone);
}

/* n terms in any order are within n u of the sum of magnitudes. */
static void dot(const table_case *c) {
  if (c->type != c->real) return;
  for (int64_t n = 0; n <= 6 * c->k->lanes + 1; n++) {
    CONTEXT(c, "dot n %d", (int)n);
    void *a = random_array(c->r, c->real, n, -1, 1), *b = random_array(c->r, c->real, n, -1, 1);
    long double want = 0, magnitude = 0;
    for (int64_t j = 0; j < n; j++) {
      long double x = (long double)number_get(c->real, a, j) * number_get(c->real, b, j);
      want += x, magnitude += fabsl(x);
    }
    EXPECT_NEAR(c->k->dot(a, b, n), want, (double)(n + 1) * c->u * magnitude);
    if (n > 0) {
      number_set(c->real, a, random_int(c->r, 0, n - 1), NAN);
      EXPECT(isnan(c->k->dot(a, b, n)));
    }
    free(a), free(b);
  }
}

/* The factor, its product, the square and the difference round: 2 (2 u) + u of t^2 <= 1, and u. */
static void cap_slopes(const table_case *c) {
  if (c->type != c->real) return;
  for (int64_t vectors = 0; vectors <= 5; vectors++) {
    int64_t n = vectors * c->k->lanes;
    double cap = random_double(c->r, 0.1, 40);
    CONTEXT(c, "cap_slopes n %d cap %g", (int)n, cap);
    guarded s = guarded_new(c->real, n), to = guarded_new(c->real, n);
    randomize(c->r, c->real, s.data, n, -cap, cap);
    if (n > 0) number_set(c->real, s.data, 0, 0), number_set(c->real, s.data, n - 1, NAN);
    c->k->cap_slopes(to.data, s.data, n, 1 / cap);
    for (int64_t j = 0; j < n; j++) {
      long double t = number_get(c->real, s.data, j) * (1 / (long double)cap);
      EXPECT_NEAR(number_get(c->real, to.data, j), 1 - t * t, 7 * c->u);
    }
    if (n > 0) EXPECT(number_get(c->real, to.data, 0) == 1);
    guarded_free(&s), guarded_free(&to);
  }
}

/* A dropped number is 0 whatever it was; factor and product round. */
static void drop_scaled(const table_case *c) {
  if (c->type != c->real) return;
  for (int64_t vectors = 0; vectors <= 5; vectors++) {
    int64_t n = vectors * c->k->lanes;
    double factor = random_double(c->r, 1, 10);
    CONTEXT(c, "drop_scaled n %d factor %g", (int)n, factor);
    uint8_t *keep = malloc((size_t)n + 1);
    const uint8_t bytes[] = {0, 0, 1, 255};
    for (int64_t j = 0; j < n; j++) keep[j] = bytes[random_int(c->r, 0, 3)];
    guarded x = guarded_new(c->real, n);
    randomize(c->r, c->real, x.data, n, -2, 2);
    for (int64_t j = 0; j < n; j += 3) number_set(c->real, x.data, j, j % 2 ? NAN : INFINITY);
    double *before = copy_of(c, x.data, n);
    c->k->drop_scaled(x.data, keep, n, factor);
    for (int64_t j = 0; j < n; j++) {
      long double want = keep[j] ? before[j] * (long double)factor : 0;
      EXPECT_NEAR(number_get(c->real, x.data, j), want, isfinite(want) ? 2.1L * c->u * fabsl(want) : 0);
    }
    free(before), free(keep);
    guarded_free(&x);
  }
}

/* The difference, delta and the product round. A weight of 0 gives 0 beside any number; NaN weights give NaN. */
static void score_gradients(const table_case *c) {
  if (c->type != c->real) return;
  for (int64_t vectors = 0; vectors <= 5; vectors++) {
    int64_t n = vectors * c->k->lanes;
    double delta = random_double(c->r, -2, 2);
    CONTEXT(c, "score_gradients n %d", (int)n);
    guarded x = guarded_new(c->real, n);
    void *p = random_array(c->r, c->real, n, 0, 1);
    randomize(c->r, c->real, x.data, n, -2, 2);
    for (int64_t j = 0; j < n; j++) {
      const double spoiled[] = {1, NAN, INFINITY, -INFINITY};
      if (j % 3 == 0) {
        number_set(c->real, p, j, 0);
        if (j % 2) number_set(c->real, x.data, j, spoiled[random_int(c->r, 0, 3)]);
      } else if (j % 7 == 1) {
        number_set(c->real, x.data, j, spoiled[random_int(c->r, 0, 3)]);
      } else if (j % 7 == 2) {
        number_set(c->real, p, j, NAN);
      }
    }
    double *before = copy_of(c, x.data, n);
    c->k->score_gradients(x.data, p, n, delta);
    for (int64_t j = 0; j < n; j++) {
      double w = number_get(c->real, p, j);
      long double difference = before[j] - (long double)delta, want = w == 0 ? 0 : w * difference;
      long double magnitude = w * (fabsl((long double)delta) + 2 * fabsl(difference));
      long double bound = w != 0 && isfinite(want) ? 1.01L * c->u * magnitude : 0;
      EXPECT_NEAR(number_get(c->real, x.data, j), want, bound);
    }
    /* Whatever delta is. */
    c->k->score_gradients(x.data, p, n, NAN);
    for (int64_t j = 0; j < n; j++)
      EXPECT(number_get(c->real, p, j) == 0 ? number_get(c->real, x.data, j) == 0
                                            : isnan(number_get(c->real, x.data, j)));
    free(before), free(p);
    guarded_free(&x);
  }
}

/* The numbers of the two functions it is, but for the rounding of their exponentials (5 u each; see
 * test_kernel_softmax.c) and what is below the least normal number: whatever stands in scores, subtract and delta. Every
 * other trial has ordinary scores alone. */
static void weights_and_gradients(const table_case *c) {
  if (c->type != c->real) return;
  const double special[] = {NAN, INFINITY, -INFINITY, 0};
  const double odd[] = {-125.9, -126, -126.01, -126.5, -126.999, -127, -127.001, -128, -129, -256, -300, 7};
  for (int64_t vectors = 0; vectors <= 5; vectors++)
    for (int trial = 0; trial < 120; trial++) {
      int64_t n = vectors * c->k->lanes;
      double subtract = trial < 4 ? special[trial] : random_double(c->r, -3, 12);
      double delta = trial % 8 == 7 ? special[trial / 8 % 4] : random_double(c->r, -2, 2);
      CONTEXT(c, "weights_and_gradients n %d subtract %g delta %g", (int)n, subtract, delta);
      guarded s = guarded_new(c->real, n), x = guarded_new(c->real, n), p = guarded_new(c->real, n),
              y = guarded_new(c->real, n);
      double top = subtract < 12 ? subtract : 12, least = c->real == ATTN_F64 ? 0x1p-1022 : 0x1p-126;
      randomize(c->r, c->real, s.data, n, trial % 4 < 2 ? -150 : top - 30, top);
      randomize(c->r, c->real, x.data, n, -2, 2);
      for (int64_t j = 0; j < n; j++) {
        if (trial % 2 == 0 && random_chance(c->r, 0.2)) number_set(c->real, s.data, j, special[random_int(c->r, 0, 3)]);
        if (random_chance(c->r, 0.2)) number_set(c->real, x.data, j, special[random_int(c->r, 0, 3)]);
      }
      if (n > 0 && trial % 8 >= 4)
        number_set(c->real, s.data, random_int(c->r, 0, n - 1), subtract + odd[random_int(c->r, 0, 11)]);
      guarded s2 = guarded_new(c->real, n), x2 = guarded_new(c->real, n);
      memcpy(p.data, s.data, (size_t)s.bytes), memcpy(y.data, x.data, (size_t)x.bytes);
      memcpy(s2.data, s.data, (size_t)s.bytes), memcpy(x2.data, x.data, (size_t)x.bytes);
      c->k->exp2_row(p.data, n, subtract);
      c->k->score_gradients(y.data, p.data, n, delta);
      c->k->weights_and_gradients(s.data, x.data, n, false, subtract, delta);
      c->k->weights_and_gradients(s2.data, x2.data, n, true, subtract, delta);
      EXPECT(memcmp(s.data, s2.data, (size_t)s.bytes) == 0 && memcmp(x.data, x2.data, (size_t)x.bytes) == 0);
      for (int64_t j = 0; j < n; j++) {
        double weight = number_get(c->real, p.data, j), gradient = number_get(c->real, y.data, j);
        double rounding = 10 * c->u, below = weight < 2 * least ? 0x1p6 * least : 0;
        EXPECT_NEAR(number_get(c->real, s.data, j), weight, isfinite(weight) ? rounding * weight + least : 0);
        if (isfinite(gradient))
          EXPECT_NEAR(number_get(c->real, x.data, j), gradient, (rounding + 2 * c->u) * fabs(gradient) + below);
        else if (weight > 2 * least)
          EXPECT_NEAR(number_get(c->real, x.data, j), gradient, 0);
      }
      guarded_free(&s2), guarded_free(&x2);
      guarded_free(&s), guarded_free(&x), guarded_free(&p), guarded_free(&y);
    }
}

/* 0 stays 0 beside any factor. */
static void multiply(const table_case *c) {
  if (c->type != c->real) return;
  for (int64_t vectors = 0; vectors <= 5; vectors++) {
    int64_t n = vectors * c->k->lanes;
    CONTEXT(c, "multiply n %d", (int)n);
    guarded x = guarded_new(c->real, n);
    void *factors = random_array(c->r, c->real, n, -2, 2);
    randomize(c->r, c->real, x.data, n, -2, 2);
    const double spoiled[] = {0, NAN, INFINITY, -INFINITY};
    for (int64_t j = 0; j < n; j++) {
      if (random_chance(c->r, 0.3)) number_set(c->real, factors, j, spoiled[random_int(c->r, 0, 3)]);
      if (random_chance(c->r, 0.3)) number_set(c->real, x.data, j, spoiled[random_int(c->r, 0, 3)]);
    }
    double *before = copy_of(c, x.data, n);
    c->k->multiply(x.data, factors, n);
    for (int64_t j = 0; j < n; j++) {
      long double want = before[j] == 0 ? 0 : (long double)before[j] * number_get(c->real, factors, j);
      EXPECT_NEAR(number_get(c->real, x.data, j), want, isfinite(want) ? c->u * fabsl(want) : 0);
    }
    free(before), free(factors);
    guarded_free(&x);
  }
}

static void add_row(const table_case *c) {
  if (c->type != c->real) return;
  const int64_t strides[] = {1, 0, 2, 7, -1};
  for (int64_t n = 0; n <= 4 * c->k->lanes + 1; n++)
    for (int i = 0; i < 5; i++) {
      int64_t stride = strides[i], reach = n > 0 ? (n - 1) * llabs(stride) : 0, origin = stride < 0 ? reach : 0;
      CONTEXT(c, "add_row n %d stride %d", (int)n, (int)stride);
      void *x = random_array(c->r, c->real, n, -1, 1);
      guarded sum = guarded_new(c->real, reach + 1);
      randomize(c->r, c->real, sum.data, reach + 1, -1, 1);
      double *before = copy_of(c, sum.data, reach + 1);
      c->k->add_row(sum.data + origin * c->k->real_bytes, stride, x, n);
      for (int64_t at = 0; at <= reach; at++) {
        long double want = before[at], magnitude = fabsl(want);
        int terms = 0;
        for (int64_t j = 0; j < n; j++)
          if (origin + j * stride == at) {
            long double term = number_get(c->real, x, j);
            want += term, magnitude += fabsl(term), terms++;
          }
        EXPECT_NEAR(number_get(c->real, sum.data, at), want, terms * c->u * magnitude);
      }
      free(before), free(x);
      guarded_free(&sum);
    }
}

static void make_finite(const table_case *c) {
  if (c->type != c->real) return;
  double largest = c->real == ATTN_F64 ? 0x1.fffffffffffffp1023 : 0x1.fffffep127;
  const double numbers[] = {NAN, INFINITY, -INFINITY, largest, -largest, 0x1p-149, 0, 3};
  for (int64_t n = 0; n <= 4 * c->k->lanes + 1; n++) {
    CONTEXT(c, "make_finite n %d", (int)n);
    guarded x = guarded_new(c->real, n);
    for (int64_t j = 0; j < n; j++) number_set(c->real, x.data, j, numbers[random_int(c->r, 0, 7)]);
    double *before = copy_of(c, x.data, n);
    c->k->make_finite(x.data, n);
    for (int64_t j = 0; j < n; j++) EXPECT_NEAR(number_get(c->real, x.data, j), isfinite(before[j]) ? before[j] : 0, 0);
    free(before);
    guarded_free(&x);
  }
}

/* One number that is not finite is noticed wherever it stands; the largest finite ones raise no alarm. */
static void all_finite(const table_case *c) {
  if (c->type != c->real) return;
  double largest = c->real == ATTN_F64 ? 0x1.fffffffffffffp1023 : 0x1.fffffep127;
  const double specials[] = {NAN, INFINITY, -INFINITY};
  for (int64_t n = 0; n <= 4 * c->k->lanes + 1; n++) {
    CONTEXT(c, "all_finite n %d", (int)n);
    void *x = random_array(c->r, c->real, n, -1, 1);
    for (int64_t j = 0; j < n; j++) number_set(c->real, x, j, j % 2 ? largest : -largest);
    EXPECT(c->k->all_finite(x, n));
    for (int64_t j = 0; j < n; j++) {
      number_set(c->real, x, j, specials[j % 3]);
      EXPECT(!c->k->all_finite(x, n));
      number_set(c->real, x, j, 0x1p-149);
    }
    EXPECT(c->k->all_finite(x, n));
    free(x);
  }
}

/* Rows that attend to nothing subtract +infinity: every weight is 0. */
static void exp2_of_empty_rows(const table_case *c) {
  if (c->type != c->real) return;
  int64_t n = 3 * c->k->lanes;
  CONTEXT(c, "exp2_row less infinity");
  guarded s = guarded_new(c->real, n);
  randomize(c->r, c->real, s.data, n, -5, 5);
  for (int64_t j = 0; j < n; j += 2) number_set(c->real, s.data, j, -INFINITY);
  c->k->exp2_row(s.data, n, INFINITY);
  for (int64_t j = 0; j < n; j++) EXPECT(number_get(c->real, s.data, j) == 0);
  guarded_free(&s);
}

int main(void) {
  random_source r = {expect_seed()};
  for_each_table(accumulate_transposed, &r);
  for_each_table(columns_alone, &r);
  for_each_table(dot, &r);
  for_each_table(cap_slopes, &r);
  for_each_table(drop_scaled, &r);
  for_each_table(score_gradients, &r);
  for_each_table(weights_and_gradients, &r);
  for_each_table(multiply, &r);
  for_each_table(add_row, &r);
  for_each_table(all_finite, &r);
  for_each_table(make_finite, &r);
  for_each_table(exp2_of_empty_rows, &r);
  return expect_finish();
}
