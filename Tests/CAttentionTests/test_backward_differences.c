/*
 * attn_backward against finite differences of attn_forward itself, in F64, with every option on, of dot-product and of
 * additive scores (small ones, and q + k where q and k cancel).
 *
 * With C(h) = (L(x + h) - L(x - h)) / 2h the truncation error is c h^2 + O(h^4), so that R(h) = (4 C(h) - C(2h)) / 3
 * has error e h^4 + O(h^6) and R(2h) has 16 times that: |R(h) - R(2h)| is about 15 times R(h)'s own error, and allowed
 * whole for the orders above. L = sum do o carries a rounding error E = sum |do| times the bound of an output
 * (tolerance.c); C(h) then E / h, R(h) at most (4/3 + 1/6) E / h, and R(2h) half of that. Any h will do for which E / h
 * and h^4 are both small: 2^-8.
 */
#include <math.h>
#include <stdlib.h>

#include "expect.h"
#include "gradients.h"
#include "number.h"
#include "tolerance.h"

#define STEP 0x1p-8

static long double loss(const trial *t, const saved *s, const char *isa) {
  double *output = trial_numbers(trial_outputs(t));
  attn_problem p = t->problem;
  p.isa = isa;
  p.threads = 1;
  attn_output view = attn_output_bhsd(output, p.query_heads, p.query_length, p.value_dim);
  EXPECT_INT(attn_forward(&p, &view, NULL), ATTN_OK);
  long double sum = 0;
  for (int64_t i = 0; i < trial_outputs(t); i++) sum += (long double)s->output_gradient[i] * output[i];
  free(output);
  return sum;
}

static long double central(const trial *t, const saved *s, const char *isa, double *x, double h) {
  double before = *x, above = before + h, below = before - h;
  *x = above;
  long double high = loss(t, s, isa);
  *x = below;
  long double low = loss(t, s, isa);
  *x = before;
  return (high - low) / ((long double)above - below);
}

static void differences(const trial *t, const saved *s, const char *isa, void *stored, const double *gradient,
                        int64_t count, long double rounding, random_source *r) {
  for (int64_t n = 0; n < count && n < 60; n++) {
    int64_t i = count <= 60 ? n : random_int(r, 0, count - 1);
    double *x = (double *)stored + i;
    long double c1 = central(t, s, isa, x, STEP), c2 = central(t, s, isa, x, 2 * STEP);
    long double c4 = central(t, s, isa, x, 4 * STEP), fine = (4 * c1 - c2) / 3, coarse = (4 * c2 - c4) / 3;
    EXPECT_NEAR(gradient[i], fine, fabsl(fine - coarse) + 2.25L * rounding / STEP);
  }
}

static void move(double *numbers, int64_t count, double by) {
  for (int64_t i = 0; i < count; i++) numbers[i] += by;
}

static void everything(const char *isa, int64_t index, bool additive, random_source *r) {
  /* Inside a tile, and over the edges of tiles of queries and of keys. */
  int64_t queries = index % 2 ? 5 : 50, keys = index % 2 ? 7 : 135;
  trial t = trial_make(ATTN_F64, 2, 4, 2, queries, keys, 5, 3, r);
  t.problem.alignment = ATTN_ALIGN_OFFSETS;
  t.problem.causal = index % 4 < 2;
  t.problem.window_left = keys / 2;
  t.problem.window_right = t.problem.causal ? ATTN_UNBOUNDED : keys / 3;
  t.problem.softcap = index % 3 ? 1.5 : 0;
  t.problem.scale = index % 5 ? 0.8 : -0.4;
  t.problem.dropout_probability = 0.2;
  t.problem.dropout_seed = (uint64_t)index;
  if (additive) {
    trial_add_additive(&t, r, index % 3 == 1, 2);
    move(t.query, gradients_queries(&t), index % 3 == 2 ? 60 : 0);
    move(t.key, gradients_keys(&t), index % 3 == 2 ? -60 : 0);
  }
  trial_add_query_offsets(&t, r);
  trial_add_key_lengths(&t, r);
  trial_add_mask(&t, r, 0.8);
  trial_add_bias(&t, r, ATTN_F64);
  trial_add_slopes(&t, r);
  trial_add_sinks(&t, r);
  trial_store(&t, NULL);
  trial_describe(&t, isa, index);
  saved s = saved_make(&t, isa, r);
  gradients g = gradients_make(&t, NULL);
  gradients_run(&t, isa, 1, NULL, &s, &g);
  trial_describe(&t, isa, index);

  tolerance forward = tolerance_bounds(&t.naive, ATTN_F64);
  long double rounding = 0;
  for (int64_t i = 0; i < trial_outputs(&t); i++)
    rounding += fabs(s.output_gradient[i]) * forward.allowed.output[i];
  /* The bounds hold at x; a step changes magnitudes by less than a half. */
  rounding *= 1.5L;
  differences(&t, &s, isa, t.stored_query, g.query, gradients_queries(&t), rounding, r);
  differences(&t, &s, isa, t.stored_key, g.key, gradients_keys(&t), rounding, r);
  differences(&t, &s, isa, t.stored_value, g.value, gradients_values(&t), rounding, r);
  differences(&t, &s, isa, t.stored_bias, g.bias, g.bias_elements, rounding, r);
  if (additive) differences(&t, &s, isa, t.stored_additive, g.additive, gradients_weights(&t), rounding, r);
  differences(&t, &s, isa, t.stored_sinks, g.sinks, t.problem.query_heads, rounding, r);
  tolerance_free(&forward);
  gradients_free(&g);
  saved_free(&s);
  trial_free(&t);
}

int main(void) {
  random_source r = {expect_seed()};
  int cases = (expect_cases(100) + 7) / 8; /* a case takes as long as eight of other tests */
  for (int isa = 0; isa < attn_isa_count(); isa++)
    for (int64_t index = 0; index < cases && attn_isa_available(isa); index++) {
      everything(attn_isa_name(isa), index, false, &r);
      if (3 * index < cases) everything(attn_isa_name(isa), index, true, &r);
    }
  return expect_finish();
}
