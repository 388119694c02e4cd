/*
 * attn_cross_entropy against loops in long double, on every instruction set.
 *
 * With u the unit roundoff, a logit is within (H + 2) u Z of itself, Z the largest sum of the magnitudes of its terms;
 * e^x within (4 + 2 |x|) u of itself for that x, |x| <= 2 Z; a sum of V of them adds V u. So a probability is within
 * r = (H + V + 4 Z + 8 + 2 (H + 2) Z) u of itself, a row's loss within r + 2 (H + 2) u Z + 4 u of itself at a size of at
 * most 2 Z + log V, and a gradient, a chain of k products with a probability, within (r + k + 4) u of the sum of their
 * magnitudes.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "number.h"
#include "random.h"

typedef struct trial {
  attn_cross_entropy_problem p;
  int64_t *targets;
} trial;

static void *numbers(random_source *r, attn_type type, int64_t count, double size) {
  void *x = malloc((size_t)(count > 0 ? count * number_bytes(type) : 1));
  for (int64_t i = 0; i < count; i++) number_set(type, x, i, r ? random_double(r, -size, size) : 7);
  return x;
}

static trial trial_make(random_source *r, attn_type type, int64_t n, int64_t h, int64_t v, double smoothing) {
  trial t = {.targets = malloc((size_t)(n + 1) * sizeof(int64_t))};
  for (int64_t i = 0; i < n; i++) t.targets[i] = random_int(r, 0, v - 1);
  t.p = (attn_cross_entropy_problem){.type = type,
                                     .rows = n,
                                     .hidden = h,
                                     .classes = v,
                                     .hidden_rows = numbers(r, type, n * h, 1.5),
                                     .weight = numbers(r, type, v * h, 1.5),
                                     .bias = random_chance(r, 0.7) ? numbers(r, type, v, 1) : NULL,
                                     .targets = t.targets,
                                     .smoothing = smoothing,
                                     .scale = 0.37,
                                     .hidden_gradient = numbers(NULL, type, n * h, 0),
                                     .weight_gradient = numbers(NULL, type, v * h, 0),
                                     .bias_gradient = numbers(NULL, type, v, 0),
                                     .threads = 2};
  return t;
}

static void trial_free(trial *t) {
  free(t->targets), free((void *)t->p.hidden_rows), free((void *)t->p.weight), free((void *)t->p.bias);
  free(t->p.hidden_gradient), free(t->p.weight_gradient), free(t->p.bias_gradient);
}

static void describe(const attn_cross_entropy_problem *p, const char *what) {
  expect_context("%s %s %s N %lld H %lld V %lld smoothing %g", attn_isa_default(), number_type_name(p->type), what,
                 (long long)p->rows, (long long)p->hidden, (long long)p->classes, p->smoothing);
}

static void against_loops(const trial *t) {
  const attn_cross_entropy_problem *p = &t->p;
  int64_t n = p->rows, h = p->hidden, v = p->classes;
  describe(p, "loops");
  attn_cross_entropy_sums sums;
  EXPECT_INT(attn_cross_entropy(p, &sums), ATTN_OK);
  long double *g = malloc((size_t)(n * v + 1) * sizeof *g), *z = malloc((size_t)v * sizeof *z);
  long double nll = 0, loss = 0, largest = 0;
  for (int64_t r = 0; r < n; r++) {
    long double most = -INFINITY, total = 0, rest = 0;
    for (int64_t j = 0; j < v; j++) {
      long double size = p->bias ? fabsl((long double)number_get(p->type, p->bias, j)) : 0;
      z[j] = p->bias ? number_get(p->type, p->bias, j) : 0;
      for (int64_t d = 0; d < h; d++) {
        long double x = number_get(p->type, p->hidden_rows, r * h + d);
        x *= number_get(p->type, p->weight, j * h + d);
        z[j] += x, size += fabsl(x);
      }
      if (z[j] > most) most = z[j];
      if (size > largest) largest = size;
    }
    for (int64_t j = 0; j < v; j++) total += expl(z[j] - most);
    for (int64_t j = 0; j < v; j++) {
      long double log_p = z[j] - most - logl(total);
      rest -= log_p / (long double)v;
      g[r * v + j] = p->scale * (expl(log_p) - p->smoothing / (double)v);
      if (j == p->targets[r]) g[r * v + j] -= p->scale * (1 - p->smoothing), nll -= log_p;
      if (j == p->targets[r]) loss -= (1 - p->smoothing) * log_p;
    }
    loss += p->smoothing * rest;
  }
  double u = number_unit(p->type), size = (double)largest;
  double r = ((double)(h + v) + 4 * size + 8 + 2 * (double)(h + 2) * size) * u;
  double row = (r + 2 * (double)(h + 2) * u * size + 4 * u) * (1 + 2 * size + log((double)v));
  EXPECT_NEAR(sums.negative_log_likelihood, nll, (double)n * row);
  EXPECT_NEAR(sums.loss, loss, (double)n * row);
  /* Magnitudes of p, of the target and of the smoothing come to at most 1 + 1 + 1 a row, 2 p's at most with one class. */
  for (int64_t i = 0; i < n; i++)
    for (int64_t d = 0; d < h; d++) {
      long double want = 0, magnitude = 0;
      for (int64_t j = 0; j < v; j++) {
        long double w = number_get(p->type, p->weight, j * h + d);
        want += g[i * v + j] * w,
            magnitude += (fabsl(g[i * v + j]) + (long double)p->scale / (long double)v) * fabsl(w);
      }
      magnitude += 3 * 1.5L * (long double)p->scale;
      EXPECT_NEAR(number_get(p->type, p->hidden_gradient, i * h + d), want, (r + (double)(v + 4) * u) * magnitude);
    }
  for (int64_t j = 0; j < v; j++) {
    long double bias = 0;
    for (int64_t i = 0; i < n; i++) bias += g[i * v + j];
    double bound = (r + (double)(n + 4) * u) * 3 * p->scale * (double)n;
    EXPECT_NEAR(number_get(p->type, p->bias_gradient, j), bias, bound);
    for (int64_t d = 0; d < h; d++) {
      long double want = 0;
      for (int64_t i = 0; i < n; i++)
        want += g[i * v + j] * (long double)number_get(p->type, p->hidden_rows, i * h + d);
      EXPECT_NEAR(number_get(p->type, p->weight_gradient, j * h + d), want, 1.5 * bound);
    }
  }
  free(g), free(z);
}

