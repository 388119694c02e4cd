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

static const int64_t dims[] = {1,  3,  7,  8,  9,  15, 16,  17,  31,  32,  33, 63,
                               64, 65, 80, 96, 127, 128, 129, 256, 300, 512};
static const int64_t lengths[] = {0, 1, 5, 6, 7, 47, 48, 49, 127, 128, 129, 200, 257};

static trial random_shape(random_source *r) {
  for (;;) {
    int64_t batch = random_int(r, 1, 3), kv_heads = random_int(r, 1, 3), group = random_int(r, 1, 4);
    int64_t queries = RANDOM_OF(r, lengths), keys = RANDOM_OF(r, lengths);
    int64_t dim = RANDOM_OF(r, dims), value_dim = random_chance(r, 0.5) ? dim : RANDOM_OF(r, dims);
    double work = (double)(batch * kv_heads * group * queries) * (double)(keys * (dim + value_dim));
    attn_type type = (attn_type)random_int(r, ATTN_F32, ATTN_BF16);
    if (work > MOST_WORK) continue;
    return trial_make(type, batch, kv_heads * group, kv_heads, queries, keys, dim, value_dim, r);
  }
}

static void random_options(trial *t, random_source *r) {
  attn_problem *p = &t->problem;
  if (random_chance(r, 0.3)) {
    const double scales[] = {0, -0.3, 1, 0.01, -1.5};
    p->scale = scales[random_int(r, 0, 4)];
  }
  if (random_chance(r, 0.25)) p->softcap = random_double(r, 0.2, 5);
  p->alignment = (attn_alignment)random_int(r, ATTN_ALIGN_SQUARE, ATTN_ALIGN_OFFSETS);
  p->query_offset = random_int(r, -p->query_length, p->key_length);
  if (p->alignment == ATTN_ALIGN_OFFSETS) trial_add_query_offsets(t, r);
  bool square = p->alignment == ATTN_ALIGN_SQUARE && p->query_length != p->key_length;
  p->causal = !square && random_chance(r, 0.4);
  if (random_chance(r, 0.3)) p->window_left = random_int(r, 0, p->key_length);
  if (random_chance(r, 0.3)) p->window_right = random_int(r, 0, p->key_length);
  if (random_chance(r, 0.3)) trial_add_key_lengths(t, r);
  if (random_chance(r, 0.3)) trial_add_mask(t, r, random_chance(r, 0.5) ? 0.1 : 0.8);
  if (random_chance(r, 0.3)) {
    const int64_t types[] = {ATTN_F32, ATTN_F16, ATTN_BF16};
    trial_add_bias(t, r, p->type == ATTN_F64 ? ATTN_F64 : (attn_type)RANDOM_OF(r, types));
  }
  if (random_chance(r, 0.25)) trial_add_slopes(t, r);
  if (random_chance(r, 0.25)) trial_add_sinks(t, r);
  if (random_chance(r, 0.2)) {
    p->dropout_probability = random_double(r, 0.05, 0.9);
    p->dropout_seed = random_bits(r);
  }
}

static double run_case(random_source *r, int64_t index) {
  trial t = random_shape(r);
  random_options(&t, r);
  trial_store(&t, r);
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
