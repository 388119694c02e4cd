/* softcap, add_bias, add_alibi, apply_mask, clip: a row of scores on its way to the softmax. */
#include <math.h>

#include "kernel_tables.h"

/* tanh within 4 u, the factor rounded to the type, one product: 6 u. */
static void softcap(const table_case *c) {
  if (c->type != c->real) return;
  for (int64_t vectors = 1; vectors <= 5; vectors++)
    for (int range = 0; range < 6; range++) {
      const double widths[] = {1e-6, 0.1, 0.7, 2, 20, 1e30};
      int64_t n = vectors * c->k->lanes;
      double factor = random_double(c->r, 0.1, 40);
      CONTEXT(c, "softcap n %d within %g", (int)n, widths[range]);
      guarded s = guarded_new(c->real, n);
      randomize(c->r, c->real, s.data, n, -widths[range], widths[range]);
      if (range == 5) number_set(c->real, s.data, 0, INFINITY), number_set(c->real, s.data, 1, -INFINITY);
      double *before = malloc((size_t)n * sizeof *before);
      for (int64_t j = 0; j < n; j++) before[j] = number_get(c->real, s.data, j);
      c->k->softcap(s.data, n, factor);
      for (int64_t j = 0; j < n; j++) {
        long double want = factor * tanhl((long double)before[j]);
        EXPECT_NEAR(number_get(c->real, s.data, j), want, 6 * c->u * fabsl(want));
      }
      number_set(c->real, s.data, 0, NAN);
      c->k->softcap(s.data, n, factor);
      EXPECT(isnan(number_get(c->real, s.data, 0)));
      free(before);
      guarded_free(&s);
    }
}

/* The factor and the product round, then the sum. */
static void add_bias(const table_case *c) {
  const int64_t strides[] = {1, 0, 2, 7, -1};
  for (int64_t n = 0; n <= 4 * c->k->lanes + 1; n++)
    for (int i = 0; i < 5; i++) {
      int64_t stride = strides[i], reach = n > 0 ? (n - 1) * llabs(stride) : 0;
      const double factor = 1.4426950408889634;
      CONTEXT(c, "add_bias n %d stride %d", (int)n, (int)stride);
      void *bias = random_array(c->r, c->type, reach + 1, -5, 5);
      int64_t origin = stride < 0 ? reach : 0;
      guarded s = guarded_new(c->real, n);
      randomize(c->r, c->real, s.data, n, -5, 5);
      double *before = malloc((size_t)(n + 1) * sizeof *before);
      for (int64_t j = 0; j < n; j++) before[j] = number_get(c->real, s.data, j);
      c->k->add_bias(s.data, (char *)bias + origin * number_bytes(c->type), c->type, stride, n, factor);
      for (int64_t j = 0; j < n; j++) {
        long double added = factor * (long double)number_get(c->type, bias, origin + j * stride);
        long double want = before[j] + added;
        EXPECT_NEAR(number_get(c->real, s.data, j), want, c->u * (2 * fabsl(added) + fabsl(want)) * (1 + 2 * c->u));
      }
      free(before), free(bias);
      guarded_free(&s);
    }
}

/* The slope and the product round, then the difference; distances below 2^24 are exact. */
static void add_alibi(const table_case *c) {
  if (c->type != c->real) return;
  const int64_t distances[] = {0, 1, -1, 5, 100, -100, 1 << 20};
  for (int64_t vectors = 1; vectors <= 4; vectors++)
    for (int i = 0; i < 7; i++) {
      int64_t n = vectors * c->k->lanes;
      double slope = random_double(c->r, 0, 1);
      CONTEXT(c, "add_alibi n %d distance %d", (int)n, (int)distances[i]);
      guarded s = guarded_new(c->real, n);
      randomize(c->r, c->real, s.data, n, -5, 5);
      double *before = malloc((size_t)n * sizeof *before);
      for (int64_t j = 0; j < n; j++) before[j] = number_get(c->real, s.data, j);
      c->k->add_alibi(s.data, n, slope, distances[i]);
      for (int64_t j = 0; j < n; j++) {
        long double taken = slope * (long double)llabs(distances[i] - j), want = before[j] - taken;
        EXPECT_NEAR(number_get(c->real, s.data, j), want, c->u * (2 * taken + fabsl(want)) * (1 + 2 * c->u));
      }
      free(before);
      guarded_free(&s);
    }
}

static void apply_mask(const table_case *c) {
  if (c->type != c->real) return;
  const int64_t strides[] = {1, 0, 3, -1};
  for (int64_t n = 0; n <= 4 * c->k->lanes + 1; n++)
    for (int i = 0; i < 4; i++) {
      int64_t stride = strides[i], reach = n > 0 ? (n - 1) * llabs(stride) : 0, origin = stride < 0 ? reach : 0;
      CONTEXT(c, "apply_mask n %d stride %d", (int)n, (int)stride);
      uint8_t *mask = malloc((size_t)reach + 1);
      const uint8_t bytes[] = {0, 0, 1, 2, 128, 255};
      for (int64_t j = 0; j <= reach; j++) mask[j] = bytes[random_int(c->r, 0, 5)];
      guarded s = guarded_new(c->real, n);
      randomize(c->r, c->real, s.data, n, -5, 5);
      for (int64_t j = 0; j < n; j += 3) number_set(c->real, s.data, j, j % 2 ? NAN : INFINITY);
      double *before = malloc((size_t)(n + 1) * sizeof *before);
      for (int64_t j = 0; j < n; j++) before[j] = number_get(c->real, s.data, j);
      c->k->apply_mask(s.data, mask + origin, stride, n);
      for (int64_t j = 0; j < n; j++)
        EXPECT_NEAR(number_get(c->real, s.data, j), mask[origin + j * stride] ? before[j] : -INFINITY, 0);
      free(before), free(mask);
      guarded_free(&s);
    }
}

static void clip(const table_case *c) {
  if (c->type != c->real) return;
  for (int64_t vectors = 1; vectors <= 3; vectors++) {
    int64_t n = vectors * c->k->lanes;
    const int64_t bounds[] = {-1000000, -1, 0, 1, n / 2, n - 1, n, n + 1, 1000000};
    for (int low = 0; low < 9; low++)
      for (int high = 0; high < 9; high++) {
        CONTEXT(c, "clip n %d to %d..%d", (int)n, (int)bounds[low], (int)bounds[high]);
        guarded s = guarded_new(c->real, n);
        for (int64_t j = 0; j < n; j++) number_set(c->real, s.data, j, j == 1 ? NAN : (double)j);
        c->k->clip(s.data, n, bounds[low], bounds[high]);
        for (int64_t j = 0; j < n; j++) {
          bool kept = j >= bounds[low] && j < bounds[high];
          EXPECT_NEAR(number_get(c->real, s.data, j), !kept ? -INFINITY : j == 1 ? NAN : (double)j, 0);
        }
        guarded_free(&s);
      }
  }
}

int main(void) {
  random_source r = {expect_seed()};
  for_each_table(softcap, &r);
  for_each_table(add_bias, &r);
  for_each_table(add_alibi, &r);
  for_each_table(apply_mask, &r);
  for_each_table(clip, &r);
  return expect_finish();
}