static void sizes(random_source *r) {
  static const int64_t rows[] = {0, 1, 2, 7, 8, 9, 33}, hidden[] = {1, 5, 16, 17},
                       classes[] = {1, 2, 3, 15, 16, 17, 40};
  static const double smoothings[] = {0, 0.1, 0.9};
  for (int i = 0; i < expect_cases(60); i++) {
    trial t = trial_make(r, i % 2 ? ATTN_F64 : ATTN_F32, RANDOM_OF(r, rows), RANDOM_OF(r, hidden),
                         RANDOM_OF(r, classes), smoothings[i % 3]);
    against_loops(&t);
    trial_free(&t);
  }
}

/* Rows enough for several blocks: the same bits at any number of threads, and losses that are those of the rows alone. */
static void same_bits(random_source *r) {
  trial t = trial_make(r, ATTN_F32, 450, 12, 9000, 0.1), other = t;
  size_t bytes = 9000 * 12 * sizeof(float);
  attn_cross_entropy_sums one, sums, half;
  t.p.threads = 1;
  describe(&t.p, "threads");
  EXPECT_INT(attn_cross_entropy(&t.p, &one), ATTN_OK);
  other.p.weight_gradient = malloc(bytes), other.p.bias_gradient = malloc(9000 * sizeof(float));
  other.p.hidden_gradient = malloc(450 * 12 * sizeof(float));
  const int threads[] = {2, 3, 7, 0};
  for (int i = 0; i < 4; i++) {
    other.p.threads = threads[i];
    EXPECT_INT(attn_cross_entropy(&other.p, &sums), ATTN_OK);
    EXPECT(memcmp(&sums, &one, sizeof sums) == 0);
    EXPECT(memcmp(other.p.weight_gradient, t.p.weight_gradient, bytes) == 0);
    EXPECT(memcmp(other.p.bias_gradient, t.p.bias_gradient, 9000 * sizeof(float)) == 0);
    EXPECT(memcmp(other.p.hidden_gradient, t.p.hidden_gradient, 450 * 12 * sizeof(float)) == 0);
  }
  free(other.p.weight_gradient), free(other.p.bias_gradient), free(other.p.hidden_gradient);
  other.p.rows = 200, other.p.weight_gradient = NULL, other.p.bias_gradient = NULL, other.p.hidden_gradient = NULL;
  EXPECT_INT(attn_cross_entropy(&other.p, &half), ATTN_OK);
  other.p.rows = 250, other.p.targets = t.targets + 200;
  other.p.hidden_rows = (const float *)t.p.hidden_rows + 200 * 12;
  EXPECT_INT(attn_cross_entropy(&other.p, &sums), ATTN_OK);
  EXPECT_NEAR(half.loss + sums.loss, one.loss, 1e-13 * one.loss);
  trial_free(&t);
}

