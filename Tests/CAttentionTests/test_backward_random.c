/* attn_backward against the oracle: random shapes, options, types and layouts on every instruction set. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "expect.h"
#include "gradients.h"
#include "number.h"

/* Multiplications of the forward pass in a case: the oracle does them about twelve times. */
#define MOST_WORK 2e6

/* Not asked for: null, so that nothing is written there. */
static void forget(double **gradient, random_source *r) {
  if (!random_chance(r, 0.2)) return;
  free(*gradient);
  *gradient = NULL;
}

static const char *any_isa(random_source *r) {
  for (;;) {
    int isa = (int)random_int(r, 0, attn_isa_count() - 1);
    if (attn_isa_available(isa)) return attn_isa_name(isa);
  }
}

static double run_case(random_source *r, int64_t index) {
  trial t = trial_random(r, MOST_WORK);
  trial_describe(&t, "forward", index);
  /* The forward's results are saved by any table for every other. */
  saved s = saved_make(&t, any_isa(r), r);
  gradients shape = gradients_make(&t, r);
  gradient_tolerance allowed = gradient_tolerance_make(&t, &s, &shape);
  double worst = 0;
  for (int isa = 0; isa < attn_isa_count(); isa++) {
    if (!attn_isa_available(isa)) continue;
    trial_describe(&t, attn_isa_name(isa), index);
    gradients g = gradients_like(&t, &shape);
    forget(&g.query, r), forget(&g.key, r), forget(&g.value, r), forget(&g.bias, r), forget(&g.sinks, r);
    gradients_run(&t, attn_isa_name(isa), (int)random_int(r, 0, 7), r, &s, &g);
    worst = fmax(worst, gradient_tolerance_check(&allowed, &t, &g));
    gradients_free(&g);
  }
  gradient_tolerance_free(&allowed);
  gradients_free(&shape);
  saved_free(&s);
  trial_free(&t);
  return worst;
}

int main(void) {
  int cases = expect_cases(400);
  double worst = 0;
  for (int i = 0; i < cases; i++) {
    /* A case depends on the seed and its number alone, so that one can be run again. */
    random_source r = {expect_seed() * 1000003 + (uint64_t)i};
    worst = fmax(worst, run_case(&r, i));
  }
  printf("%d cases, at most %.2f of the tolerance used\n", cases, worst);
  return expect_finish();
}
