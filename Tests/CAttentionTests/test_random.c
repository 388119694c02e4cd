/* attn_forward against the oracle: random shapes, options, types and layouts on every instruction set. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "expect.h"
#include "number.h"
#include "tolerance.h"
#include "trial.h"

/* Multiplications in a case: the oracle does them four times. */
#define MOST_WORK 5e6

static double run_case(random_source *r, int64_t index) {
  trial t = trial_random(r, MOST_WORK);
  tolerance allowed = tolerance_make(&t.naive, t.problem.type);
  double worst = 0, *output = trial_numbers(trial_outputs(&t)), *lse = trial_numbers(trial_rows(&t));
  for (int isa = 0; isa < attn_isa_count(); isa++) {
    if (!attn_isa_available(isa)) continue;
    trial_describe(&t, attn_isa_name(isa), index);
    bool with_lse = random_chance(r, 0.7);
    trial_run(&t, attn_isa_name(isa), (int)random_int(r, 0, 3), r, output, with_lse ? lse : NULL);
    worst = fmax(worst, tolerance_check(&allowed, &t.naive, output, with_lse ? lse : NULL, NULL, NULL));
  }
  tolerance_free(&allowed);
  free(output);
  free(lse);
  trial_free(&t);
  return worst;
}

int main(void) {
  int cases = expect_cases(600);
  double worst = 0;
  for (int i = 0; i < cases; i++) {
    /* A case depends on the seed and its number alone, so that one can be run again. */
    random_source r = {expect_seed() * 1000003 + (uint64_t)i};
    worst = fmax(worst, run_case(&r, i));
  }
  printf("%d cases, at most %.2f of the tolerance used\n", cases, worst);
  return expect_finish();
}