static float x[12], w[12], g[12];
static int64_t chosen[3] = {0, 2, 1};

static void expect_refused(attn_cross_entropy_problem p, attn_status want, const char *part) {
  attn_cross_entropy_sums sums;
  expect_context("status %d, %s", (int)want, part);
  EXPECT_INT(attn_cross_entropy(&p, &sums), want);
  EXPECT_CONTAINS(attn_error_message(), part);
}

#define REFUSE(status, part, ...)                         \
  do {                                                    \
    attn_cross_entropy_problem p = {.type = ATTN_F32,     \
                                    .rows = 3,            \
                                    .hidden = 4,          \
                                    .classes = 3,         \
                                    .hidden_rows = x,     \
                                    .weight = w,          \
                                    .targets = chosen,    \
                                    .scale = 1,           \
                                    .hidden_gradient = g, \
                                    .threads = 1};        \
    __VA_ARGS__;                                          \
    expect_refused(p, status, part);                      \
  } while (0)

static void statuses(void) {
  REFUSE(ATTN_ERROR_TYPE, "type", p.type = ATTN_BF16);
  REFUSE(ATTN_ERROR_THREADS, "threads", p.threads = -1);
  REFUSE(ATTN_ERROR_NEGATIVE_SIZE, "rows is -1", p.rows = -1);
  REFUSE(ATTN_ERROR_NEGATIVE_SIZE, "hidden is 0", p.hidden = 0);
  REFUSE(ATTN_ERROR_NEGATIVE_SIZE, "classes is 0", p.classes = 0);
  REFUSE(ATTN_ERROR_OVERFLOW, "classes", p.classes = INT64_MAX);
  REFUSE(ATTN_ERROR_NOT_FINITE, "smoothing is 1", p.smoothing = 1);
  REFUSE(ATTN_ERROR_NOT_FINITE, "scale", p.scale = NAN);
  REFUSE(ATTN_ERROR_NULL_POINTER, "hidden_rows is null", p.hidden_rows = NULL);
  REFUSE(ATTN_ERROR_NULL_POINTER, "weight is null", p.weight = NULL);
  REFUSE(ATTN_ERROR_NULL_POINTER, "targets is null", p.targets = NULL);
  REFUSE(ATTN_ERROR_SELECTION, "targets[1] is 2", p.classes = 2);
  REFUSE(ATTN_ERROR_OVERLAP, "hidden_gradient overlaps weight", p.hidden_gradient = w);
  expect_context("null");
  EXPECT_INT(attn_cross_entropy(NULL, NULL), ATTN_ERROR_NULL_POINTER);
}

int main(void) {
  random_source r = {expect_seed()};
  for (int isa = 0; isa < attn_isa_count(); isa++) {
    if (!attn_isa_available(isa)) continue;
    setenv("ATTENTION_ISA", attn_isa_name(isa), 1);
    sizes(&r);
    same_bits(&r);
    unsetenv("ATTENTION_ISA");
  }
  statuses();
  return expect_finish();
}
