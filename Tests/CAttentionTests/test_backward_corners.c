/* Corners of the backward pass: numbers that are not finite under sinks, head groups that fill no whole block, no
 * queries, and weight vectors that are not finite. */
#include <math.h>
#include <string.h>

#include "expect.h"
#include "gradients.h"

/* Row 0 holds an infinite query whose only score is -infinity: the sink alone keeps its log-sum-exp finite, and nothing
 * of the row may reach the key it does not see. */
static void infinite_query_under_a_sink(const char *isa) {
  const float query[2] = {INFINITY, 0.5f}, key[2] = {-1, 1}, value[2] = {1, 2}, sink = 0, ones[2] = {1, 1};
  float output[2], lse[2], dq[2], dk[2], dv[2];
  attn_problem p = attn_problem_init(ATTN_F32, 1, 1, 1, 2, 2, 1, 1);
  p.isa = isa;
  p.query.data = query, p.key.data = key, p.value.data = value, p.sinks = &sink, p.causal = true;
  attn_output o = attn_output_bhsd(output, 1, 2, 1), l = attn_output_bhsd(lse, 1, 2, 1);
  expect_context("%s infinite query under a sink", isa);
  EXPECT_INT(attn_forward(&p, &o, &l), ATTN_OK);
  attn_input saved = attn_input_bhsd(output, 1, 2, 1), sums = attn_input_bhsd(lse, 1, 2, 1);
  attn_input gradient = attn_input_bhsd(ones, 1, 2, 1);
  attn_gradients g = {.query = attn_output_bhsd(dq, 1, 2, 1),
                      .key = attn_output_bhsd(dk, 1, 2, 1),
                      .value = attn_output_bhsd(dv, 1, 2, 1)};
  EXPECT_INT(attn_backward(&p, &saved, &sums, &gradient, &g), ATTN_OK);
  EXPECT(dv[0] < 1 && isfinite(dk[0]));
  EXPECT(isfinite(dk[1]) && isfinite(dv[1]));
  /* What is left of row 0 without it. */
  const float finite[2] = {0, 0.5f};
  float alone[2];
  p.query.data = finite;
  EXPECT_INT(attn_forward(&p, &o, &l), ATTN_OK);
  g.key = attn_output_bhsd(alone, 1, 2, 1);
  EXPECT_INT(attn_backward(&p, &saved, &sums, &gradient, &g), ATTN_OK);
  EXPECT(dk[1] == alone[1]);
}

/* Groups of 5 and 25 heads leave a work item of fewer rows than a block when the dimensions are large. */
static void uneven_groups(const char *isa, random_source *r) {
  const struct {
    int64_t group, queries, dim, value_dim;
    bool additive;
  } cases[] = {{5, 16, 1024, 1024, true}, {25, 3, 2048, 512, false}, {25, 50, 2048, 512, false}};
  for (int i = 0; i < 3; i++) {
    trial t = trial_make(ATTN_F32, 1, cases[i].group, 1, cases[i].queries, 40, cases[i].dim, cases[i].value_dim, r);
    if (cases[i].additive) trial_add_additive(&t, r, false, 0.1);
    if (i == 2) trial_add_bias(&t, r, ATTN_F32);
    t.problem.threads = 1;
    trial_store(&t, NULL);
    trial_describe(&t, isa, i);
    saved s = saved_make(&t, isa, r);
    gradients got = gradients_make(&t, NULL);
    gradients_run(&t, isa, 1, NULL, &s, &got);
    gradient_tolerance allowed = gradient_tolerance_make(&t, &s, &got);
    EXPECT(gradient_tolerance_check(&allowed, &t, &got) <= 1);
    gradient_tolerance_free(&allowed);
    gradients_free(&got);
    saved_free(&s);
    trial_free(&t);
  }
}

/* Keys and values need no memory when no query reads them. */
static void no_queries(const char *isa) {
  float dk[20], dv[20];
  memset(dk, 0xA5, sizeof dk);
  memset(dv, 0xA5, sizeof dv);
  attn_problem p = attn_problem_init(ATTN_F32, 1, 1, 1, 0, 5, 4, 4);
  p.isa = isa;
  attn_input none = attn_input_bhsd(NULL, 1, 0, 4);
  attn_gradients g = {.key = attn_output_bhsd(dk, 1, 5, 4), .value = attn_output_bhsd(dv, 1, 5, 4)};
  expect_context("%s no queries", isa);
  EXPECT_INT(attn_backward(&p, &none, &none, &none, &g), ATTN_OK);
  for (int i = 0; i < 20; i++) EXPECT(dk[i] == 0 && dv[i] == 0);
}

/* NaN in the weight vector spoils what a query sees, and nothing else. */
static void unfinished_weights(const char *isa) {
  enum { S = 3 };
  const float query[S] = {0.1f, 0.2f, 0.3f}, key[S] = {0.4f, 0.5f, 0.6f}, ones[S] = {1, 1, 1}, w = NAN;
  const uint8_t mask[S] = {1, 0, 1};
  float output[S], lse[S], dk[S];
  attn_problem p = attn_problem_init(ATTN_F32, 1, 1, 1, S, S, 1, 1);
  p.isa = isa;
  p.query.data = query, p.key.data = key, p.value.data = ones, p.additive = &w, p.scale = 1;
  p.mask = (attn_mask){mask, 0, 0, 0, 1};
  attn_output o = attn_output_bhsd(output, 1, S, 1), l = attn_output_bhsd(lse, 1, S, 1);
  expect_context("%s NaN in the weight vector", isa);
  EXPECT_INT(attn_forward(&p, &o, &l), ATTN_OK);
  attn_input saved = attn_input_bhsd(output, 1, S, 1), sums = attn_input_bhsd(lse, 1, S, 1);
  attn_input gradient = attn_input_bhsd(ones, 1, S, 1);
  attn_gradients g = {.key = attn_output_bhsd(dk, 1, S, 1)};
  EXPECT_INT(attn_backward(&p, &saved, &sums, &gradient, &g), ATTN_OK);
  EXPECT(isnan(dk[0]) && dk[1] == 0 && isnan(dk[2]));
}

int main(void) {
  random_source r = {expect_seed()};
  for (int i = 0; i < attn_isa_count(); i++) {
    if (!attn_isa_available(i)) continue;
    infinite_query_under_a_sink(attn_isa_name(i));
    uneven_groups(attn_isa_name(i), &r);
    no_queries(attn_isa_name(i));
    unfinished_weights(attn_isa_name(i));
  }
  /* Scratch for more threads than could ever have it. */
  attn_problem p = attn_problem_init(ATTN_F32, 1, 1, 1, 1, INT32_MAX, (1 << 30) - 1, 1);
  p.threads = INT32_MAX;
  float one;
  p.query.data = p.key.data = &one;
  expect_context("scratch that overflows");
  EXPECT_INT(attn_weights(&p, &one, &(attn_weights_request){.top = 1}), ATTN_ERROR_OVERFLOW);
  return expect_finish();
}
